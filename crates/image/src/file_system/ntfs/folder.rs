//! The entries of folders: an index whose root lies in the record, and whose other nodes lie in blocks.

use std::{cmp::Ordering, ops::ControlFlow};

use super::{
    super::{
        FileKind, ReadError,
        disk::{Disk, Fields as _},
        names::{Shown, wtf8},
    },
    record::{Record, kind, mend},
    stream::Stream,
    volume::{NUMBER, Volume},
};

/// `$I30`, the index of names, in UTF-16.
const NAMES: &[u8] = b"$\0I\x003\x000\0";

/// How long the bitmap of an index is read, in bytes: 32 million blocks.
const BITMAP: u64 = 4 << 20;

/// Records of files that are the file system's own: `$MFT`, `$LogFile`, `$Extend` and so on.
const OWN: u64 = 16;

/// How many blocks are looked through for one name: there are fewer than ten levels.
const BLOCKS: usize = 1000;

/// The index of a folder.
struct Index {
    /// The root, which lies in the record.
    root: Vec<u8>,
    /// The other nodes; `None` when there are none.
    blocks: Option<Stream>,
    /// How long one of them is.
    size: usize,
}

impl Index {
    fn open(volume: &mut Volume, record: &Record) -> Result<Self, ReadError> {
        if !record.is_folder() {
            return Err(ReadError::NotFound("folder"));
        }
        let root =
            volume.stream(record, kind::INDEX_ROOT, NAMES)?.ok_or_else(|| damaged("it has no index"))?;
        let root = { root }.read_all(&volume.disk, 64 << 10)?;
        let blocks = volume.stream(record, kind::INDEX_ALLOCATION, NAMES)?;
        let size = usize::try_from(root.u32(8)).unwrap_or(0);
        if let Some(blocks) = &blocks {
            if !size.is_power_of_two() || !(512..=64 << 10).contains(&size) {
                return Err(damaged(&format!("index blocks of {size} bytes")));
            }
            if blocks.size > volume.disk.len() {
                return Err(damaged("an index that is longer than the volume"));
            }
        }
        Ok(Self { root, blocks, size })
    }

    /// The node in the root.
    fn root(&self) -> &[u8] {
        self.root.get(16..).unwrap_or_default()
    }

    /// Reads the block at a place of the index; its node is returned.
    fn block<'a>(&mut self, disk: &Disk, at: u64, bytes: &'a mut Vec<u8>) -> Result<&'a [u8], ReadError> {
        bytes.resize(self.size, 0);
        let blocks = self.blocks.as_mut().ok_or_else(|| damaged("it has no blocks"))?;
        let length = blocks.read_at(disk, at, bytes)?;
        if length < bytes.len() || bytes.get(..4) != Some(b"INDX") || !mend(bytes) {
            return Err(damaged(&format!("the block at {at} of its index")));
        }
        Ok(bytes.get(24..).unwrap_or_default())
    }
}

/// Shows the entries: those of the root, then those of every block that is in use.
pub fn show(volume: &mut Volume, record: &Record, shown: &mut Shown<'_>) -> Result<(), ReadError> {
    let disk = volume.disk.clone();
    let mut index = Index::open(volume, record)?;
    if show_node(index.root(), shown).ok_or_else(|| damaged("its root"))?.is_break() {
        return Ok(());
    }
    let Some(blocks) = &index.blocks else { return Ok(()) };
    let count = blocks.size / index.size as u64;
    let bitmap = volume.stream(record, kind::BITMAP, NAMES)?.ok_or_else(|| damaged("it has no bitmap"))?;
    let bitmap = { bitmap }.read_all(&disk, BITMAP)?;
    let mut bytes = Vec::new();
    for number in 0..count {
        let byte = usize::try_from(number / 8).ok().and_then(|at| bitmap.get(at)).copied().unwrap_or(0);
        if byte >> (number % 8) & 1 == 0 {
            continue;
        }
        let node = index.block(&disk, number * index.size as u64, &mut bytes)?;
        if show_node(node, shown).ok_or_else(|| damaged("an entry"))?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// Looks a name up on its way through the index, which is sorted by names in upper case; returns the file that it leads
/// to.
pub fn find(
    volume: &mut Volume,
    record: &Record,
    name: &[u16],
    upper: &[u16],
) -> Result<Option<u64>, ReadError> {
    let disk = volume.disk.clone();
    let mut index = Index::open(volume, record)?;
    // Blocks count clusters, or sectors where a cluster is longer than they are.
    let unit = if index.size as u64 >= volume.cluster_size { volume.cluster_size } else { 512 };
    let wanted: Vec<u16> = name.iter().map(|&unit| above(upper, unit)).collect();
    let (mut node, mut bytes) = (index.root().to_vec(), Vec::new());
    // One block on each level, and more where names differ in case only: they are not told apart by their order.
    let mut below = Vec::new();
    for _ in 0..BLOCKS {
        for entry in entries(&node) {
            let entry = entry.ok_or_else(|| damaged("an entry"))?;
            let units = entry.name.chunks_exact(2).map(|unit| unit.u16(0));
            let order = wanted.iter().copied().cmp(units.clone().map(|unit| above(upper, unit)));
            if !entry.is_last && order == Ordering::Greater {
                continue;
            }
            below.extend(entry.below);
            if entry.is_last || order == Ordering::Less {
                break;
            }
            if !entry.is_short_only && units.eq(name.iter().copied()) {
                let is_own = entry.reference & NUMBER < OWN;
                return Ok((!is_own).then_some(entry.reference));
            }
        }
        let Some(block) = below.pop() else { return Ok(None) };
        node = index.block(&disk, block.saturating_mul(unit), &mut bytes)?.to_vec();
    }
    Err(damaged("a name in more blocks of an index than it can be"))
}

/// A unit of a name in upper case, by the volume's own table.
fn above(upper: &[u16], unit: u16) -> u16 {
    upper.get(usize::from(unit)).copied().unwrap_or(unit)
}

/// An entry of a node.
struct NodeEntry<'a> {
    reference: u64,
    /// UTF-16.
    name: &'a [u8],
    flags: u32,
    /// The short name beside a long one is the same file once more.
    is_short_only: bool,
    /// It has no name, and stands behind all others.
    is_last: bool,
    /// The block with the names before it.
    below: Option<u64>,
}

/// The entries of a node, from its head on; one is `None` when it leaves the node.
fn entries(node: &[u8]) -> impl Iterator<Item = Option<NodeEntry<'_>>> {
    let end = usize::try_from(node.u32(4)).unwrap_or(usize::MAX);
    let mut rest = usize::try_from(node.u32(0)).ok().and_then(|start| node.get(start..end));
    let mut is_over = false;
    std::iter::from_fn(move || {
        let Some(left) = rest else {
            return (!std::mem::replace(&mut is_over, true)).then_some(None);
        };
        if is_over || left.len() < 16 {
            return None;
        }
        let flags = left.u16(12);
        is_over = flags & 2 != 0;
        let Some((entry, next)) = left.split_at_checked(usize::from(left.u16(8)).max(16)) else {
            is_over = true;
            // What the last one has behind its head does not matter.
            return (flags & 3 != 2).then_some(None);
        };
        rest = Some(next);
        let key = entry.get(16..).unwrap_or_default();
        let name = if is_over { Some(&[][..]) } else { key.get(66..66 + usize::from(key.u8(64)) * 2) };
        let below = (flags & 1 != 0).then(|| entry.u64(entry.len().saturating_sub(8).max(16)));
        is_over |= name.is_none();
        Some(name.map(|name| NodeEntry {
            reference: entry.u64(0),
            name,
            flags: key.u32(56),
            is_short_only: key.u8(65) == 2,
            is_last: flags & 2 != 0,
            below,
        }))
    })
}

fn damaged(what: &str) -> ReadError {
    ReadError::Damaged(format!("a folder: {what}"))
}

/// Shows the entries of one node; `None` when an entry leaves it.
fn show_node(node: &[u8], shown: &mut Shown<'_>) -> Option<ControlFlow<()>> {
    for entry in entries(node) {
        let entry = entry?;
        if entry.is_last || entry.is_short_only || entry.reference & NUMBER < OWN {
            continue;
        }
        let name = wtf8(entry.name.chunks_exact(2).map(|unit| unit.u16(0)));
        if shown.entry(&name, entry.reference, kind_of(entry.flags)).is_break() {
            return Some(ControlFlow::Break(()));
        }
    }
    Some(ControlFlow::Continue(()))
}

/// What the flags in the entry say; a reparse point may be a link, which only its record tells.
fn kind_of(flags: u32) -> Option<FileKind> {
    match (flags & 0x400 != 0, flags & 0x1000_0000 != 0) {
        (true, _) => None,
        (_, true) => Some(FileKind::Folder),
        _ => Some(FileKind::File),
    }
}
