//! btrfs: the crate `rust-fs-btrfs` behind our traits, with zlib, LZO and Zstandard, on one or several devices.
//!
//! Subvolumes are folders. A log tree (what programs synchronised since the last commit) is not replayed: the file
//! system is read as its last commit left it, which is whole, and a note says so.

mod head;
mod reader;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use fs_btrfs::{Error, Filesystem, superblock};

use self::{
    head::{Reference, WithoutLog},
    reader::BtrfsReader,
};
use super::{FileSystem, ReadError, Reader, disk::Disk, guard::guarded, names::uuid};
use crate::{FilePath, block::BlockRead};

/// The subvolume that all others lie in.
const TOP: u64 = 5;

/// How many subvolumes are read: their number shares 64 bits with the inode.
const SUBVOLUMES: usize = 0xfffe;

/// Subvolumes that are kept open: each has a cache of up to 16 MiB.
const KEPT: usize = 3;

/// Why a btrfs is not opened.
pub(super) enum OpenError {
    /// Devices are missing.
    Incomplete(String),
    /// Anything else.
    Read(ReadError),
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

struct Btrfs {
    shared: Arc<Shared>,
    label: String,
    uuid: String,
    notes: Vec<String>,
    default_folder: FilePath,
}

/// What all threads read through.
struct Shared {
    top: Arc<Filesystem>,
    /// By id: where the root of its tree lies.
    subvolumes: Vec<(u64, u64)>,
    /// Where subvolumes lie in each other.
    references: Vec<Reference>,
    /// Used last at the end.
    open: Mutex<Vec<(u64, Arc<Filesystem>)>>,
}

impl fmt::Debug for Btrfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Btrfs").field("label", &self.label).field("uuid", &self.uuid).finish_non_exhaustive()
    }
}

pub(super) fn open(devices: Vec<Arc<dyn BlockRead>>) -> Result<Arc<dyn FileSystem>, OpenError> {
    let mut notes = Vec::new();
    let mut pool: Vec<Arc<dyn fs_core::BlockRead>> = Vec::new();
    let given = devices.len() as u64;
    let mut head = None;
    for device in devices {
        let disk = Disk::new(device);
        let (found, _) = guarded("btrfs", || superblock::read_superblock(&disk).map_err(read_error))?;
        let has_log = found.log_root != 0;
        if has_log && notes.is_empty() {
            notes.push(
                "the log tree is not replayed: files are as the last commit left them, at most seconds older"
                    .to_owned(),
            );
        }
        pool.push(if has_log { Arc::new(WithoutLog::new(disk)?) } else { Arc::new(disk) });
        head = Some(found);
    }
    let head = head.ok_or(ReadError::NotFound("device"))?;
    if given < head.num_devices {
        return Err(OpenError::Incomplete(format!(
            "it lies on {} devices, of which {given} are there; give the others too",
            head.num_devices
        )));
    }
    let top = guarded("btrfs", || {
        match <[_; 1]>::try_from(pool) {
            Ok([device]) => Filesystem::mount(device),
            Err(pool) => Filesystem::mount_pool(pool),
        }
        .map_err(read_error)
    })?;
    let subvolumes = guarded("btrfs", || top.subvolumes().map_err(read_error))?;
    if subvolumes.len() > SUBVOLUMES {
        return Err(ReadError::Limit { what: "subvolumes", limit: SUBVOLUMES as u64 }.into());
    }
    let items = guarded("btrfs", || top.root_tree_items().map_err(read_error))?;
    let references = head::references(&items);
    let default_folder = head::default_folder(&top, &items, &references).unwrap_or_else(|_| FilePath::root());
    Ok(Arc::new(Btrfs {
        label: head.label.clone(),
        uuid: uuid(&head.fsid),
        notes,
        default_folder,
        shared: Arc::new(Shared {
            top: Arc::new(top),
            subvolumes: subvolumes.iter().map(|subvolume| (subvolume.id, subvolume.bytenr)).collect(),
            references,
            open: Mutex::default(),
        }),
    }))
}

impl FileSystem for Btrfs {
    fn kind(&self) -> &'static str {
        "btrfs"
    }

    fn label(&self) -> &str {
        &self.label
    }

    fn uuid(&self) -> &str {
        &self.uuid
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn default_folder(&self) -> FilePath {
        self.default_folder.clone()
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(BtrfsReader::new(self.shared.clone())))
    }
}

impl Shared {
    /// Whether an entry of a folder leads to a subvolume. A snapshot has the entries of the subvolumes in what it is a
    /// snapshot of, but not the subvolumes.
    fn has_subvolume(&self, position: u64, folder: u64, id: u64, name: &[u8]) -> bool {
        let parent = usize::try_from(position).ok().and_then(|at| self.subvolumes.get(at));
        self.references.iter().find(|reference| reference.child == id).is_some_and(|found| {
            parent.is_some_and(|&(parent, _)| parent == found.parent)
                && found.folder == folder
                && found.name == name
        })
    }

    /// Which one of [`Self::subvolumes`] has an id.
    fn position(&self, id: u64) -> Option<u64> {
        self.subvolumes.iter().position(|&(found, _)| found == id).map(|at| at as u64)
    }

    /// The tree of a subvolume, by its position.
    fn tree(&self, position: u64) -> Result<Arc<Filesystem>, ReadError> {
        let at = usize::try_from(position).ok().and_then(|at| self.subvolumes.get(at));
        let &(id, root) = at.ok_or(ReadError::NotFound("subvolume"))?;
        if id == TOP {
            return Ok(self.top.clone());
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|(found, _)| *found == id) {
            let entry = open.remove(at);
            open.push(entry.clone());
            return Ok(entry.1);
        }
        let tree = guarded("btrfs", || self.top.open_subvolume_at(root).map_err(read_error))?;
        let tree = Arc::new(tree);
        if open.len() >= KEPT {
            open.remove(0);
        }
        open.push((id, tree.clone()));
        Ok(tree)
    }
}

fn read_error(error: Error) -> ReadError {
    match error {
        Error::NotFound => ReadError::NotFound("file"),
        Error::NotADirectory => ReadError::NotFound("folder"),
        Error::NotAFile => ReadError::NotFound("file"),
        Error::UnsupportedFeature(_)
        | Error::UnsupportedChecksum(_)
        | Error::UnsupportedProfile(_)
        | Error::DirtyLog => ReadError::Unsupported(error.to_string()),
        Error::Io(text) => ReadError::Io(std::io::Error::other(text)),
        error => ReadError::Damaged(error.to_string()),
    }
}
