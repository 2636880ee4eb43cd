//! What lies on a disk: partitions, logical volumes, and what each of them holds.

mod btrfs;
mod find;
pub(crate) mod lvm;
mod probe;
mod table;
#[cfg(test)]
mod tests;

use std::{fmt, io, sync::Arc};

use serde::{Deserialize, Serialize};

use self::probe::Probed;
use crate::{
    block::{BlockRead, read_up_to},
    file_system::FileSystem,
};

pub(crate) use find::find;

/// Whether bytes are a disk with something on it that is known: partitions, a file system, a physical volume.
pub(crate) fn is_disk(bytes: &Arc<dyn BlockRead>) -> bool {
    let found = find(&[(String::new(), Arc::clone(bytes))], &[]);
    let is_known = |volume: &Volume| matches!(volume.content, Content::Files(_) | Content::Parts(_));
    found.volumes.len() > 1 || found.volumes.iter().any(is_known)
}

/// Whether bytes begin like a disk: with a boot sector, a table of partitions, or something that lies on volumes. Opens
/// nothing, as [`is_disk`] does; swap and zeros are none.
///
/// # Errors
/// What the disk says.
pub(crate) fn begins_like_disk(disk: &dyn BlockRead) -> io::Result<bool> {
    /// The head of a GPT lies in the second sector, of which there are two lengths.
    const GPT: [usize; 2] = [512, 4096];
    let head = read_up_to(disk, 0, 8192)?;
    let has_table = |at: usize| head.get(at..).is_some_and(|rest| rest.starts_with(b"EFI PART"));
    if head.get(510..512) == Some(b"\x55\xaa") || GPT.into_iter().any(has_table) {
        return Ok(true);
    }
    Ok(matches!(probe::probe(disk)?, Probed::FileSystem(_) | Probed::Lvm | Probed::Refused(_)))
}

/// A part of the target, and what it holds.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Where it is, in the words of the field: `disk`, `partition 2`, `logical volume vg0/root`, `image linux/amd64`.
    pub place: String,
    /// How long it is, in bytes.
    pub size: u64,
    /// The unique id that its partition table gives it, as fstab writes it in `PARTUUID=`; empty without one.
    pub partition_uuid: String,
    /// The name that its partition table gives it, as fstab writes it in `PARTLABEL=`; empty without one.
    pub partition_label: String,
    /// What it holds.
    pub content: Content,
}

/// What a volume holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Files.
    Files(Arc<dyn FileSystem>),
    /// Something that was taken apart: its parts are volumes of their own. The word for it: `lvm2`,
    /// `extended`; `btrfs` for a further device of one.
    Parts(&'static str),
    /// Nothing to scan by its nature. The word for it: `swap`, `bios-boot`, `empty partition table`, `empty` (only zeros
    /// where every known file system has its head, and wherever else it was looked).
    Nothing(&'static str),
    /// There may be files, but they cannot be read. Always told, never taken for an empty volume.
    Refused(Refusal),
}

/// Why a volume, or a whole target, is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Which kind of reason.
    pub reason: Reason,
    /// What was met: `LUKS2`, `LVM2 thin pool`, `mdraid level 5`, `zfs`, `file system of unknown kind`.
    pub what: String,
    /// What to do, or what exactly is wrong, in a sentence.
    pub detail: String,
}

/// Kinds of reasons why something is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// Only its key opens it.
    Encrypted,
    /// Its kind is known and not read.
    Unsupported,
    /// Its kind is not known.
    Unknown,
    /// Its head contradicts itself, or what it refers to.
    Damaged,
    /// Parts of it lie on disks that were not given.
    Incomplete,
    /// A backing file or an extent in another file, which was not allowed.
    NotAllowed,
    /// It asks for more than its reader spends on it: see [`crate::limits`].
    Limit,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.detail)
    }
}
