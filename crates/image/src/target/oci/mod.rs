//! Container images: layouts of the Open Container Initiative, as a folder or as a tar archive, and the archives that
//! `docker save` writes. Each image is a volume; its layers are merged.
//!
//! Every blob is checked against the digest that it is named by: an image whose bytes are others is refused, not read in
//! part.

mod docker;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod image;
mod layout;
mod manifest;
mod store;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, io, path::Path};

use super::{OpenError, Opened, Options, TargetKind};
use crate::{
    file_system::layers::unpack::{Packing, Scratch},
    limits,
    volume::{Content, Reason, Refusal, Volume},
};
use image::{Images, Platform};
use store::Store;

/// How long a block of a tar archive is.
const BLOCK: usize = 512;

/// Whether a target is opened by [`open`]: a folder with the files of a layout, or a file whose first bytes are those of
/// a tar archive, also a compressed one. `head` has at least the first 512 bytes of a file, when it has so many; for a
/// folder it is empty.
#[must_use]
pub fn recognises(path: &Path, head: &[u8]) -> bool {
    if path.is_dir() {
        return path.join("index.json").is_file() && path.join("oci-layout").is_file();
    }
    match Packing::of(head) {
        Packing::None => is_tar(head),
        Packing::Gzip => is_tar(&first_block(flate2::bufread::GzDecoder::new(head))),
        Packing::Zstd => {
            zstd::stream::read::Decoder::with_buffer(head).is_ok_and(|decoder| is_tar(&first_block(decoder)))
        }
        Packing::Other(_) => false,
    }
}

/// The magic number of every tar since 1988; engines write no other.
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// As much of the first block as the head has.
fn first_block(unpacked: impl io::Read) -> Vec<u8> {
    use io::Read;
    let mut block = Vec::with_capacity(BLOCK);
    // What ends too early was cut off with the head.
    let _ = unpacked.take(BLOCK as u64).read_to_end(&mut block);
    block
}

/// Opens the images of a layout or an archive.
///
/// # Errors
/// See [`OpenError`]. Images that cannot be read are no error: they are volumes with a [`Refusal`].
pub fn open(path: &Path, options: &Options) -> Result<Opened, OpenError> {
    let refused = |refusal| OpenError::Refused { path: path.to_owned(), refusal };
    let wanted = match &options.platform {
        Some(text) => Some(Platform::parse(text).ok_or_else(|| refused(no_platform(text)))?),
        None => None,
    };
    let mut scratch = Scratch::new(options.scratch.clone());
    let store = Store::open(path, &mut scratch)?;
    images(&store, scratch, wanted.as_ref()).map_err(refused)
}

/// Reads the images for a platform, or all of them.
fn images(store: &Store, scratch: Scratch, wanted: Option<&Platform>) -> Result<Opened, Refusal> {
    let (kind, found) = match store.read("/manifest.json", limits::MANIFEST_BYTES) {
        Ok(Some(manifest)) if docker::is_manifest(&manifest) => {
            (TargetKind::Docker, docker::images(store, &manifest))
        }
        _ => (TargetKind::Oci, layout::images(store)),
    };
    let mut found = found?;
    if let Some(wanted) = wanted {
        let there: BTreeSet<String> = found.iter().map(|image| image.platform.to_string()).collect();
        found.retain(|image| wanted.takes(&image.platform));
        if found.is_empty() {
            return Err(not_there(wanted, &there));
        }
    }
    if found.is_empty() {
        return Err(refusal(Reason::Incomplete, "container image", "its index names no image"));
    }
    let mut left_out = store.left_out();
    if found.len() > limits::VOLUMES {
        left_out.push(format!("only the first {} of {} images are read", limits::VOLUMES, found.len()));
        found.truncate(limits::VOLUMES);
    }
    let mut images = Images::new(store, scratch);
    let mut volumes: Vec<Volume> = Vec::new();
    for image in found {
        let (content, size) = images.read(&image);
        let mut place = format!("image {}", image.name);
        if volumes.iter().any(|volume| volume.place == place) {
            place = format!("image {} ({})", image.name, image.id);
        }
        volumes.push(Volume {
            place,
            size,
            partition_uuid: String::new(),
            partition_label: String::new(),
            content,
        });
    }
    let size = volumes.iter().fold(0_u64, |sum, volume| sum.saturating_add(volume.size));
    Ok(Opened { kind, size, volumes, notes: Vec::new(), left_out })
}

fn no_platform(text: &str) -> Refusal {
    Refusal {
        reason: Reason::Unsupported,
        what: "platform".to_owned(),
        detail: format!(
            "{text:?} is none: os/architecture or os/architecture/variant, such as linux/arm64/v8"
        ),
    }
}

fn not_there(wanted: &Platform, there: &BTreeSet<String>) -> Refusal {
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    Refusal {
        reason: Reason::Incomplete,
        what: format!("image for {wanted}"),
        detail: format!("there is none; there are: {}", there.join(", ")),
    }
}

/// A content that says why there is none.
fn refusal(reason: Reason, what: impl Into<String>, detail: impl Into<String>) -> Refusal {
    Refusal { reason, what: what.into(), detail: detail.into() }
}

/// The same as what a volume holds.
fn refused(refusal: Refusal) -> Content {
    Content::Refused(refusal)
}
