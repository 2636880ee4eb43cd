//! What `docker save` writes: `manifest.json`, which names the configuration and the layers of each image by their paths
//! in the archive. Since version 25 these are the blobs of a layout, before they are folders of their own. Such a layout
//! may name images that the manifest does not: those for other platforms.

use std::collections::BTreeSet;

use super::{
    holds::is_index,
    image::{Image, Layer, Parts, Platform},
    layout::{self, Named},
    manifest::{Config, Saved},
    refusal,
    store::Store,
};
use crate::{
    file_system::layers::unpack::{Digest, Expected},
    limits,
    volume::{Reason, Refusal},
};

const WHAT: &str = "container image";

/// Whether a file of this name is Docker's: a list.
pub(super) fn is_manifest(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// The images that the manifest names, and those that only the index of the layout beside it does.
pub(super) fn images(store: &Store, manifest: &[u8]) -> Result<Named, Refusal> {
    let saved: Vec<Saved> = serde_json::from_slice(manifest)
        .map_err(|error| refusal(Reason::Damaged, WHAT, format!("manifest.json: {error}")))?;
    let images = saved.into_iter().map(|saved| image(store, saved)).collect();
    let mut named = Named { images, absent: BTreeSet::new() };
    if is_index(store) {
        let index = layout::images(store)?;
        named.absent = index.absent;
        for image in index.images {
            let is_it =
                |known: &&mut Image| known.digests.iter().any(|digest| image.digests.contains(digest));
            match named.images.iter_mut().find(is_it) {
                Some(known) => {
                    known.names.extend(image.names);
                    known.digests.extend(image.digests);
                }
                None => named.images.push(image),
            }
        }
    }
    Ok(named)
}

fn image(store: &Store, saved: Saved) -> Image {
    let id = id(&saved.config);
    let tags = saved.repo_tags.clone().unwrap_or_default();
    let title = match tags.is_empty() {
        true => id.clone(),
        false => tags.iter().map(|tag| tag.escape_debug().to_string()).collect::<Vec<_>>().join(", "),
    };
    let (platform, parts) = match config(store, &saved.config) {
        Ok(config) => {
            let parts = layers(&saved, &config);
            (config.platform.into(), parts)
        }
        Err(refusal) => (Platform::default(), Parts::Refused(refusal)),
    };
    let digests = digest(&saved.config).into_iter().collect();
    Image { title, id, names: tags, digests, platform, parts }
}

/// The beginning of the digest that a configuration is named by: `<digest>.json`, `blobs/sha256/<digest>`.
fn id(config: &str) -> String {
    let name = config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
    name.chars().take(12).flat_map(char::escape_debug).collect()
}

/// The digest that a path ends with.
fn digest(path: &str) -> Option<Digest> {
    let name = path.rsplit('/').next()?.trim_end_matches(".json");
    Digest::parse(&format!("sha256:{name}"))
}

fn config(store: &Store, path: &str) -> Result<Config, Refusal> {
    const WHAT: &str = "configuration of an image";
    let shown = path.escape_debug();
    let bytes = store.read(path, limits::MANIFEST_BYTES);
    let bytes = bytes.map_err(|error| refusal(Reason::Damaged, WHAT, format!("{shown}: {error}")))?;
    let bytes = bytes.ok_or_else(|| refusal(Reason::Incomplete, WHAT, format!("{shown} is not there")))?;
    if digest(path).is_some_and(|digest| !digest.is_of(&bytes)) {
        return Err(refusal(Reason::Damaged, WHAT, format!("{shown}: its bytes have another digest")));
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| refusal(Reason::Damaged, WHAT, format!("{shown}: {error}")))
}

/// The layers, with the digests that the configuration has of them.
fn layers(saved: &Saved, config: &Config) -> Parts {
    let paths = saved.layers.clone().unwrap_or_default();
    let digests = &config.rootfs.diff_ids;
    if paths.len() != digests.len() {
        let detail = format!("{} layers, but {} digests in its configuration", paths.len(), digests.len());
        return Parts::Refused(refusal(Reason::Damaged, WHAT, detail));
    }
    let layers = paths.into_iter().zip(digests).map(|(path, digest)| {
        let shown = digest.escape_debug();
        let unpacked = Digest::parse(digest)
            .ok_or_else(|| refusal(Reason::Damaged, WHAT, format!("\"{shown}\" is no digest")))?;
        let expected = Expected { packed: None, unpacked: Some(unpacked) };
        Ok(Layer { path, expected, urls: Vec::new() })
    });
    match layers.collect::<Result<Vec<_>, _>>() {
        Ok(layers) => Parts::Layers(layers),
        Err(refusal) => Parts::Refused(refusal),
    }
}
