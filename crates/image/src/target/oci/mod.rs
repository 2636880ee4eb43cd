//! Container images: layouts of the Open Container Initiative, as a folder or as a tar archive, and the archives that
//! `docker save` writes. Each image is a volume; its layers are merged. An archive of other files is one volume: what
//! `docker export` writes, the root file system of a distribution.
//!
//! Every blob is checked against the digest that it is named by: an image whose bytes are others is refused, not read in
//! part.

mod docker;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod holds;
mod image;
mod layers;
mod layout;
mod listed;
mod manifest;
mod store;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, io, path::Path, sync::Arc};

use super::{OpenError, Opened, Options, TargetKind};
use crate::{
    file_system::layers::{
        Layers as Files, is_header,
        unpack::{Packing, Scratch},
    },
    limits,
    volume::{Content, Reason, Refusal, Volume},
};
pub use listed::{Listed, images};

use holds::{Holds, holds};
use image::{Image, Platform};
use layers::Layers;
use store::Store;

/// How long a block of a tar archive is.
const BLOCK: usize = 512;

/// Whether a target is opened by [`open`]: a folder with the files of a layout, or a file whose first bytes are those of
/// a tar archive, also a compressed one. `head` has at least the first 512 bytes of a file, when it has so many; for a
/// folder it is empty.
#[must_use]
pub fn recognises(path: &Path, head: &[u8]) -> bool {
    if path.is_dir() {
        let is_layout = path.join("index.json").is_file() && path.join("oci-layout").is_file();
        return is_layout || store::is_flat(path);
    }
    match Packing::of(head) {
        Packing::None => is_header(head),
        Packing::Other(_) => false,
        packing => packing
            .unpacked(head)
            .is_some_and(|unpacked| unpacked.is_ok_and(|unpacked| is_header(&first_block(unpacked)))),
    }
}

/// As much of the first block as the head has.
fn first_block(unpacked: impl io::Read) -> Vec<u8> {
    use io::Read;
    let mut block = Vec::with_capacity(BLOCK);
    // What ends too early was cut off with the head.
    let _ = unpacked.take(BLOCK as u64).read_to_end(&mut block);
    block
}

/// Opens the images of a layout or an archive, or an archive of other files.
///
/// # Errors
/// See [`OpenError`]. Images that cannot be read are no error: they are volumes with a [`Refusal`].
pub fn open(path: &Path, options: &Options) -> Result<Opened, OpenError> {
    let refused = |refusal| OpenError::Refused { path: path.to_owned(), refusal };
    let scratch = Scratch::new(options.scratch.clone());
    let store = Store::open(path, &scratch)?;
    read(&store, &scratch, options).map_err(refused)
}

/// Reads the images that were asked for, or all of them.
fn read(store: &Store, scratch: &Scratch, options: &Options) -> Result<Opened, Refusal> {
    let wanted = match &options.platform {
        Some(text) => Some(Platform::parse(text).ok_or_else(|| no_platform(text))?),
        None => None,
    };
    let (kind, found) = match holds(store)? {
        Holds::Files(files, length) => return Ok(files_alone(files, length)),
        Holds::Saved(manifest) => (TargetKind::Docker, docker::images(store, &manifest)),
        Holds::Layout => (TargetKind::Oci, layout::images(store)),
    };
    let mut found = found?;
    let notes = absent(&found.absent);
    choose(&mut found.images, wanted.as_ref(), options.image.as_deref())?;
    let mut images = found.images;
    let mut left_out = store.left_out();
    if images.len() > limits::VOLUMES {
        left_out.push(format!("only the first {} of {} images are read", limits::VOLUMES, images.len()));
        images.truncate(limits::VOLUMES);
    }
    let layers = Layers::unpack(&images, store, scratch, options.threads);
    let mut volumes: Vec<Volume> = Vec::new();
    for image in images {
        let (content, size) = layers.merge(&image);
        let mut place = format!("image {}", image.title);
        if volumes.iter().any(|volume| volume.place == place) {
            place = format!("image {} ({})", image.title, image.id);
        }
        volumes.push(volume(place, size, content));
    }
    let size = volumes.iter().fold(0_u64, |sum, volume| sum.saturating_add(volume.size));
    Ok(Opened { kind, size, volumes, notes, left_out })
}

/// An archive of files, which is taken for the root of a system, as a folder is.
fn files_alone(files: Arc<Files>, size: u64) -> Opened {
    let volumes = vec![volume("archive".to_owned(), size, Content::Files(files))];
    Opened { kind: TargetKind::Archive, size, volumes, notes: Vec::new(), left_out: Vec::new() }
}

fn volume(place: String, size: u64, content: Content) -> Volume {
    Volume { place, size, partition_uuid: String::new(), partition_label: String::new(), content }
}

/// Leaves the images that were asked for.
fn choose(images: &mut Vec<Image>, platform: Option<&Platform>, name: Option<&str>) -> Result<(), Refusal> {
    if images.is_empty() {
        return Err(refusal(Reason::Incomplete, "container image", "its index names no image that is there"));
    }
    if let Some(name) = name {
        let there: BTreeSet<String> = images
            .iter()
            .flat_map(|image| [&image.title, &image.id])
            .filter(|name| !name.is_empty())
            .cloned()
            .collect();
        images.retain(|image| image.is_called(name));
        if images.is_empty() {
            return Err(not_there(&format!("image {name:?}"), &there));
        }
    }
    if let Some(platform) = platform {
        let there: BTreeSet<String> = images.iter().map(|image| image.platform.to_string()).collect();
        images.retain(|image| platform.takes(&image.platform));
        if images.is_empty() {
            return Err(not_there(&format!("image for {platform}"), &there));
        }
    }
    Ok(())
}

/// A note about images that an index names, and that are not there.
fn absent(platforms: &BTreeSet<String>) -> Vec<String> {
    let list = platforms.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    match list.as_str() {
        "" => Vec::new(),
        list => vec![format!("the index names images that are not there as well: {list}")],
    }
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

fn not_there(what: &str, there: &BTreeSet<String>) -> Refusal {
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    refusal(Reason::Incomplete, what, format!("there is none; there are: {}", there.join(", ")))
}

/// Why something is not read.
fn refusal(reason: Reason, what: impl Into<String>, detail: impl Into<String>) -> Refusal {
    Refusal { reason, what: what.into(), detail: detail.into() }
}
