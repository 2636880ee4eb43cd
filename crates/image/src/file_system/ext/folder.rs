//! The entries of folders.

use std::ops::ControlFlow;

use super::{
    super::{FileKind, ReadError, disk::Fields as _, names::Shown},
    head::checksum,
};

/// Shows the entries in one block of a folder. The blocks of a folder's index look like blocks without entries.
pub fn show(block: &[u8], has_types: bool, shown: &mut Shown<'_>) -> Result<ControlFlow<()>, ReadError> {
    let mut at = 0;
    while let Some(entry) = block.get(at..).filter(|entry| entry.len() >= 8) {
        // A length of 64 KiB does not fit into its field.
        let length = match entry.u16(4) {
            0 | 0xffff if block.len() == 0x1_0000 => 0x1_0000,
            length => usize::from(length),
        };
        let name_length = usize::from(entry.u8(6));
        if length < 8 || length % 4 != 0 || length > entry.len() || name_length + 8 > length {
            return Err(ReadError::Damaged(format!("a folder has an entry of {length} bytes at {at}")));
        }
        let node = entry.u32(0);
        let name = entry.get(8..8 + name_length).unwrap_or_default();
        let kind = if has_types { kind(entry.u8(7)) } else { None };
        if node != 0 && shown.entry(name, u64::from(node), kind).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        at += length;
    }
    Ok(ControlFlow::Continue(()))
}

/// Whether the checksum at the end of a block with entries is right. Blocks of the index have theirs elsewhere, and may
/// still have the tail of the entries that they held before: they hold no entries, and pass. `is_first` says that it is
/// the first block of a folder with an index.
pub fn has_good_tail(block: &[u8], seed: u32, is_first: bool) -> bool {
    let Some((body, tail)) = block.len().checked_sub(12).and_then(|split| block.split_at_checked(split))
    else {
        return true;
    };
    let is_index = is_first || block.u32(0) == 0 && usize::from(block.u16(4)) == block.len();
    let is_tail = tail.u32(0) == 0 && tail.u16(4) == 12 && tail.u16(6) == 0xde00;
    is_index || !is_tail || checksum(seed, body) == tail.u32(8)
}

fn kind(kind: u8) -> Option<FileKind> {
    // The upper bits are Lustre's.
    match kind & 0xf {
        1 => Some(FileKind::File),
        2 => Some(FileKind::Folder),
        7 => Some(FileKind::Symlink),
        3..=6 => Some(FileKind::Other),
        _ => None,
    }
}
