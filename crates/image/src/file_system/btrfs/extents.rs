//! Where the bytes of a file lie.

use super::{
    super::{ReadError, disk::Fields as _},
    items::EXTENT,
    tree::{Cursor, Key, Node, Nodes, Root},
    unpack::Compression,
};

/// What an extent is before the bytes that lie in it, in bytes.
const HEADER: usize = 21;

/// The most that the kernel packs at once is 128 KiB.
const PACKED: u64 = 1 << 20;

/// Bytes that are packed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    pub compression: Compression,
    /// Where they lie; `None` when they lie in the item.
    pub address: Option<u64>,
    /// How long they are there, in bytes.
    pub stored: usize,
    /// How long they are unpacked.
    pub unpacked: usize,
}

/// What a part of a file is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A hole, or space that was never written.
    Zeros,
    /// Bytes from an address on.
    Plain(u64),
    /// The item itself, from a byte on.
    Inline(usize),
    /// Packed bytes, from one of the unpacked ones on.
    Packed(Packed, usize),
}

/// A part of a file.
pub struct Extent {
    /// In bytes of the file.
    pub start: u64,
    pub end: u64,
    source: Source,
    leaf: Node,
    at: usize,
}

impl Extent {
    fn read(leaf: Node, at: usize, start: u64, sector: u32) -> Result<Self, ReadError> {
        let item = leaf.item(at);
        let damaged = |what: &str| ReadError::Damaged(format!("an extent at {start} of the file {what}"));
        if item.len() < HEADER {
            return Err(damaged("is cut off"));
        }
        if item.u8(17) != 0 || item.u16(18) != 0 {
            return Err(ReadError::Unsupported("an encrypted extent".into()));
        }
        let compression = Compression::new(item.u8(16))?;
        let unpacked = item.u64(8);
        let packed = |address, stored: u64, from: u64| {
            let size = |size: u64| usize::try_from(size).ok().filter(|_| size <= PACKED);
            let packed = (size(stored), size(unpacked), size(from));
            let (Some(stored), Some(unpacked), Some(from)) = packed else {
                return Err(damaged(&format!("has {stored} bytes packed, and {unpacked} unpacked")));
            };
            match compression {
                Some(compression) => {
                    Ok(Source::Packed(Packed { compression, address, stored, unpacked }, from))
                }
                None => Ok(Source::Inline(from)),
            }
        };
        let (length, source) = match item.u8(20) {
            0 => {
                let source = packed(None, (item.len() - HEADER) as u64, 0)?;
                // Another extent begins with the next sector at the earliest.
                (unpacked.max(1).next_multiple_of(u64::from(sector)), source)
            }
            1 | 2 if item.len() < HEADER + 32 => return Err(damaged("is cut off")),
            kind @ (1 | 2) => {
                let (address, stored) = (item.u64(21), item.u64(29));
                let (offset, length) = (item.u64(37), item.u64(45));
                let size = if compression.is_some() { unpacked } else { stored };
                let is_hole = address == 0 || kind == 2;
                if length == 0 || !is_hole && offset.checked_add(length).is_none_or(|end| end > size) {
                    return Err(damaged(&format!("has {length} bytes at {offset} of {size}")));
                }
                let source = match compression {
                    _ if is_hole => Source::Zeros,
                    Some(_) => packed(Some(address), stored, offset)?,
                    None => Source::Plain(address.saturating_add(offset)),
                };
                (length, source)
            }
            kind => return Err(damaged(&format!("is of kind {kind}"))),
        };
        Ok(Self { start, end: start.saturating_add(length), source, leaf, at })
    }

    /// What to read for a byte of the file that lies in the extent.
    pub fn source(&self, position: u64) -> Source {
        let within = position.saturating_sub(self.start);
        let from = |from: usize| from.saturating_add(usize::try_from(within).unwrap_or(usize::MAX));
        match self.source {
            Source::Zeros => Source::Zeros,
            Source::Plain(address) => Source::Plain(address.saturating_add(within)),
            Source::Inline(start) => Source::Inline(from(start)),
            Source::Packed(packed, start) => Source::Packed(packed, from(start)),
        }
    }

    /// The bytes that lie in the item.
    pub fn inline(&self) -> &[u8] {
        self.leaf.item(self.at).get(HEADER..).unwrap_or_default()
    }
}

/// What a tree has for a byte of a file.
pub enum Found {
    Extent(Extent),
    /// Nothing, up to another byte.
    Nothing(u64),
}

/// Looks for the extent of a file that a byte lies in. `last` is the leaf that was looked at last, which most often is the
/// right one.
pub fn find(
    nodes: &Nodes,
    tree: Root,
    file: u64,
    position: u64,
    sector: u32,
    last: &mut Option<(u64, Node)>,
) -> Result<Found, ReadError> {
    let wanted = Key::new(file, EXTENT, position);
    let leaf = match last {
        Some((of, leaf)) if *of == tree.address && leaf.spans(wanted) => leaf.clone(),
        _ => nodes.leaf(tree, wanted)?,
    };
    *last = Some((tree.address, leaf.clone()));
    let below = leaf.below(wanted);
    let at = if leaf.key(below) == Some(wanted) { Some(below) } else { below.checked_sub(1) };
    let is_extent = |key: &Key| (key.object, key.kind) == (file, EXTENT);
    if let Some((at, key)) = at.and_then(|at| Some((at, leaf.key(at).filter(is_extent)?))) {
        let extent = Extent::read(leaf, at, key.offset, sector)?;
        if position < extent.end {
            return Ok(Found::Extent(extent));
        }
    }
    let after = Key::new(file, EXTENT, position.saturating_add(1));
    let next = Cursor::seek(nodes, tree, after)?.next()?.map(|(key, _)| key).filter(is_extent);
    Ok(Found::Nothing(next.map_or(u64::MAX, |key| key.offset.max(position.saturating_add(1)))))
}
