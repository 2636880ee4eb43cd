//! Container images: layouts of the Open Container Initiative and archives as `docker save` writes them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{run, try_run};

/// A layout that is being written. Blobs are named by their digests, nothing is checked.
#[derive(Debug)]
pub struct Layout {
    folder: PathBuf,
}

/// The kind of a layer that is not compressed; `+gzip` and `+zstd` come behind it.
pub const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Layout {
    /// Begins a layout in an empty folder.
    ///
    /// # Panics
    /// When the folder cannot be written to.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).expect("a folder to write to");
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
            .expect("a folder to write to");
        Self { folder: folder.to_owned() }
    }

    /// Writes a blob, and returns its descriptor, with further fields (`,"platform":…`).
    ///
    /// # Panics
    /// When the folder cannot be written to.
    #[must_use]
    pub fn blob(&self, kind: &str, bytes: &[u8], more: &str) -> String {
        let digest = digest(bytes);
        fs::write(self.folder.join("blobs/sha256").join(&digest), bytes).expect("a folder to write to");
        let size = bytes.len();
        format!(r#"{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{size}{more}}}"#)
    }

    /// Writes an image of these layers, given by kind, bytes and bytes before they were packed. Returns the descriptor
    /// of its manifest, which says the platform, with further fields.
    ///
    /// # Panics
    /// When the folder cannot be written to.
    #[must_use]
    pub fn image(&self, platform: &str, layers: &[(&str, Vec<u8>, Vec<u8>)], more: &str) -> String {
        let layers: Vec<(String, String)> = layers
            .iter()
            .map(|(kind, packed, unpacked)| {
                (self.blob(kind, packed, ""), format!(r#""sha256:{}""#, digest(unpacked)))
            })
            .collect();
        let (descriptors, digests): (Vec<String>, Vec<String>) = layers.into_iter().unzip();
        let config = self.blob(CONFIG, config(platform, &digests).as_bytes(), "");
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{}]}}"#,
            descriptors.join(",")
        );
        let platform = format!(r#","platform":{{{}}}{more}"#, platform_fields(platform));
        self.blob(MANIFEST, manifest.as_bytes(), &platform)
    }

    /// Writes an index as a blob, and returns its descriptor.
    ///
    /// # Panics
    /// When the folder cannot be written to.
    #[must_use]
    pub fn inner_index(&self, descriptors: &[String]) -> String {
        self.blob(INDEX, index(descriptors).as_bytes(), "")
    }

    /// Writes the index of the layout.
    ///
    /// # Panics
    /// When the folder cannot be written to.
    pub fn finish(&self, descriptors: &[String]) {
        fs::write(self.folder.join("index.json"), index(descriptors)).expect("a folder to write to");
    }
}

fn index(descriptors: &[String]) -> String {
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, descriptors.join(","))
}

/// The configuration of an image; the digests in quotation marks.
#[must_use]
pub fn config(platform: &str, digests: &[String]) -> String {
    let (fields, digests) = (platform_fields(platform), digests.join(","));
    format!(r#"{{{fields},"rootfs":{{"type":"layers","diff_ids":[{digests}]}}}}"#)
}

fn platform_fields(platform: &str) -> String {
    let names = ["os", "architecture", "variant"];
    let fields: Vec<String> =
        names.iter().zip(platform.split('/')).map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
    fields.join(",")
}

/// The SHA-256 of some bytes in hexadecimal digits.
///
/// # Panics
/// Without `sha256sum`.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let output = try_run("sha256sum", &["-"], bytes).unwrap_or_else(|error| panic!("{error}"));
    output.split(' ').next().unwrap_or_default().to_owned()
}

/// Packs what is in a folder into a tar archive.
///
/// # Panics
/// When `tar` fails.
pub fn tar(folder: &Path, archive: &Path) {
    let (folder, archive) = (folder.display().to_string(), archive.display().to_string());
    let names = ["--owner=0", "--group=0", "--sort=name", "-C", &folder, "-cf", &archive, "."];
    run("tar", &names);
}
