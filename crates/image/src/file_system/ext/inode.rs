//! Inodes, and where the blocks of a file lie.

use std::ops::Range;

use super::{
    super::{FileKind, Metadata, ReadError, disk::Fields as _},
    blocks::{Blocks, Cache},
    head::{Head, checksum},
};

const ENCRYPTED: u32 = 0x800;
const COMPRESSED: u32 = 0x4;
const INDEX: u32 = 0x1000;
const EXTENTS: u32 = 0x8_0000;
const INLINE: u32 = 0x1000_0000;

const EXTENTS_MAGIC: u16 = 0xf30a;

/// Where in an inode the root of its blocks is.
pub const ROOT: Range<usize> = 0x28..0x64;

/// How deep a tree of extents may be; Linux makes none that is deeper.
const EXTENT_DEPTH: u16 = 5;

/// What is known about a file.
#[derive(Clone, Debug)]
pub struct Inode {
    pub metadata: Metadata,
    number: u32,
    flags: u32,
    /// The 60 bytes that hold the root of its blocks, or the beginning of its bytes.
    root: Vec<u8>,
    /// Bytes that are kept in the inode after [`Self::root`].
    tail: Vec<u8>,
    seed: Option<u32>,
}

/// Blocks of a file that lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where the first one lies; `None` for a hole, or for space that was never written.
    pub block: Option<u64>,
    /// How many there are, at least 1.
    pub count: u64,
}

impl Inode {
    /// Reads an inode that is in use.
    pub fn read(number: u64, head: &Head, blocks: &Blocks, cache: &mut Cache) -> Result<Self, ReadError> {
        let damaged = |what: &str| ReadError::Damaged(format!("inode {number}: {what}"));
        let number = u32::try_from(number).ok().filter(|&number| number > 0 && number <= head.inodes);
        let number = number.ok_or_else(|| damaged("there are not so many"))?;
        let (group, index) = ((number - 1) / head.inodes_per_group, (number - 1) % head.inodes_per_group);
        let (block, within) = head.descriptor(group);
        let table =
            head.table(cache.read(blocks, block, within, 64.min((head.block_size - within) as usize))?);
        let at = u64::from(index) * u64::from(head.inode_size);
        let size = u64::from(head.block_size);
        let bytes = cache.read(
            blocks,
            table.saturating_add(at / size),
            (at % size) as u32,
            head.inode_size.into(),
        )?;
        let changed = blocks.changed.get(&number).filter(|changed| changed.has_inode());
        let newer = changed.map(|changed| changed.inode(bytes));
        let bytes = newer.as_deref().unwrap_or(bytes);
        let seed = head.seed.map(|seed| {
            let seed = checksum(seed, &number.to_le_bytes());
            checksum(seed, bytes.get(0x64..0x68).unwrap_or_default())
        });
        // That of a fast commit is as it was when it was made; the fast commit has its own.
        if newer.is_none() && seed.is_some_and(|seed| !has_good_checksum(bytes, seed)) {
            return Err(damaged("its checksum is wrong"));
        }
        let mode = bytes.u16(0);
        if mode == 0 {
            return Err(ReadError::NotFound("file: its inode is not in use"));
        }
        let kind = kind(mode).ok_or_else(|| damaged("its type is unknown"))?;
        let has_high = kind == FileKind::File || head.large_folders;
        let extra = if bytes.len() >= 0x8c && bytes.u16(0x80) >= 12 { bytes.u32(0x88) } else { 0 };
        let flags = bytes.u32(0x20);
        let mut inode = Self {
            metadata: Metadata {
                kind,
                size: u64::from(bytes.u32(0x4)) | if has_high { u64::from(bytes.u32(0x6c)) << 32 } else { 0 },
                mode: u32::from(mode & 0o7777),
                uid: u32::from(bytes.u16(0x2)) | u32::from(bytes.u16(0x78)) << 16,
                gid: u32::from(bytes.u16(0x18)) | u32::from(bytes.u16(0x7a)) << 16,
                // 32 bits with a sign, and two bits that count how often they went round.
                modified: i64::from(bytes.u32(0x10).cast_signed()) + (i64::from(extra & 3) << 32),
            },
            number,
            flags,
            root: bytes.get(ROOT).unwrap_or_default().to_vec(),
            tail: Vec::new(),
            seed,
        };
        if newer.is_some() && flags & EXTENTS != 0 && inode.root.u16(0) != EXTENTS_MAGIC {
            // It had none before: the inode was not in use, or its blocks were kept otherwise.
            inode.root = [&EXTENTS_MAGIC.to_le_bytes()[..], &[0; 58]].concat();
        }
        if flags & INLINE != 0 {
            inode.tail = inline_tail(bytes).unwrap_or_default();
        }
        Ok(inode)
    }

    /// # Errors
    /// When the bytes are not what the system sees: encrypted, or compressed.
    pub fn check_readable(&self) -> Result<(), ReadError> {
        if self.flags & ENCRYPTED != 0 {
            return Err(ReadError::Unsupported("encrypted by its file system (fscrypt)".into()));
        }
        if self.flags & COMPRESSED != 0 {
            return Err(ReadError::Unsupported("compressed by a patched ext2 (e2compr)".into()));
        }
        Ok(())
    }

    /// The bytes that lie in the inode itself; `None` when they lie in blocks.
    pub fn inline(&self) -> Option<Vec<u8>> {
        let is_short_link =
            self.metadata.kind == FileKind::Symlink && self.metadata.size < 60 && self.flags & EXTENTS == 0;
        if self.flags & INLINE == 0 && !is_short_link {
            return None;
        }
        let mut bytes = [self.root.as_slice(), &self.tail].concat();
        bytes.truncate(usize::try_from(self.metadata.size).unwrap_or(usize::MAX));
        Some(bytes)
    }

    /// Whether a folder has an index, whose root is its first block.
    pub fn has_index(&self) -> bool {
        self.flags & INDEX != 0
    }

    /// The checksum that the metadata blocks of this file begin with.
    pub fn seed(&self) -> Option<u32> {
        self.seed
    }

    /// The run that holds a block of the file, from that block on.
    pub fn run(&self, wanted: u32, blocks: &Blocks, cache: &mut Cache) -> Result<Run, ReadError> {
        let changed = blocks.changed.get(&self.number).map(|changed| changed.run(wanted.into()));
        let most = match changed {
            Some(Ok((block, count))) => return Ok(Run { block, count }),
            Some(Err(most)) => most,
            None => u64::MAX,
        };
        let mut run = match self.flags & EXTENTS {
            0 => run_in_pointers(&self.root, wanted, blocks, cache)?,
            _ => self.run_in_extents(wanted, blocks, cache)?,
        };
        run.count = run.count.min(most);
        Ok(run)
    }

    fn run_in_extents(&self, wanted: u32, blocks: &Blocks, cache: &mut Cache) -> Result<Run, ReadError> {
        let damaged = |what: &str| ReadError::Damaged(format!("extents: {what}"));
        let mut node = self.root.as_slice();
        // Where the next entry of any level above begins: a hole reaches to there.
        let mut next = u64::from(u32::MAX) + 1;
        let mut depth = None;
        loop {
            let (entries, found) = (node.u16(2), node.u16(6));
            if node.u16(0) != EXTENTS_MAGIC
                || depth.is_some_and(|depth| depth != found)
                || found > EXTENT_DEPTH
            {
                return Err(damaged("a node has a wrong head"));
            }
            if usize::from(entries) * 12 + 12 > node.len() {
                return Err(damaged("a node has more entries than fit"));
            }
            let entries = node.get(12..12 + usize::from(entries) * 12).unwrap_or_default();
            let index = count_not_after(entries, wanted);
            if let Some(entry) = entries.get(index * 12..index * 12 + 12) {
                next = next.min(u64::from(entry.u32(0)));
            }
            let entry = index.checked_sub(1).and_then(|index| entries.get(index * 12..index * 12 + 12));
            let Some(entry) = entry else { return Ok(hole(wanted, next)) };
            if found == 0 {
                return Ok(run_of_extent(entry, wanted, next));
            }
            let child = u64::from(entry.u32(4)) | u64::from(entry.u16(8)) << 32;
            depth = Some(found - 1);
            node = cache.read(blocks, child, 0, blocks.size as usize)?;
            let end = 12 + usize::from(node.u16(4)) * 12;
            if let (Some(seed), Some(body)) = (self.seed, node.get(..end))
                && checksum(seed, body) != node.u32(end)
            {
                return Err(damaged("a node has a wrong checksum"));
            }
        }
    }
}

/// How many entries of a node begin at `wanted` or before.
fn count_not_after(entries: &[u8], wanted: u32) -> usize {
    let (mut low, mut high) = (0, entries.len() / 12);
    while low < high {
        let middle = usize::midpoint(low, high);
        if entries.u32(middle * 12) <= wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn hole(wanted: u32, next: u64) -> Run {
    Run { block: None, count: next.saturating_sub(u64::from(wanted)).max(1) }
}

fn run_of_extent(entry: &[u8], wanted: u32, next: u64) -> Run {
    let length = entry.u16(4);
    let is_unwritten = length > 0x8000;
    let length = u64::from(if is_unwritten { length - 0x8000 } else { length });
    let skip = u64::from(wanted - entry.u32(0));
    if skip >= length {
        return hole(wanted, next);
    }
    let start = u64::from(entry.u32(8)) | u64::from(entry.u16(6)) << 32;
    Run { block: (!is_unwritten).then(|| start.saturating_add(skip)), count: length - skip }
}

/// ext2's way: 12 blocks, then a block of pointers, then one of pointers to those, and one more level.
fn run_in_pointers(root: &[u8], wanted: u32, blocks: &Blocks, cache: &mut Cache) -> Result<Run, ReadError> {
    if wanted < 12 {
        return Ok(run_of_pointers(root.get(..48).unwrap_or_default(), u64::from(wanted)));
    }
    let per_block = u64::from(blocks.size / 4);
    let mut left = u64::from(wanted) - 12;
    let mut span = per_block;
    for level in 0..3 {
        if left < span {
            let mut pointer = u64::from(root.u32(48 + level * 4));
            loop {
                if pointer == 0 {
                    return Ok(Run { block: None, count: span - left });
                }
                let node = cache.read(blocks, pointer, 0, blocks.size as usize)?;
                span /= per_block;
                if span <= 1 {
                    return Ok(run_of_pointers(node, left));
                }
                pointer =
                    u64::from(node.u32(usize::try_from(left / span).unwrap_or(usize::MAX).saturating_mul(4)));
                left %= span;
            }
        }
        left -= span;
        span = span.saturating_mul(per_block);
    }
    Err(ReadError::Damaged("the file is longer than its blocks can be".into()))
}

/// As many pointers as lead to blocks behind each other, or to none.
fn run_of_pointers(pointers: &[u8], index: u64) -> Run {
    let mut left =
        pointers.chunks_exact(4).skip(usize::try_from(index).unwrap_or(usize::MAX)).map(|entry| entry.u32(0));
    let first = left.next().unwrap_or(0);
    let mut count = 1_u32;
    for pointer in left {
        let follows = if first == 0 { pointer == 0 } else { first.checked_add(count) == Some(pointer) };
        if !follows {
            break;
        }
        count += 1;
    }
    Run { block: (first != 0).then_some(u64::from(first)), count: u64::from(count) }
}

/// Whether the bytes of a file lie in its inode.
pub fn is_inline(inode: &[u8]) -> bool {
    inode.u32(0x20) & INLINE != 0
}

fn kind(mode: u16) -> Option<FileKind> {
    Some(match mode & 0xf000 {
        0x8000 => FileKind::File,
        0x4000 => FileKind::Folder,
        0xa000 => FileKind::Symlink,
        0x1000 | 0x2000 | 0x6000 | 0xc000 => FileKind::Other,
        _ => return None,
    })
}

/// The checksum of an inode, half of which only larger inodes have room for.
fn has_good_checksum(bytes: &[u8], seed: u32) -> bool {
    let part = |from: usize, to: usize| bytes.get(from..to.min(bytes.len())).unwrap_or_default();
    let mut sum = checksum(checksum(checksum(seed, part(0, 0x7c)), &[0; 2]), part(0x7e, 0x80));
    if bytes.len() <= 128 {
        return sum & 0xffff == u32::from(bytes.u16(0x7c));
    }
    sum = checksum(sum, part(0x80, 0x82));
    if bytes.u16(0x80) < 4 {
        return checksum(sum, part(0x82, usize::MAX)) & 0xffff == u32::from(bytes.u16(0x7c));
    }
    checksum(checksum(sum, &[0; 2]), part(0x84, usize::MAX))
        == u32::from(bytes.u16(0x7c)) | u32::from(bytes.u16(0x82)) << 16
}

/// The value of the attribute `system.data` in the inode: what did not fit into the 60 bytes.
fn inline_tail(bytes: &[u8]) -> Option<Vec<u8>> {
    let attributes = bytes.get(0x80_usize.checked_add(bytes.u16(0x80).into())?..)?;
    if attributes.u32(0) != 0xea02_0000 {
        return None;
    }
    let entries = attributes.get(4..)?;
    let mut at = 0;
    while let Some(entry) = entries.get(at..).filter(|entry| entry.len() >= 16 && entry.u32(0) != 0) {
        let name = entry.get(16..16 + usize::from(entry.u8(0)))?;
        if entry.u8(1) == 7 && name == b"data" {
            let start = usize::from(entry.u16(2));
            let length = usize::try_from(entry.u32(8)).ok()?;
            return Some(entries.get(start..start.checked_add(length)?)?.to_vec());
        }
        at += (16 + name.len()).next_multiple_of(4);
    }
    None
}
