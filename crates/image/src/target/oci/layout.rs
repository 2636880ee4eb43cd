//! Layouts of the Open Container Initiative: `index.json`, which names manifests or further indexes.

use std::collections::HashSet;

use super::{
    image::{Image, Layer, Parts, Platform},
    manifest::{Config, Descriptor, Manifest},
    refusal,
    store::Store,
};
use crate::{
    file_system::layers::unpack::{Digest, Expected},
    limits,
    volume::{Reason, Refusal},
};

/// How deep indexes may be in each other.
const DEPTH: usize = 8;

/// Layers of these kinds are tar archives, whatever they are compressed with.
const LAYERS: [&str; 5] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
    "application/vnd.docker.container.image.rootfs.diff+x-gtar",
];

/// Configurations of these kinds are those of images.
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// The images that the index names, each once.
pub(super) fn images(store: &Store) -> Result<Vec<Image>, Refusal> {
    const WHAT: &str = "container image";
    let index = store.read("/index.json", limits::MANIFEST_BYTES);
    let index = match index.map_err(|error| refusal(Reason::Damaged, WHAT, format!("index.json: {error}")))? {
        Some(index) => index,
        None => {
            return Err(refusal(
                Reason::Unsupported,
                "tar archive",
                "it has neither an index.json (OCI) nor a manifest.json (docker save): no container image",
            ));
        }
    };
    let index: Manifest = serde_json::from_slice(&index)
        .map_err(|error| refusal(Reason::Damaged, WHAT, format!("index.json: {error}")))?;
    let mut found = Found { store, images: Vec::new(), seen: HashSet::new() };
    found.index(index.manifests.unwrap_or_default(), 0);
    Ok(found.images)
}

struct Found<'a> {
    store: &'a Store,
    images: Vec<Image>,
    /// The digests of manifests and indexes that were read: tags share them, and an index may not lead back to itself.
    seen: HashSet<String>,
}

impl Found<'_> {
    fn index(&mut self, descriptors: Vec<Descriptor>, depth: usize) {
        for descriptor in descriptors {
            // One more than is read, so that it is told.
            if self.images.len() > limits::VOLUMES {
                return;
            }
            if self.seen.insert(descriptor.digest.clone()) {
                self.descriptor(descriptor, depth);
            }
        }
    }

    fn descriptor(&mut self, descriptor: Descriptor, depth: usize) {
        let manifest = match self.manifest(&descriptor) {
            Ok(manifest) => manifest,
            Err(refusal) => return self.push(&descriptor, None, Parts::Refused(refusal)),
        };
        if let Some(inner) = manifest.manifests {
            if depth >= DEPTH {
                let detail = format!("indexes lie deeper than {DEPTH} in each other");
                let refused = refusal(Reason::Limit, "container image", detail);
                return self.push(&descriptor, None, Parts::Refused(refused));
            }
            return self.index(inner, depth + 1);
        }
        if descriptor.annotations.reference_type == "attestation-manifest" {
            return self.push(&descriptor, None, Parts::Nothing("attestation"));
        }
        let config = manifest.config.unwrap_or_default();
        if !CONFIGS.contains(&config.media_type.as_str()) {
            let kind = if config.media_type.is_empty() { &manifest.media_type } else { &config.media_type };
            let detail = format!("it is no image of files, its configuration is {}", kind.escape_debug());
            let refused = refusal(Reason::Unsupported, "artefact", detail);
            return self.push(&descriptor, None, Parts::Refused(refused));
        }
        let (platform, parts) = match self.config(&config) {
            Ok(config) => (Some(config.platform.into()), layers(manifest.layers.unwrap_or_default())),
            Err(refusal) => (None, Parts::Refused(refusal)),
        };
        self.push(&descriptor, platform, parts);
    }

    fn push(&mut self, descriptor: &Descriptor, platform: Option<Platform>, parts: Parts) {
        let said = descriptor.platform.clone().map(Platform::from);
        let platform = said.or(platform).unwrap_or_default();
        let mut name = platform.to_string();
        if let Parts::Nothing(what) = &parts {
            name = (*what).to_owned();
        }
        let short = Digest::parse(&descriptor.digest).map(|digest| digest.short().to_owned());
        let id = match (descriptor.annotations.name.as_str(), short) {
            ("", short) => short.unwrap_or_default(),
            (name, Some(short)) => format!("{}, {short}", name.escape_debug()),
            (name, None) => name.escape_debug().to_string(),
        };
        self.images.push(Image { name, id, platform, parts });
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Manifest, Refusal> {
        let bytes = blob(self.store, &descriptor.digest, "manifest")?;
        serde_json::from_slice(&bytes)
            .map_err(|error| refusal(Reason::Damaged, "manifest", format!("{}: {error}", descriptor.digest)))
    }

    fn config(&self, descriptor: &Descriptor) -> Result<Config, Refusal> {
        const WHAT: &str = "configuration of an image";
        let bytes = blob(self.store, &descriptor.digest, WHAT)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| refusal(Reason::Damaged, WHAT, format!("{}: {error}", descriptor.digest)))
    }
}

/// A small blob, checked.
fn blob(store: &Store, digest: &str, what: &str) -> Result<Vec<u8>, Refusal> {
    let parsed = digest_of(digest, what)?;
    let bytes = store.read(&parsed.path(), limits::MANIFEST_BYTES);
    let bytes = bytes.map_err(|error| refusal(Reason::Damaged, what, format!("{digest}: {error}")))?;
    let bytes = bytes.ok_or_else(|| refusal(Reason::Incomplete, what, format!("{digest} is not there")))?;
    match parsed.is_of(&bytes) {
        true => Ok(bytes),
        false => Err(refusal(Reason::Damaged, what, format!("{digest}: its bytes have another digest"))),
    }
}

fn digest_of(text: &str, what: &str) -> Result<Digest, Refusal> {
    Digest::parse(text).ok_or_else(|| {
        let detail = format!("{:?} is no digest; sha256:… or sha512:… is one", text);
        refusal(Reason::Damaged, what, detail)
    })
}

fn layers(descriptors: Vec<Descriptor>) -> Parts {
    let layers = descriptors.into_iter().map(layer).collect::<Result<Vec<_>, _>>();
    match layers {
        Ok(layers) => Parts::Layers(layers),
        Err(refusal) => Parts::Refused(refusal),
    }
}

fn layer(descriptor: Descriptor) -> Result<Layer, Refusal> {
    let kind = descriptor.media_type.as_str();
    let shown = kind.escape_debug();
    if kind.ends_with("+encrypted") {
        return Err(refusal(Reason::Encrypted, "layer", format!("{shown}: only its key opens it")));
    }
    let archive = kind
        .strip_suffix("+gzip")
        .or_else(|| kind.strip_suffix(".gzip"))
        .or_else(|| kind.strip_suffix("+zstd"))
        .or_else(|| kind.strip_suffix(".zstd"))
        .unwrap_or(kind);
    if !LAYERS.contains(&archive) {
        return Err(refusal(Reason::Unsupported, "layer", format!("its kind {shown} is not known")));
    }
    let digest = digest_of(&descriptor.digest, "layer")?;
    let expected = Expected { packed: Some(digest.clone()), unpacked: None };
    Ok(Layer { path: digest.path(), expected, urls: descriptor.urls })
}
