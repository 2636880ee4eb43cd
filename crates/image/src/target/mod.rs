//! Opening what the user names.

mod disk;
mod folder;
mod oci;
mod ova;
mod probe;

#[cfg(any(test, fuzzing))]
pub use oci::fuzzing;
pub use oci::{Listed, images};
pub use probe::{Probed, probe};

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use crate::limits;
use crate::{
    block::{BlockRead, FileDisk},
    tree::{self, System},
    volume::{Refusal, Volume},
};

/// How much of a file is looked at to tell what it is: enough of a compressed archive for its first block.
const HEAD: usize = 64 * 1024;

/// How a target is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Files besides the target that it may refer to: backing files, extents, further disks of a volume group, or of a
    /// btrfs. A reference to anything else is refused.
    pub also: Vec<PathBuf>,
    /// Which image of an index with several platforms is taken, as `os/architecture[/variant]`; all of them without.
    pub platform: Option<String>,
    /// Which of several images is taken: its name, the end of its name behind a `/`, or the beginning of its digest; all
    /// of them without.
    pub image: Option<String>,
    /// How many layers are unpacked at once; 0 is 1. Each takes up to [`limits::UNPACKING_MEMORY`] meanwhile.
    pub threads: usize,
    /// A folder for layers that have to be unpacked; the system's folder for temporary files without. What is put there
    /// has no name and is gone with the process.
    pub scratch: Option<PathBuf>,
}

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TargetKind {
    /// Bytes of a disk as they are: a file or a block device.
    Raw,
    /// QEMU.
    Qcow2,
    /// VMware.
    Vmdk,
    /// Virtual PC, Azure.
    Vhd,
    /// Hyper-V.
    Vhdx,
    /// `VirtualBox`.
    Vdi,
    /// An appliance of virtual machines: a tar archive with a description and disks.
    Ova,
    /// A folder or a tar archive in the layout of the Open Container Initiative.
    Oci,
    /// What `docker save` writes.
    Docker,
    /// A tar archive of other files, which is taken for the root of a system.
    Archive,
    /// A folder, which is taken for the root of a system.
    Folder,
}

/// An opened target.
#[derive(Debug)]
pub struct Opened {
    /// What it is.
    pub kind: TargetKind,
    /// How long it is as the guest sees it, in bytes; 0 for a folder.
    pub size: u64,
    /// Its parts, in their order on the disk.
    pub volumes: Vec<Volume>,
    /// Things to tell whoever reads the result: a damaged primary partition table, a backing file that was read.
    pub notes: Vec<String>,
    /// What is in it and is not read, and why, beside the volumes that are refused: sentences.
    pub left_out: Vec<String>,
}

impl Opened {
    /// The systems on it: each with its volumes put together, and each volume that belongs to none as a tree of its own.
    #[must_use]
    pub fn systems(&self) -> Vec<System> {
        tree::systems(&self.volumes)
    }
}

/// Why a target cannot be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system says why.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is not what can be read.
    #[error("{}: {refusal}", path.display())]
    Refused {
        /// Which file.
        path: PathBuf,
        /// Why.
        refusal: Refusal,
    },
}

/// Opens a target, read-only.
///
/// # Errors
/// See [`OpenError`]. Parts that cannot be read are no error: they are volumes with a [`Refusal`].
pub fn open(path: &Path, options: &Options) -> Result<Opened, OpenError> {
    let failed = |error| OpenError::Io { path: path.to_owned(), error };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        return match oci::recognises(path, b"") {
            true => oci::open(path, options),
            false => folder::open(path, options),
        };
    }
    let file = FileDisk::open(path).map_err(failed)?;
    let mut head = vec![0; usize::try_from(file.len()).unwrap_or(HEAD).min(HEAD)];
    file.read_at(0, &mut head).map_err(failed)?;
    let file = Arc::new(file);
    match ova::disks(&file, &head) {
        Some(disks) => {
            let refused = |refusal| OpenError::Refused { path: path.to_owned(), refusal };
            disk::open_all(path, &disks.map_err(refused)?, options)
        }
        None if oci::recognises(path, &head) => oci::open(path, options),
        None => disk::open(path, file, options),
    }
}
