//! Reading arbitrary disks, for the fuzz targets and for the properties that do the same within bounds.

use std::{io, path::Path, sync::Arc};

use crate::{
    block::{
        BlockRead, Cache,
        container::{self, Allowed},
    },
    volume::{self, lvm},
};

/// A disk in memory.
#[derive(Debug)]
pub struct Memory(pub Vec<u8>);

impl BlockRead for Memory {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let bytes = usize::try_from(offset).ok().and_then(|at| self.0.get(at..)?.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Takes bytes for a disk image of any kind, and reads here and there on the disk in it.
pub fn container(bytes: &[u8]) {
    let file = Arc::new(Memory(bytes.to_vec()));
    let cache = Cache::new(1 << 20);
    if let Ok(container) = container::open(file, Path::new(""), &Allowed::default(), &cache) {
        read(container.disk.as_ref());
    }
}

/// Takes bytes for a disk, and looks for what lies on it.
///
/// # Panics
/// When that is nothing: a disk without a table is a volume itself.
pub fn partitions(bytes: &[u8]) {
    let found = volume::find(&(Arc::new(Memory(bytes.to_vec())) as Arc<dyn BlockRead>), &[]);
    assert!(!found.volumes.is_empty() || !found.notes.is_empty(), "nothing looks like nothing");
}

/// Takes bytes for the metadata of a group of logical volumes on one small disk, and reads here and there on them.
pub fn lvm(text: &[u8]) {
    let physical = lvm::PhysicalVolume {
        disk: Arc::new(Memory(vec![0; 1 << 20])),
        uuid: "0".repeat(32),
        text: Some(text.to_vec()),
        areas: 1,
        notes: Vec::new(),
    };
    for volume in lvm::assemble(&[physical]).volumes {
        if let lvm::LogicalContent::Disk(disk) = volume.content {
            read(disk.as_ref());
        }
    }
}

fn read(disk: &dyn BlockRead) {
    let mut buffer = vec![0; 70_000];
    let length = disk.len();
    for at in [0, 65_000, 1 << 20, length / 2, length.saturating_sub(70_000), length, u64::MAX - 10] {
        drop(disk.read_at(at, &mut buffer));
    }
}
