//! Appliances (OVA): tar archives of a description, whose name ends in `.ovf` and which comes first, and the disks of the
//! virtual machines that it describes. Standard: DSP0243 of the DMTF.

use std::sync::Arc;

use crate::{
    block::{BlockRead, FileDisk, Section},
    file_system::layers::{
        archive::{Archive, EntryKind},
        is_header,
    },
    volume::{Reason, Refusal},
};

/// What lies beside the disks: the description, the digests of all files, and who signed them.
const DESCRIPTIONS: [&[u8]; 3] = [b".ovf", b".mf", b".cert"];

/// How many files an archive may have; appliances have a handful.
const FILES: usize = 1024;

/// A file of the archive that may be a disk.
pub(super) struct Member {
    /// As the archive has it.
    pub(super) name: String,
    pub(super) bytes: Arc<dyn BlockRead>,
}

/// The files of an appliance that may be disks; `None` when the target is none. `head` is how the target begins.
pub(super) fn disks(file: &Arc<FileDisk>, head: &[u8]) -> Option<Result<Vec<Member>, Refusal>> {
    if !is_header(head) {
        return None;
    }
    let bytes = Arc::clone(file) as Arc<dyn BlockRead>;
    let mut archive = Archive::new(Arc::clone(&bytes));
    let first = archive.next().ok()??;
    if first.kind != EntryKind::File || !ends_with(&first.path, b".ovf") {
        return None;
    }
    Some(members(archive, &bytes))
}

fn members(mut archive: Archive, bytes: &Arc<dyn BlockRead>) -> Result<Vec<Member>, Refusal> {
    let refused = |reason, detail| Refusal { reason, what: "OVA".to_owned(), detail };
    let mut members = Vec::new();
    while let Some(entry) = archive.next().map_err(|error| refused(Reason::Damaged, error.to_string()))? {
        if entry.kind != EntryKind::File || DESCRIPTIONS.iter().any(|ending| ends_with(&entry.path, ending)) {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path).into_owned();
        if entry.sparse.is_some() {
            let detail =
                format!("{name:?} is kept with holes, as no appliance may; unpack it, and scan the disk");
            return Err(refused(Reason::Unsupported, detail));
        }
        if members.len() >= FILES {
            return Err(refused(Reason::Limit, format!("it has more than {FILES} files")));
        }
        let section = Section::new(Arc::clone(bytes), entry.data, entry.size);
        members.push(Member { name, bytes: Arc::new(section) });
    }
    if members.is_empty() {
        return Err(refused(Reason::Incomplete, "there is no disk in it".to_owned()));
    }
    Ok(members)
}

fn ends_with(path: &[u8], ending: &[u8]) -> bool {
    let at = path.len().checked_sub(ending.len());
    at.and_then(|at| path.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}
