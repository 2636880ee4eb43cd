//! Reading arbitrary disks, for the fuzz targets and for the properties that do the same within bounds.

use std::{
    collections::BTreeMap,
    io,
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    block::{
        BlockRead, Cache,
        container::{self, Allowed},
    },
    file_system::{self, FileKind, Kind, Place, Reader},
    tree,
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

/// A disk whose sectors of zeros are left out: what a fuzzer changes is as short as what is on the disk.
#[derive(Debug)]
pub struct Sparse {
    length: u64,
    sectors: BTreeMap<u64, [u8; SECTOR]>,
    reads: AtomicU64,
}

/// Of [`Sparse`], in bytes.
pub const SECTOR: usize = 512;

/// How long [`Sparse`] may be: disks of that length exist.
const LONGEST: u64 = 1 << 40;

/// So many reads of a disk as small as these are an endless loop.
const READS: u64 = 500_000;

impl Sparse {
    /// From its length in eight bytes, and its sectors, each behind its number in four; the low byte comes first.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let length = u64::from_le_bytes(*length).min(LONGEST);
        let sectors = rest.chunks(4 + SECTOR).filter_map(|sector| {
            let (number, bytes) = sector.split_first_chunk()?;
            let mut sector = [0; SECTOR];
            sector.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            Some((u64::from(u32::from_le_bytes(*number)), sector))
        });
        Some(Self { length, sectors: sectors.collect(), reads: AtomicU64::new(0) })
    }

    /// What [`Sparse::decode`] makes a disk of these bytes of.
    #[must_use]
    pub fn encode(disk: &[u8]) -> Vec<u8> {
        let mut bytes = (disk.len() as u64).to_le_bytes().to_vec();
        for (number, sector) in (0_u32..).zip(disk.chunks(SECTOR)) {
            if sector != &[0; SECTOR][..sector.len()] {
                bytes.extend_from_slice(&number.to_le_bytes());
                bytes.extend_from_slice(sector);
            }
        }
        bytes
    }
}

impl BlockRead for Sparse {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        assert!(self.reads.fetch_add(1, Ordering::Relaxed) < READS, "more than {READS} reads");
        assert!(buffer.len() <= 64 << 20, "a read of {} bytes", buffer.len());
        let end = offset.checked_add(buffer.len() as u64).filter(|&end| end <= self.length);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.fill(0);
        let sector = SECTOR as u64;
        for (number, bytes) in self.sectors.range(offset / sector..end.div_ceil(sector)) {
            let start = number * sector;
            let (from, to) = (start.max(offset), (start + sector).min(end));
            let places = (from - offset) as usize..(to - offset) as usize;
            buffer[places].copy_from_slice(&bytes[(from - start) as usize..(to - start) as usize]);
        }
        Ok(())
    }
}

/// Takes a file for a disk image of any kind, and reads here and there on the disk in it.
pub fn container(file: Arc<dyn BlockRead>) {
    let cache = Cache::new(1 << 20);
    if let Ok(container) = container::open(file, Path::new(""), &Allowed::default(), &cache) {
        read(container.disk.as_ref());
    }
}

/// Looks for what lies on a disk, and for the systems on it.
///
/// # Panics
/// When that is nothing: a disk without a table is a volume itself.
pub fn partitions(disk: &Arc<dyn BlockRead>) {
    let found = volume::find(&[(String::new(), Arc::clone(disk))], &[]);
    assert!(!found.volumes.is_empty(), "nothing looks like nothing");
    for system in tree::systems(&found.volumes) {
        let Ok(mut reader) = system.tree.reader() else { continue };
        let mut folders = vec![reader.root()];
        for _ in 0..100 {
            let Some(folder) = folders.pop() else { break };
            let _ = reader.read_folder(&folder, &mut |_, place| {
                folders.push(place);
                if folders.len() < 200 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
        }
    }
}

/// The kinds of file systems, in the order of the numbers that the seeds have.
pub const KINDS: [Kind; 6] = [Kind::Ext, Kind::Xfs, Kind::Btrfs, Kind::Ntfs, Kind::Fat, Kind::Squashfs];

/// Opens a file system on a disk, and reads all that is on it, whatever it is.
pub fn file_system(kind: Kind, disk: Arc<dyn BlockRead>) {
    let Ok(opened) = file_system::open(kind, disk) else { return };
    let _ = (opened.label(), opened.uuid(), opened.notes(), opened.default_folder());
    if let Ok(mut reader) = opened.reader() {
        read_files(reader.as_mut());
    }
}

fn read_files(reader: &mut dyn Reader) {
    let mut folders = vec![(reader.root(), 0)];
    let mut buffer = vec![0; 100_000];
    let mut left = 2000;
    while let Some((folder, depth)) = folders.pop() {
        let mut entries: Vec<Place> = Vec::new();
        let _ = reader.read_folder(&folder, &mut |entry| {
            assert!(!entry.name.is_empty() && !entry.name.contains(&b'/') && !entry.name.contains(&0));
            entries.push(Place { path: folder.path.join(entry.name), node: entry.node });
            if entries.len() < 2000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        for place in entries {
            left -= 1;
            if left == 0 {
                return;
            }
            let Ok(metadata) = reader.metadata(&place) else { continue };
            assert!(metadata.mode <= 0o7777);
            match metadata.kind {
                FileKind::Folder if depth < 30 => folders.push((place, depth + 1)),
                FileKind::Symlink => drop(reader.read_link(&place)),
                FileKind::File => {
                    for offset in
                        [0, 100_000, metadata.size / 2, metadata.size.saturating_sub(1), u64::MAX - 5]
                    {
                        let read = reader.read_at(&place, offset, &mut buffer).unwrap_or(0);
                        assert!(read <= buffer.len());
                    }
                }
                _ => {}
            }
        }
    }
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
