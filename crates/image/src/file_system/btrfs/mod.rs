//! btrfs, on one or several devices, with zlib, LZO and Zstandard: a reader of our own. It keeps the trees in one bounded
//! cache for all threads, goes through folders item by item, and finds a name by its checksum.
//!
//! Subvolumes are folders. What programs synchronised since the last commit is replayed in memory, as the kernel does it
//! when it mounts ([`log`]).

mod checksum;
mod chunk;
mod extents;
mod head;
mod items;
mod log;
mod pool;
mod reader;
mod subvolumes;
mod tree;
mod unpack;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use self::{
    head::Head,
    pool::{Device, Pool},
    reader::BtrfsReader,
    subvolumes::Subvolumes,
    tree::Nodes,
};
use super::{About, FileSystem, ReadError, Reader, disk::Disk, names::uuid};
use crate::{FilePath, block::BlockRead};

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
    about: About,
    default_folder: FilePath,
}

/// What all threads read through.
struct Shared {
    nodes: Nodes,
    subvolumes: Subvolumes,
    /// The unit of extents, in bytes.
    sector: u32,
}

impl fmt::Debug for Btrfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Btrfs").field("about", &self.about).finish_non_exhaustive()
    }
}

/// Which device of a btrfs a disk is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    /// Of the file system.
    pub uuid: [u8; 16],
    /// Of the device, within the file system.
    pub id: u64,
    /// How many devices there are.
    pub devices: u64,
}

/// Looks which device a disk is; `None` when its superblock cannot be read.
pub(crate) fn member(disk: &Arc<dyn BlockRead>) -> Option<Member> {
    let (head, _) = Head::read(&Disk::new(Arc::clone(disk))).ok()?;
    Some(Member { uuid: head.uuid, id: head.device, devices: head.devices })
}

/// Opens a btrfs. Where devices are missing, what lies on the others is read.
pub(super) fn open(disks: Vec<Arc<dyn BlockRead>>) -> Result<Arc<dyn FileSystem>, OpenError> {
    let (mut notes, mut left_out) = (Vec::new(), Vec::new());
    let (head, devices) = devices(disks, &mut notes)?;
    let there = devices.len() as u64;
    let pool = Pool::new(devices, &head.system_chunks)?;
    let mut nodes = Nodes::new(pool, head.checksum, head.node, head.metadata_uuid);
    let read = Pool::load(&mut nodes, head.chunk_root).and_then(|()| Subvolumes::read(&nodes, head.root));
    let missing = nodes.pool.missing();
    let absent = (there < head.devices || !missing.is_empty()).then(|| absent(&missing, there, head.devices));
    let mut subvolumes = match (read, absent) {
        (Err(error), Some(absent)) => return Err(OpenError::Incomplete(format!("{absent} ({error})"))),
        (Err(error), None) => return Err(error.into()),
        (Ok(subvolumes), absent) => {
            match absent {
                Some(absent) if nodes.pool.is_whole() => {
                    notes.push(format!("{absent}; these have copies of all"))
                }
                Some(absent) => left_out.push(format!("{absent}; what lies there alone is not read")),
                None => {}
            }
            subvolumes
        }
    };
    notes.extend(nodes.pool.stale().map(|id| {
        format!("device {id} was away when the others were written last; it is read where they have no copy")
    }));
    if let Some(logs) = head.log {
        left_out.extend(log::replay(&nodes, logs, &mut subvolumes));
        if subvolumes.list.iter().any(|subvolume| subvolume.changes.is_some()) {
            notes.push("the log trees held changes; they were replayed in memory".to_owned());
        }
    }
    let default_folder = subvolumes.default_folder(&nodes, head.root).unwrap_or_else(|error| {
        notes.push(format!("the default subvolume is not known: {error}"));
        FilePath::root()
    });
    Ok(Arc::new(Btrfs {
        about: About { label: head.label, uuid: uuid(&head.uuid), notes, left_out },
        default_folder,
        shared: Arc::new(Shared { nodes, subvolumes, sector: head.sector }),
    }))
}

/// The devices by their ids, and the newest of their superblocks.
fn devices(
    disks: Vec<Arc<dyn BlockRead>>,
    notes: &mut Vec<String>,
) -> Result<(Head, BTreeMap<u64, Device>), ReadError> {
    let mut devices = BTreeMap::new();
    let mut newest: Option<Head> = None;
    for disk in disks {
        let disk = Disk::new(disk);
        let (head, note) = Head::read(&disk)?;
        notes.extend(note);
        if newest.as_ref().is_some_and(|newest| newest.uuid != head.uuid) {
            return Err(ReadError::Damaged("its devices belong to different file systems".into()));
        }
        devices.entry(head.device).or_insert(Device { disk, generation: head.generation });
        if newest.as_ref().is_none_or(|newest| newest.generation < head.generation) {
            newest = Some(head);
        }
    }
    Ok((newest.ok_or(ReadError::NotFound("device"))?, devices))
}

/// Which devices are missing, and what to do.
fn absent(missing: &BTreeSet<u64>, there: u64, devices: u64) -> String {
    let ids: Vec<String> = missing.iter().take(16).map(u64::to_string).collect();
    let which =
        if ids.is_empty() { String::new() } else { format!(": device {} is missing", ids.join(", ")) };
    format!("it lies on {devices} devices, of which {there} are there{which}; give the others with --also")
}

impl FileSystem for Btrfs {
    fn kind(&self) -> &'static str {
        "btrfs"
    }

    fn about(&self) -> &About {
        &self.about
    }

    fn default_folder(&self) -> FilePath {
        self.default_folder.clone()
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(BtrfsReader::new(self.shared.clone())))
    }
}
