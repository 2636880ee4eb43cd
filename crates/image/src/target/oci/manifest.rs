//! The JSON of images. What is not known is left out; what is missing is empty.

use serde::Deserialize;

/// An index, or a manifest: `mediaType` is not always there to tell them apart.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    #[serde(default)]
    pub media_type: String,
    /// Of an index.
    pub manifests: Option<Vec<Descriptor>>,
    /// Of a manifest.
    pub config: Option<Descriptor>,
    pub layers: Option<Vec<Descriptor>>,
}

/// What names a blob.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Descriptor {
    pub media_type: String,
    pub digest: String,
    pub urls: Vec<String>,
    pub platform: Option<PlatformFields>,
    pub annotations: Annotations,
    pub artifact_type: String,
}

/// The annotations that matter here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Annotations {
    #[serde(rename = "org.opencontainers.image.ref.name")]
    name: String,
    /// The whole name, where Docker and containerd wrote the layout: the other one is its tag then.
    #[serde(rename = "io.containerd.image.name")]
    full_name: String,
    #[serde(rename = "vnd.docker.reference.type")]
    pub reference_type: String,
}

impl Annotations {
    /// What the image is called.
    pub fn name(&self) -> Option<String> {
        [&self.full_name, &self.name].into_iter().find(|name| !name.is_empty()).cloned()
    }
}

/// For which machines an image is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PlatformFields {
    pub os: String,
    pub architecture: String,
    pub variant: String,
}

/// The configuration of an image.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    #[serde(flatten)]
    pub platform: PlatformFields,
    pub rootfs: RootFs,
}

/// The digests of unpacked layers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RootFs {
    pub diff_ids: Vec<String>,
}

/// An image in the `manifest.json` of Docker.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    pub config: String,
    #[serde(default)]
    pub repo_tags: Option<Vec<String>>,
    #[serde(default)]
    pub layers: Option<Vec<String>>,
}
