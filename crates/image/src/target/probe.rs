//! What a file or a folder is, by a look at its head: for lists of what can be scanned. Nothing is unpacked, and of what
//! the head refers to only names are read.

use std::{fs, io, path::Path, sync::Arc};

use super::{TargetKind, oci};
use crate::{
    block::{BlockRead, FileDisk, container, read_up_to},
    file_system::layers::{is_header, unpack::Packing},
    volume,
};

/// How archives are called that are compressed. What is in them shows only when they are unpacked.
const PACKED: [&str; 6] = [".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.xz", ".txz"];

/// Where a block of a tar archive has the name of its file, from its beginning, and how long that may be.
const NAME: usize = 100;

/// What can be scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// What it is. A tar archive that is no appliance is [`TargetKind::Archive`], whatever it holds.
    pub kind: TargetKind,
    /// Other files that are needed to read it, as it names them: its backing file, its extents.
    pub refers_to: Vec<String>,
}

/// What can be scanned at a path; `None` where nothing is: a file of another kind, or a folder that is no layout of
/// images. A file in a form that is known and not read counts, so that a scan says so.
///
/// # Errors
/// What the system says.
pub fn probe(path: &Path) -> io::Result<Option<Probed>> {
    let found = |kind| Ok(Some(Probed { kind, refers_to: Vec::new() }));
    if fs::metadata(path)?.is_dir() {
        return if oci::recognises(path, b"") { found(TargetKind::Oci) } else { Ok(None) };
    }
    let file: Arc<dyn BlockRead> = Arc::new(FileDisk::open(path)?);
    let head = read_up_to(file.as_ref(), 0, 512)?;
    if is_header(&head) {
        let name = head.get(..NAME).and_then(|name| name.split(|&byte| byte == 0).next()).unwrap_or_default();
        let is_ova = name.to_ascii_lowercase().ends_with(b".ovf");
        return found(if is_ova { TargetKind::Ova } else { TargetKind::Archive });
    }
    if !matches!(Packing::of(&head), Packing::None) {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let is_archive = PACKED.iter().any(|ending| name.ends_with(ending));
        return if is_archive { found(TargetKind::Archive) } else { Ok(None) };
    }
    match container::kind(file.as_ref())? {
        Some(TargetKind::Raw) => {
            if volume::begins_like_disk(file.as_ref())? {
                found(TargetKind::Raw)
            } else {
                Ok(None)
            }
        }
        Some(kind) => {
            // Of a head that is damaged the scan says so.
            let refers_to = container::refers_to(file.as_ref(), kind).unwrap_or_default();
            let refers_to = refers_to.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
            Ok(Some(Probed { kind, refers_to }))
        }
        None => Ok(None),
    }
}
