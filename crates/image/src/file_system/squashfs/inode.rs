//! Inodes, which lie in compressed blocks one after the other.

use super::{
    super::{FileKind, Metadata, ReadError, disk::Fields as _},
    Head, NONE,
    unpack::{Position, Unpacked},
};

/// How many blocks a file may have: 8 TiB at the largest size, and 16 MiB of memory for their lengths here.
const BLOCKS: u64 = 4 << 20;

/// What is known about a file.
#[derive(Debug)]
pub struct Inode {
    pub metadata: Metadata,
    /// Of a regular file: where its bytes lie.
    pub data: Option<Data>,
    /// Of a folder: where its entries lie, and how many bytes they are.
    pub folder: Option<(Position, u32)>,
    /// Where the inode ends: there the target of a symbolic link begins.
    pub end: Position,
}

/// Where the bytes of a file lie.
#[derive(Debug)]
pub struct Data {
    /// Where each block begins, and how long it is there; 0 for a hole.
    blocks: Vec<(u64, u32)>,
    pub fragment: u32,
    pub fragment_offset: u32,
}

impl Data {
    /// `None` when the bytes lie in the fragment.
    pub fn block(&self, number: usize) -> Option<(u64, u32)> {
        self.blocks.get(number).copied()
    }
}

impl Inode {
    pub fn read(node: u64, head: &Head, unpacked: &mut Unpacked) -> Result<Self, ReadError> {
        let mut end = Position {
            block: head.inode_table.saturating_add(node >> 16),
            within: usize::try_from(node & 0xffff).unwrap_or(0),
        };
        let start = unpacked.table_bytes(head, &mut end, 16)?;
        let number = start.u16(0);
        // Each kind has a short form and a long one, seven numbers later.
        let (kind, rest) = match number {
            1 => (FileKind::Folder, 16),
            2 => (FileKind::File, 16),
            3 => (FileKind::Symlink, 8),
            8 => (FileKind::Folder, 24),
            9 => (FileKind::File, 40),
            10 => (FileKind::Symlink, 8),
            4 | 5 => (FileKind::Other, 8),
            6 | 7 => (FileKind::Other, 4),
            11 | 12 => (FileKind::Other, 12),
            13 | 14 => (FileKind::Other, 8),
            _ => return Err(ReadError::Damaged(format!("an inode of the unknown kind {number}"))),
        };
        let fields = unpacked.table_bytes(head, &mut end, rest)?;
        let id = |at: usize| {
            let id = head.ids.get(usize::from(start.u16(at))).copied();
            id.ok_or_else(|| ReadError::Damaged("an owner that is not in the table".into()))
        };
        let mut inode = Self {
            metadata: Metadata {
                kind,
                size: 0,
                mode: u32::from(start.u16(2)) & 0o7777,
                uid: id(4)?,
                gid: id(6)?,
                modified: i64::from(start.u32(8)),
            },
            data: None,
            folder: None,
            end,
        };
        match number {
            1 => inode.set_folder(head, fields.u32(0), fields.u16(10), u32::from(fields.u16(8))),
            8 => inode.set_folder(head, fields.u32(8), fields.u16(18), fields.u32(4)),
            2 => inode.set_data(
                head,
                unpacked,
                Start {
                    block: u64::from(fields.u32(0)),
                    fragment: fields.u32(4),
                    fragment_offset: fields.u32(8),
                    size: u64::from(fields.u32(12)),
                },
            )?,
            9 => inode.set_data(
                head,
                unpacked,
                Start {
                    block: fields.u64(0),
                    fragment: fields.u32(28),
                    fragment_offset: fields.u32(32),
                    size: fields.u64(8),
                },
            )?,
            3 | 10 => inode.metadata.size = u64::from(fields.u32(4)),
            _ => {}
        }
        Ok(inode)
    }

    fn set_folder(&mut self, head: &Head, block: u32, within: u16, size: u32) {
        let block = head.folder_table.saturating_add(u64::from(block));
        // The length counts `.` and `..`, which are not there, as three bytes.
        self.folder = Some((Position { block, within: usize::from(within) }, size.saturating_sub(3)));
        self.metadata.size = u64::from(size);
    }

    fn set_data(&mut self, head: &Head, unpacked: &mut Unpacked, start: Start) -> Result<(), ReadError> {
        self.metadata.size = start.size;
        let block_size = u64::from(head.block_size);
        let has_fragment = start.fragment != NONE;
        let count = if has_fragment { start.size / block_size } else { start.size.div_ceil(block_size) };
        if count > BLOCKS {
            return Err(ReadError::Limit { what: "blocks in a file", limit: BLOCKS });
        }
        let lengths = usize::try_from(count * 4).unwrap_or(usize::MAX);
        let lengths = unpacked.table_bytes(head, &mut self.end, lengths)?;
        let mut at = start.block;
        let blocks = lengths.chunks_exact(4).map(|stored| {
            let (start, stored) = (at, stored.u32(0));
            at = at.saturating_add(u64::from(stored & 0xff_ffff));
            (start, stored)
        });
        let blocks = blocks.collect();
        self.data = Some(Data { blocks, fragment: start.fragment, fragment_offset: start.fragment_offset });
        Ok(())
    }
}

/// Where a file begins, as its inode says.
struct Start {
    block: u64,
    fragment: u32,
    fragment_offset: u32,
    size: u64,
}
