//! What an archive or a folder holds, by the files in its root.

use std::sync::Arc;

use super::{docker, refusal, store::Store};
use crate::{
    block::container,
    file_system::{ReadError, layers::Layers},
    limits,
    volume::{self, Reason, Refusal},
};

/// What it holds.
pub(super) enum Holds {
    /// What `docker save` writes; its manifest.
    Saved(Vec<u8>),
    /// The layout of the Open Container Initiative, or the folder of an image.
    Layout,
    /// Neither: the files of a system or of a program, and how long the archive is, in bytes.
    Files(Arc<Layers>, u64),
}

/// What a store holds.
///
/// # Errors
/// Something that is no image, and would be no files of a system either: nothing would be found in it.
pub(super) fn holds(store: &Store) -> Result<Holds, Refusal> {
    if store.is_flat() {
        return Ok(Holds::Layout);
    }
    if let Ok(Some(manifest)) = store.read("/manifest.json", limits::MANIFEST_BYTES)
        && docker::is_manifest(&manifest)
    {
        return Ok(Holds::Saved(manifest));
    }
    let Some((files, length)) = store.files() else { return Ok(Holds::Layout) };
    if store.has("/oci-layout") || is_index(store) {
        return Ok(Holds::Layout);
    }
    if store.has("/repositories") {
        let detail =
            "it is what docker save wrote before version 1.10; docker load and docker save make a newer one";
        return Err(refusal(Reason::Unsupported, "container image", detail));
    }
    // One folder in which everything lies.
    if let Ok([folder]) = store.names(2).as_deref() {
        let name = folder.escape_ascii();
        let has = |file| store.has(&format!("/{name}/{file}"));
        if has("oci-layout") || has("manifest.json") && has("repositories") {
            let detail = format!(
                "it lies in the folder {name} of the archive and not in its root; unpack it, and scan the folder"
            );
            return Err(refusal(Reason::Unsupported, "container image", detail));
        }
    }
    if let Some(disk) = disk(store) {
        let detail = format!("it holds no system, but the disk {disk:?}; take it out, and scan that");
        return Err(refusal(Reason::Unsupported, "tar archive", detail));
    }
    Ok(Holds::Files(files, length))
}

/// How many files an archive of disks may have; such have a handful.
const DISKS: usize = 16;

/// A disk in an archive that has nothing but a few files, and so no system: it would look like a system without packages.
fn disk(store: &Store) -> Option<String> {
    let names = store.names(DISKS + 1).ok()?;
    if names.len() > DISKS {
        return None;
    }
    let mut found = None;
    for name in names {
        let name = String::from_utf8(name).ok()?;
        let is_disk = match store.blob(&format!("/{name}")) {
            Ok(Some(bytes)) => {
                container::is_container(bytes.as_ref()).unwrap_or(false) || volume::is_disk(&bytes)
            }
            // With holes.
            Err(ReadError::Unsupported(_)) => true,
            Ok(None) | Err(_) => return None,
        };
        if found.is_none() && is_disk {
            found = Some(name);
        }
    }
    found
}

/// Whether the index is one: old programs wrote no file `oci-layout`, and a web page may have an `index.json` as well.
pub(super) fn is_index(store: &Store) -> bool {
    let Ok(Some(index)) = store.read("/index.json", limits::MANIFEST_BYTES) else { return false };
    serde_json::from_slice::<serde_json::Value>(&index).is_ok_and(|index| index.get("manifests").is_some())
}
