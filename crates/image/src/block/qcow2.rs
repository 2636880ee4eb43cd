//! The disks of QEMU, versions 2 and 3: docs/interop/qcow2.rst of QEMU describes them.
//!
//! A disk is cut into clusters, or with "extended L2 entries" into 32 subclusters of each. Two levels of tables lead from
//! a cluster to a place in the file, to compressed bytes, to zeros, or to the backing file.

use std::{io, path::PathBuf, sync::Arc};

use super::{
    BlockRead, Cache, Cached, be32, be64, by_chunk,
    container::{Container, ContainerError, Context},
    damaged,
    inflate::{Compression, inflate},
    read_up_to,
};
use crate::{target::TargetKind, volume::Reason};

pub(super) const MAGIC: &[u8] = b"QFI\xfb";
const WHAT: &str = "qcow2 image";

/// Bits of the head's `incompatible_features`.
const DIRTY: u64 = 1;
const CORRUPT: u64 = 1 << 1;
const DATA_FILE: u64 = 1 << 2;
const COMPRESSION_TYPE: u64 = 1 << 3;
const EXTENDED_L2: u64 = 1 << 4;
const KNOWN_FEATURES: u64 = DIRTY | CORRUPT | DATA_FILE | COMPRESSION_TYPE | EXTENDED_L2;

/// Extensions of the head.
const EXTENSION_END: u32 = 0;
const EXTENSION_BACKING_FORMAT: u32 = 0xe279_2aca;
const EXTENSION_DATA_FILE: u32 = 0x4441_5441;

/// Bits of entries of both tables.
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
const COPIED: u64 = 1 << 63;
const COMPRESSED: u64 = 1 << 62;
const ZERO: u64 = 1;

/// The longest name of a backing file that the format allows, in bytes.
const LONGEST_NAME: u32 = 1023;

#[derive(Debug)]
struct Qcow2 {
    file: Arc<dyn BlockRead>,
    /// The same file; its small reads are kept.
    tables: Cached,
    /// Where clusters lie that are not compressed: the file, unless they are in one of their own.
    data: Arc<dyn BlockRead>,
    has_data_file: bool,
    backing: Option<Arc<dyn BlockRead>>,
    cache: Arc<Cache>,
    /// What inflated clusters are kept under.
    owner: u32,
    size: u64,
    version: u32,
    cluster_bits: u32,
    extended: bool,
    compression: Compression,
    l1: u64,
}

/// Where a cluster or subcluster is.
enum Place {
    At(u64),
    Compressed { offset: u64, length: usize },
    Zeros,
    Backing,
}

pub(super) fn open(file: Arc<dyn BlockRead>, context: &Context<'_>) -> Result<Container, ContainerError> {
    let head = read_up_to(file.as_ref(), 0, 112)?;
    let version = be32(&head, 4);
    if !matches!(version, 2 | 3) {
        let detail = format!("version {version} is not read; convert it with qemu-img convert -O qcow2");
        return Err(ContainerError::unsupported(WHAT, detail));
    }
    // Version 2 has none of the fields from byte 72 on.
    let is_new = version == 3;
    let features = if is_new { be64(&head, 72) } else { 0 };
    let (cluster_bits, size) = (be32(&head, 20), be64(&head, 24));
    match be32(&head, 32) {
        0 => {}
        method => {
            let method = if method == 2 { "LUKS" } else { "AES" };
            let detail = format!("its clusters are encrypted ({method}); decrypt it with qemu-img convert");
            return Err(ContainerError::refused(Reason::Encrypted, WHAT, detail));
        }
    }
    if features & !KNOWN_FEATURES != 0 {
        let detail = format!("its features {:#x} are not known", features & !KNOWN_FEATURES);
        return Err(ContainerError::unsupported(WHAT, detail));
    }
    if !(9..=21).contains(&cluster_bits) {
        return Err(ContainerError::damaged(
            WHAT,
            format!("clusters of 2^{cluster_bits} bytes; 2^9 to 2^21 would be right"),
        ));
    }
    let extended = features & EXTENDED_L2 != 0;
    let compression = match head.get(104) {
        Some(1) if features & COMPRESSION_TYPE != 0 => Compression::Zstd,
        Some(&other) if features & COMPRESSION_TYPE != 0 && other != 0 => {
            return Err(ContainerError::unsupported(WHAT, format!("compression {other} is not known")));
        }
        _ => Compression::Deflate,
    };
    let l1 = be64(&head, 40);
    check_l1(be32(&head, 36), l1, size, cluster_bits, extended)?;

    let names = names(file.as_ref(), &head, is_new)?;
    let mut notes = Vec::new();
    if features & CORRUPT != 0 {
        notes.push("QEMU marked the qcow2 image as corrupt; what can be read of it is read".to_owned());
    }
    if be32(&head, 60) != 0 {
        notes.push(format!("the qcow2 image has {} internal snapshots, which are not read", be32(&head, 60)));
    }
    let data = match (&names.data, features & DATA_FILE != 0) {
        (_, false) => Arc::clone(&file),
        (None, true) => return Err(ContainerError::damaged(WHAT, "it does not name its data file")),
        (Some(name), true) => {
            let (path, data) = context.open_raw(name, "data file")?;
            notes.push(read_besides("data file", &path));
            data
        }
    };
    let backing = match &names.backing {
        None => None,
        Some(name) => {
            let (path, disk) = if names.backing_is_raw {
                context.open_raw(name, "backing file")?
            } else {
                let (path, below) = context.open(name, "backing file")?;
                notes.extend(below.notes);
                (path, below.disk)
            };
            notes.push(read_besides("backing file", &path));
            Some(disk)
        }
    };
    let disk = Qcow2 {
        tables: Cached::new(Arc::clone(&file), context.cache),
        file,
        data,
        has_data_file: features & DATA_FILE != 0,
        backing,
        cache: Arc::clone(context.cache),
        owner: context.cache.owner(),
        size,
        version,
        cluster_bits,
        extended,
        compression,
        l1,
    };
    Ok(Container { kind: TargetKind::Qcow2, disk: Arc::new(disk), notes })
}

fn read_besides(what: &str, path: &PathBuf) -> String {
    format!("the {what} {path:?} was read as well")
}

/// Whether the first table covers the disk.
fn check_l1(
    entries: u32,
    at: u64,
    size: u64,
    cluster_bits: u32,
    extended: bool,
) -> Result<(), ContainerError> {
    let covered = 1_u64 << (2 * cluster_bits - if extended { 4 } else { 3 });
    let needed = size.div_ceil(covered);
    if needed > u64::from(entries) {
        let detail = format!("its L1 table has {entries} entries instead of {needed}");
        return Err(ContainerError::damaged(WHAT, detail));
    }
    if size > i64::MAX as u64 || !at.is_multiple_of(1 << cluster_bits) || at > OFFSET {
        let detail = format!("a size of {size} bytes, with its L1 table at {at}, is not possible");
        return Err(ContainerError::damaged(WHAT, detail));
    }
    Ok(())
}

/// The backing file and the data file, as the head names them.
pub(super) fn refers_to(file: &dyn BlockRead) -> Result<Vec<Vec<u8>>, ContainerError> {
    let head = read_up_to(file, 0, 112)?;
    let is_new = be32(&head, 4) == 3;
    let has_data_file = is_new && be64(&head, 72) & DATA_FILE != 0;
    let names = names(file, &head, is_new)?;
    Ok(names.backing.into_iter().chain(names.data.filter(|_| has_data_file)).collect())
}

/// Files that the head refers to.
#[derive(Default)]
struct Names {
    backing: Option<Vec<u8>>,
    backing_is_raw: bool,
    data: Option<Vec<u8>>,
}

fn names(file: &dyn BlockRead, head: &[u8], is_new: bool) -> Result<Names, ContainerError> {
    let mut names = Names::default();
    let (at, length) = (be64(head, 8), be32(head, 16));
    if at != 0 && length != 0 {
        if length > LONGEST_NAME {
            return Err(ContainerError::damaged(
                WHAT,
                format!("the name of its backing file has {length} bytes"),
            ));
        }
        let mut name = vec![0; length as usize];
        file.read_at(at, &mut name)?;
        names.backing = Some(name);
    }
    // The extensions end where the first cluster does, and are a few; a page holds them.
    let mut at = if is_new { u64::from(be32(head, 100)) } else { 72 };
    let end = if names.backing.is_some() { be64(head, 8) } else { 4096 }.min(4096);
    while at.saturating_add(8) <= end {
        let extension = read_up_to(file, at, 8)?;
        let (kind, length) = (be32(&extension, 0), be32(&extension, 4));
        if kind == EXTENSION_END || u64::from(length) > end {
            break;
        }
        let text = read_up_to(file, at + 8, length as usize)?;
        match kind {
            EXTENSION_BACKING_FORMAT => names.backing_is_raw = text == b"raw",
            EXTENSION_DATA_FILE => names.data = Some(text),
            _ => {}
        }
        at += 8 + u64::from(length).next_multiple_of(8);
    }
    Ok(names)
}

impl Qcow2 {
    /// Where a chunk is: a cluster, or with extended entries a subcluster.
    fn place(&self, chunk: u64) -> io::Result<Place> {
        let (cluster, sub) = if self.extended { (chunk / 32, chunk % 32) } else { (chunk, 0) };
        let entry_bytes = if self.extended { 16 } else { 8 };
        let entries = (1_u64 << self.cluster_bits) / entry_bytes;
        let table = self.entry(self.l1 + cluster / entries * 8)? & OFFSET;
        if table == 0 {
            return Ok(Place::Backing);
        }
        if !table.is_multiple_of(1 << self.cluster_bits) {
            return Err(damaged(format!(
                "the L2 table of cluster {cluster} lies at {table}, across clusters"
            )));
        }
        let at = table + cluster % entries * entry_bytes;
        let entry = self.entry(at)?;
        if entry & COMPRESSED != 0 {
            return Ok(self.compressed(entry));
        }
        let (allocated, zero) = if self.extended {
            let bitmap = self.entry(at + 8)?;
            (bitmap >> sub & 1 == 1, bitmap >> (32 + sub) & 1 == 1)
        } else {
            // An offset of 0 is a place only in a data file, which has no head there.
            let allocated = entry & OFFSET != 0 || self.has_data_file && entry & COPIED != 0;
            (allocated, self.version > 2 && entry & ZERO != 0)
        };
        let offset = entry & OFFSET;
        match (zero, allocated) {
            (true, _) => Ok(Place::Zeros),
            (_, false) => Ok(Place::Backing),
            _ if !offset.is_multiple_of(1 << self.cluster_bits) || offset == 0 && !self.has_data_file => {
                Err(damaged(format!("cluster {cluster} lies at {offset}, across clusters")))
            }
            _ => Ok(Place::At(offset + sub * self.chunk())),
        }
    }

    fn compressed(&self, entry: u64) -> Place {
        // How many bits the offset has depends on how many the number of 512-byte sectors needs.
        let bits = 62 - (self.cluster_bits - 8);
        let offset = entry & ((1 << bits) - 1);
        let sectors = (entry & !(COPIED | COMPRESSED)) >> bits;
        // Fits: there are at most 2^13 sectors.
        let length = ((sectors + 1) * 512 - offset % 512) as usize;
        Place::Compressed { offset, length }
    }

    fn entry(&self, at: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.tables.read_at(at, &mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn chunk(&self) -> u64 {
        (1 << self.cluster_bits) / if self.extended { 32 } else { 1 }
    }

    fn inflate(&self, offset: u64, length: usize, output: &mut [u8]) -> io::Result<()> {
        // The last sectors of the last cluster need not be there.
        let input = read_up_to(self.file.as_ref(), offset, length)?;
        inflate(self.compression, &input, output)
    }

    fn read_compressed(&self, offset: u64, length: usize, within: u64, part: &mut [u8]) -> io::Result<()> {
        let cluster = 1_usize << self.cluster_bits;
        let kept = match self.cache.get(self.owner, offset) {
            // A whole cluster is part of a large file, which is read once.
            None if part.len() == cluster => return self.inflate(offset, length, part),
            Some(kept) => kept,
            None => self.cache.get_or_make(self.owner, offset, || {
                let mut output = vec![0; cluster];
                self.inflate(offset, length, &mut output).map(|()| output)
            })?,
        };
        let within = within as usize;
        part.copy_from_slice(&kept[within..within + part.len()]);
        Ok(())
    }
}

impl BlockRead for Qcow2 {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let size = self.chunk();
        by_chunk(self.size, size, offset, buffer, |chunk, within, part| match self.place(chunk)? {
            Place::At(place) => self.data.read_at(place + within, part),
            Place::Compressed { offset, length } => {
                let cluster = 1 << self.cluster_bits;
                self.read_compressed(offset, length, (chunk * size + within) % cluster, part)
            }
            Place::Zeros => {
                part.fill(0);
                Ok(())
            }
            Place::Backing => read_or_zeros(self.backing.as_deref(), chunk * size + within, part),
        })
    }
}

/// Reads what a backing file has; after its end there are zeros.
fn read_or_zeros(backing: Option<&dyn BlockRead>, offset: u64, part: &mut [u8]) -> io::Result<()> {
    let there = backing.map_or(0, |disk| disk.len().saturating_sub(offset));
    let there = usize::try_from(there).unwrap_or(usize::MAX).min(part.len());
    let (read, zeros) = part.split_at_mut(there);
    zeros.fill(0);
    match backing {
        Some(disk) if !read.is_empty() => disk.read_at(offset, read),
        _ => Ok(()),
    }
}
