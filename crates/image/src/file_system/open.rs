//! Opens the file system of a volume whose kind is known.

use std::sync::Arc;

use super::{FileSystem, ReadError, btrfs, disk::Disk, ext, fat, ntfs, squashfs, xfs};
use crate::{
    block::BlockRead,
    volume::{Reason, Refusal},
};

/// Kinds of file systems on disks, as their heads tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// ext2, ext3, ext4.
    Ext,
    /// XFS.
    Xfs,
    /// btrfs.
    Btrfs,
    /// NTFS.
    Ntfs,
    /// FAT12, FAT16, FAT32, exFAT.
    Fat,
    /// squashfs.
    Squashfs,
}

impl Kind {
    /// The word for it in a refusal.
    fn word(self) -> &'static str {
        match self {
            Self::Ext => "ext",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Ntfs => "ntfs",
            Self::Fat => "fat",
            Self::Squashfs => "squashfs",
        }
    }
}

/// Opens a file system. A journal or log that holds changes is replayed in memory.
///
/// # Errors
/// [`Reason::Unsupported`] names the feature that is not read, [`Reason::Incomplete`] says how many devices are missing,
/// [`Reason::Damaged`] what contradicts itself.
pub fn open(kind: Kind, disk: Arc<dyn BlockRead>) -> Result<Arc<dyn FileSystem>, Refusal> {
    let disk = Disk::new(disk);
    match kind {
        Kind::Ext => ext::open(disk),
        Kind::Xfs => xfs::open(disk),
        Kind::Btrfs => return open_btrfs(vec![disk.into_inner()]),
        Kind::Ntfs => ntfs::open(disk),
        Kind::Fat => fat::open(disk),
        Kind::Squashfs => squashfs::open(disk),
    }
    .map_err(|error| refusal(kind, error))
}

/// Opens a btrfs, which may lie on several devices; their order does not matter.
///
/// # Errors
/// See [`open`].
pub fn open_btrfs(devices: Vec<Arc<dyn BlockRead>>) -> Result<Arc<dyn FileSystem>, Refusal> {
    btrfs::open(devices).map_err(|error| match error {
        btrfs::OpenError::Incomplete(detail) => {
            Refusal { reason: Reason::Incomplete, what: "btrfs on several devices".into(), detail }
        }
        btrfs::OpenError::Read(error) => refusal(Kind::Btrfs, error),
    })
}

fn refusal(kind: Kind, error: ReadError) -> Refusal {
    let reason = match error {
        ReadError::Unsupported(_) => Reason::Unsupported,
        ReadError::Limit { .. } => Reason::Limit,
        ReadError::NotFound(_) | ReadError::Damaged(_) | ReadError::Io(_) => Reason::Damaged,
    };
    Refusal { reason, what: kind.word().into(), detail: error.to_string() }
}
