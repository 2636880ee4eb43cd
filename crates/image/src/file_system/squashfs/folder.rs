//! The entries of folders, in groups that share a block of inodes.

use super::{
    super::{FileKind, ReadError, disk::Fields as _, names::Shown},
    Head,
    inode::Inode,
    unpack::Unpacked,
};

/// Linux writes no more entries after one head.
const GROUP: u32 = 256;

pub fn show(
    folder: &Inode,
    head: &Head,
    unpacked: &mut Unpacked,
    shown: &mut Shown<'_>,
) -> Result<(), ReadError> {
    let Some((mut position, mut left)) = folder.folder else { return Err(ReadError::NotFound("folder")) };
    while left > 0 {
        let group = unpacked.table_bytes(head, &mut position, 12)?;
        let count = group.u32(0).saturating_add(1);
        if count > GROUP {
            return Err(ReadError::Damaged(format!("a folder has {count} entries in a group")));
        }
        left = left.saturating_sub(12);
        for _ in 0..count {
            let entry = unpacked.table_bytes(head, &mut position, 8)?;
            let length = usize::from(entry.u16(6)) + 1;
            let name = unpacked.table_bytes(head, &mut position, length)?;
            left = left.saturating_sub(8 + u32::from(entry.u16(6)) + 1);
            let node = u64::from(group.u32(4)) << 16 | u64::from(entry.u16(0));
            if shown.entry(&name, node, kind(entry.u16(4))).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn kind(kind: u16) -> Option<FileKind> {
    match kind {
        1 | 8 => Some(FileKind::Folder),
        2 | 9 => Some(FileKind::File),
        3 | 10 => Some(FileKind::Symlink),
        4..=7 | 11..=14 => Some(FileKind::Other),
        _ => None,
    }
}
