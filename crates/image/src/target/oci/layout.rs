//! Layouts of the Open Container Initiative: `index.json`, which names manifests or further indexes. The folders that
//! skopeo writes for `dir:` are the same with other names for the files.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

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

const WHAT: &str = "container image";

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

/// What an index names.
pub(super) struct Named {
    /// Its images, each once.
    pub images: Vec<Image>,
    /// Images of an index with several platforms that are not there: as a rule, only that for the own machine was
    /// fetched. Their platforms.
    pub absent: BTreeSet<String>,
}

/// The images that the index names.
pub(super) fn images(store: &Store) -> Result<Named, Refusal> {
    let file = if store.is_flat() { "manifest.json" } else { "index.json" };
    let bytes = store.read(&format!("/{file}"), limits::MANIFEST_BYTES);
    let bytes = bytes.map_err(|error| refusal(Reason::Damaged, WHAT, format!("{file}: {error}")))?;
    let bytes = bytes.ok_or_else(|| refusal(Reason::Incomplete, WHAT, format!("{file} is not there")))?;
    let top: Manifest = serde_json::from_slice(&bytes)
        .map_err(|error| refusal(Reason::Damaged, WHAT, format!("{file}: {error}")))?;
    let mut found = Found { store, images: Vec::new(), seen: HashMap::new(), absent: BTreeSet::new() };
    match (top.manifests, store.is_flat()) {
        // The folder of a single image has its manifest where the others have an index.
        (None, true) => {
            let manifest = Manifest { manifests: None, ..top };
            found.image(&Descriptor::default(), manifest, &[]);
        }
        (inner, _) => found.index(inner.unwrap_or_default(), 0, &[]),
    }
    Ok(Named { images: found.images, absent: found.absent })
}

struct Found<'a> {
    store: &'a Store,
    images: Vec<Image>,
    /// The digests of manifests and indexes that were read, and which images they brought: tags share them, and an index
    /// may not lead back to itself.
    seen: HashMap<String, Range<usize>>,
    absent: BTreeSet<String>,
}

impl Found<'_> {
    /// `names` are those of the index itself.
    fn index(&mut self, descriptors: Vec<Descriptor>, depth: usize, names: &[String]) {
        for descriptor in descriptors {
            // One more than is read, so that it is told.
            if self.images.len() > limits::VOLUMES {
                return;
            }
            let mut names = names.to_vec();
            names.extend(descriptor.annotations.name());
            if let Some(images) = self.seen.get(&descriptor.digest) {
                for image in self.images.get_mut(images.clone()).unwrap_or_default() {
                    image.names.extend(names.iter().cloned());
                }
                continue;
            }
            let (digest, start) = (descriptor.digest.clone(), self.images.len());
            self.seen.insert(digest.clone(), start..start);
            self.descriptor(&descriptor, depth, &names);
            self.seen.insert(digest, start..self.images.len());
        }
    }

    fn descriptor(&mut self, descriptor: &Descriptor, depth: usize, names: &[String]) {
        let manifest = match self.manifest(descriptor) {
            Ok(manifest) => manifest,
            Err(Refusal { reason: Reason::Incomplete, .. }) if depth > 0 => {
                let platform = descriptor.platform.clone().map(Platform::from).unwrap_or_default();
                self.absent.insert(platform.to_string());
                return;
            }
            Err(refusal) => return self.push(descriptor, names, None, Parts::Refused(refusal)),
        };
        match manifest.manifests {
            Some(_) if depth >= DEPTH => {
                let detail = format!("indexes lie deeper than {DEPTH} in each other");
                let refused = refusal(Reason::Limit, WHAT, detail);
                self.push(descriptor, names, None, Parts::Refused(refused));
            }
            Some(inner) => self.index(inner, depth + 1, names),
            None => self.image(descriptor, manifest, names),
        }
    }

    fn image(&mut self, descriptor: &Descriptor, manifest: Manifest, names: &[String]) {
        if descriptor.annotations.reference_type == "attestation-manifest" {
            return self.push(descriptor, names, None, Parts::Nothing("attestation"));
        }
        let config = manifest.config.unwrap_or_default();
        if !CONFIGS.contains(&config.media_type.as_str()) {
            let detail = match config.media_type.as_str() {
                // Manifests of schema 1 have none.
                "" => format!(
                    "a manifest without a configuration ({}) is not read",
                    manifest.media_type.escape_debug()
                ),
                kind => format!("it is no image of files, its configuration is {}", kind.escape_debug()),
            };
            let refused = refusal(Reason::Unsupported, "artefact", detail);
            return self.push(descriptor, names, None, Parts::Refused(refused));
        }
        let digest = Digest::parse(&config.digest);
        let (platform, parts) = match self.config(&config) {
            Ok(config) => (Some(config.platform.into()), self.layers(manifest.layers.unwrap_or_default())),
            Err(refusal) => (None, Parts::Refused(refusal)),
        };
        self.push(descriptor, names, platform, parts);
        if let Some(image) = self.images.last_mut() {
            image.digests.extend(digest);
        }
    }

    fn push(&mut self, descriptor: &Descriptor, names: &[String], platform: Option<Platform>, parts: Parts) {
        let said = descriptor.platform.clone().map(Platform::from);
        let platform = said.or(platform).unwrap_or_default();
        let mut title = platform.to_string();
        if let Parts::Nothing(what) = &parts {
            title = (*what).to_owned();
        }
        let digest = Digest::parse(&descriptor.digest);
        let short = digest.as_ref().map(|digest| digest.short().to_owned());
        let shown = names.iter().map(|name| name.escape_debug().to_string());
        let id = shown.chain(short).collect::<Vec<_>>().join(", ");
        self.images.push(Image {
            title,
            id,
            names: names.to_vec(),
            digests: digest.into_iter().collect(),
            platform,
            parts,
        });
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Manifest, Refusal> {
        let bytes = self.blob(&descriptor.digest, "manifest")?;
        serde_json::from_slice(&bytes)
            .map_err(|error| refusal(Reason::Damaged, "manifest", format!("{}: {error}", descriptor.digest)))
    }

    fn config(&self, descriptor: &Descriptor) -> Result<Config, Refusal> {
        const WHAT: &str = "configuration of an image";
        let bytes = self.blob(&descriptor.digest, WHAT)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| refusal(Reason::Damaged, WHAT, format!("{}: {error}", descriptor.digest)))
    }

    /// A small blob, checked.
    fn blob(&self, digest: &str, what: &str) -> Result<Vec<u8>, Refusal> {
        let parsed = digest_of(digest, what)?;
        let path = self.store.path(&parsed);
        let manifest = format!("{path}.manifest.json");
        let path = if self.store.is_flat() && self.store.has(&manifest) { &manifest } else { &path };
        let bytes = self.store.read(path, limits::MANIFEST_BYTES);
        let bytes = bytes.map_err(|error| refusal(Reason::Damaged, what, format!("{digest}: {error}")))?;
        let bytes =
            bytes.ok_or_else(|| refusal(Reason::Incomplete, what, format!("{digest} is not there")))?;
        match parsed.is_of(&bytes) {
            true => Ok(bytes),
            false => Err(refusal(Reason::Damaged, what, format!("{digest}: its bytes have another digest"))),
        }
    }

    fn layers(&self, descriptors: Vec<Descriptor>) -> Parts {
        let layers = descriptors.into_iter().map(|descriptor| layer(descriptor, self.store));
        match layers.collect::<Result<Vec<_>, _>>() {
            Ok(layers) => Parts::Layers(layers),
            Err(refusal) => Parts::Refused(refusal),
        }
    }
}

fn digest_of(text: &str, what: &str) -> Result<Digest, Refusal> {
    Digest::parse(text).ok_or_else(|| {
        let detail = format!("{:?} is no digest; sha256:… or sha512:… is one", text);
        refusal(Reason::Damaged, what, detail)
    })
}

fn layer(descriptor: Descriptor, store: &Store) -> Result<Layer, Refusal> {
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
    Ok(Layer { path: store.path(&digest), expected, urls: descriptor.urls })
}
