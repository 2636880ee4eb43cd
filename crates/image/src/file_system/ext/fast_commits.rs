//! Fast commits: what has changed since the last transaction, file by file instead of block by block. They lie in blocks
//! behind those of the transactions, and each of them counts when its last tag has the right checksum.
//!
//! Source: Documentation/filesystems/ext4/journal.rst of Linux, and `fs/ext4/fast_commit.c` for what replaying them
//! means. All their numbers are little-endian.

use super::{
    super::{ReadError, disk::Fields as _},
    head::checksum,
};

/// How much is read, in bytes; ext4 makes areas of 256 blocks unless it is asked for more.
const BYTES: usize = 4 << 20;

/// What a fast commit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Some blocks of a file lie there; without a place they are holes, or were never written.
    Range { inode: u32, first: u32, count: u32, block: Option<u64> },
    /// An inode as it is now, without the root of its blocks.
    Inode { inode: u32, bytes: Vec<u8> },
    /// A new file.
    Create { folder: u32, inode: u32, name: Vec<u8> },
    /// A further name of a file.
    Link { folder: u32, inode: u32, name: Vec<u8> },
    /// A name that is gone.
    Unlink { folder: u32, inode: u32, name: Vec<u8> },
}

/// Fast commits, in the order in which they were made.
#[derive(Debug, Default)]
pub struct FastCommits {
    pub changes: Vec<Change>,
    /// How many there are.
    pub count: usize,
    /// Why there may be more of them.
    pub unread: Option<String>,
}

const ADD_RANGE: u16 = 1;
const DELETE_RANGE: u16 = 2;
const CREATE: u16 = 3;
const LINK: u16 = 4;
const UNLINK: u16 = 5;
const INODE: u16 = 6;
const PADDING: u16 = 7;
const TAIL: u16 = 8;
const HEAD: u16 = 9;

/// The type and the length of what follows.
const TAG: usize = 4;

/// Reads the blocks of the area. Fast commits of another transaction than `transaction`, which is the one after the last
/// that was committed, are from before it.
pub fn read(
    blocks: impl Iterator<Item = Result<Vec<u8>, ReadError>>,
    transaction: u32,
) -> Result<FastCommits, ReadError> {
    let mut found = FastCommits::default();
    let (mut open, mut sum, mut read) = (Vec::new(), 0, 0_usize);
    for block in blocks {
        let block = block?;
        let is_first = read == 0;
        read = read.saturating_add(block.len());
        if read > BYTES {
            found.unread = Some(format!("its fast commits have more than {BYTES} bytes"));
            return Ok(found);
        }
        if is_first && block.u16(0) != HEAD {
            return Ok(found);
        }
        let mut at = 0;
        while let Some(tag) = block.get(at..).filter(|tag| tag.len() >= TAG) {
            let end = TAG + usize::from(tag.u16(2));
            let Some(value) = tag.get(TAG..end) else { return Ok(found) };
            match tag.u16(0) {
                TAIL if value.len() >= 8 => {
                    // Its own checksum and what fills its block are not summed.
                    sum = checksum(sum, tag.get(..TAG + 4).unwrap_or_default());
                    if value.u32(0) != transaction || value.u32(4) != sum {
                        return Ok(found);
                    }
                    sum = 0;
                    found.count += 1;
                    found.changes.append(&mut open);
                    at += end;
                    continue;
                }
                HEAD if value.len() == 8 && value.u32(0) != 0 => {
                    found.unread = Some("it has fast commits with unknown features".to_owned());
                    return Ok(found);
                }
                HEAD if value.len() == 8 && value.u32(4) == transaction => {}
                PADDING => {}
                kind => match change(kind, value) {
                    Some(change) => open.push(change),
                    None => return Ok(found),
                },
            }
            sum = checksum(sum, tag.get(..end).unwrap_or_default());
            at += end;
        }
    }
    Ok(found)
}

/// What a tag says; `None` for what is none.
fn change(kind: u16, value: &[u8]) -> Option<Change> {
    let inode = value.u32(0);
    let named = || {
        let name = value.get(8..).filter(|name| (1..=255).contains(&name.len()))?;
        Some((value.u32(0), value.u32(4), name.to_vec()))
    };
    match kind {
        ADD_RANGE if value.len() == 16 => {
            let length = value.u16(8);
            let is_unwritten = length > 0x8000;
            let count = u32::from(if is_unwritten { length - 0x8000 } else { length });
            let block = u64::from(value.u32(12)) | u64::from(value.u16(10)) << 32;
            Some(Change::Range { inode, first: value.u32(4), count, block: (!is_unwritten).then_some(block) })
        }
        DELETE_RANGE if value.len() == 12 => {
            Some(Change::Range { inode, first: value.u32(4), count: value.u32(8), block: None })
        }
        CREATE => named().map(|(folder, inode, name)| Change::Create { folder, inode, name }),
        LINK => named().map(|(folder, inode, name)| Change::Link { folder, inode, name }),
        UNLINK => named().map(|(folder, inode, name)| Change::Unlink { folder, inode, name }),
        INODE => {
            let bytes = value.get(4..).filter(|bytes| bytes.len() >= 128)?;
            Some(Change::Inode { inode, bytes: bytes.to_vec() })
        }
        _ => None,
    }
}
