//! The items of the trees of files: inodes, names, references.

use super::{
    super::{FileKind, Metadata, ReadError, disk::Fields as _},
    tree::Key,
};

/// Kinds of items.
pub const INODE: u8 = 1;
pub const REFERENCE: u8 = 12;
pub const LONG_REFERENCE: u8 = 13;
pub const DIR_LOG_INDEX: u8 = 72;
pub const DIR_ITEM: u8 = 84;
pub const DIR_INDEX: u8 = 96;
pub const EXTENT: u8 = 108;
pub const ROOT: u8 = 132;
pub const ROOT_BACK_REFERENCE: u8 = 144;

/// An inode.
#[derive(Clone, Copy, Debug)]
pub struct Inode {
    /// The transaction that made it; 0 in a log that only says that it is there.
    pub generation: u64,
    pub metadata: Metadata,
}

impl Inode {
    pub fn read(item: &[u8]) -> Result<Self, ReadError> {
        let mode = item.u32(52);
        let kind = match mode & 0xf000 {
            0x8000 => FileKind::File,
            0x4000 => FileKind::Folder,
            0xa000 => FileKind::Symlink,
            0x1000 | 0x2000 | 0x6000 | 0xc000 => FileKind::Other,
            _ => return Err(ReadError::Damaged(format!("an inode has the mode {mode:o}"))),
        };
        let metadata = Metadata {
            kind,
            size: item.u64(16),
            mode: mode & 0o7777,
            uid: item.u32(44),
            gid: item.u32(48),
            modified: i64::from_le_bytes(item.array(136)),
        };
        Ok(Self { generation: item.u64(0), metadata })
    }
}

/// A name in a folder.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    /// The inode, or the root of a subvolume.
    pub target: Key,
    pub kind: Option<FileKind>,
    pub name: &'a [u8],
}

/// The names in an item: one for its place in the folder, and as many as have one checksum.
pub fn names(item: &[u8]) -> impl Iterator<Item = Result<Name<'_>, ReadError>> {
    let mut rest = item;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (data, length) = (usize::from(rest.u16(25)), usize::from(rest.u16(27)));
        let Some(name) = rest.get(30..30 + length) else {
            rest = &[];
            return Some(Err(ReadError::Damaged("a name in a folder is longer than its item".into())));
        };
        let kind = match rest.u8(29) {
            1 => Some(FileKind::File),
            2 => Some(FileKind::Folder),
            7 => Some(FileKind::Symlink),
            3..=6 => Some(FileKind::Other),
            _ => None,
        };
        let found = Name { target: Key::read(rest), kind, name };
        rest = rest.get(30 + length + data..).unwrap_or_default();
        Some(Ok(found))
    })
}

/// The names that an inode has, by its references to folders: each folder, and the name there. `key` is that of the item.
pub fn references(key: Key, item: &[u8]) -> impl Iterator<Item = Result<(u64, &[u8]), ReadError>> {
    let mut rest = item;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (folder, head) = if key.kind == REFERENCE { (key.offset, 8) } else { (rest.u64(0), 16) };
        let start = head + 2;
        let length = usize::from(rest.u16(head));
        let Some(name) = rest.get(start..start + length) else {
            rest = &[];
            return Some(Err(ReadError::Damaged("a reference is longer than its item".into())));
        };
        rest = rest.get(start + length..).unwrap_or_default();
        Some(Ok((folder, name)))
    })
}
