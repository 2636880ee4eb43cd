//! squashfs 4: a reader of our own. It opens an image of any size by reading its head: inodes, folders and bytes are
//! found and unpacked when they are asked for.
//!
//! Source: Documentation/filesystems/squashfs.rst of Linux, and the format as Linux reads it.

mod folder;
mod inode;
mod unpack;

use std::{ops::ControlFlow, sync::Arc};

use self::{
    inode::{Data, Inode},
    unpack::{Compressor, Unpacked},
};
use super::{
    Entry, FileKind, FileSystem, Metadata, Place, ReadError, Reader,
    disk::{Disk, Fields as _},
    names::Shown,
};
use crate::{FilePath, limits};

/// An index entry that says that there is no such table, or no fragment.
const NONE: u32 = u32::MAX;

/// What the superblock says.
#[derive(Debug)]
struct Head {
    disk: Disk,
    compressor: Compressor,
    block_size: u32,
    root: u64,
    ids: Vec<u32>,
    fragments: u32,
    inode_table: u64,
    folder_table: u64,
    fragment_table: u64,
}

#[derive(Debug)]
struct Squashfs {
    head: Arc<Head>,
}

pub(super) fn open(disk: Disk) -> Result<Arc<dyn FileSystem>, ReadError> {
    let bytes = disk.read(0, 96)?;
    let damaged = |what: &str| ReadError::Damaged(format!("superblock: {what}"));
    if bytes.u32(0) != 0x7371_7368 {
        return Err(damaged("no squashfs"));
    }
    let (major, minor) = (bytes.u16(28), bytes.u16(30));
    if (major, minor) != (4, 0) {
        return Err(ReadError::Unsupported(format!("squashfs {major}.{minor}; 4.0 is read")));
    }
    let block_size = bytes.u32(12);
    if !block_size.is_power_of_two() || !(4096..=1 << 20).contains(&block_size) {
        return Err(damaged(&format!("blocks of {block_size} bytes")));
    }
    if bytes.u64(40) > disk.len() {
        return Err(damaged(&format!("{} bytes are more than the volume's {}", bytes.u64(40), disk.len())));
    }
    let mut head = Head {
        compressor: Compressor::new(bytes.u16(20))?,
        block_size,
        root: bytes.u64(32),
        ids: Vec::new(),
        fragments: bytes.u32(16),
        inode_table: bytes.u64(64),
        folder_table: bytes.u64(72),
        fragment_table: bytes.u64(80),
        disk,
    };
    let mut unpacked = Unpacked::default();
    let ids = u32::from(bytes.u16(26));
    for number in 0..ids {
        let entry = unpacked.table_entry(&head, bytes.u64(48), number, 4)?;
        head.ids.push(entry.u32(0));
    }
    let mut reader = SquashfsReader { head: Arc::new(head), unpacked, last: None };
    if reader.inode(reader.head.root)?.metadata.kind != FileKind::Folder {
        return Err(ReadError::Damaged("the root is not a folder".into()));
    }
    Ok(Arc::new(Squashfs { head: reader.head }))
}

impl FileSystem for Squashfs {
    fn kind(&self) -> &'static str {
        "squashfs"
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(SquashfsReader { head: self.head.clone(), unpacked: Unpacked::default(), last: None }))
    }
}

struct SquashfsReader {
    head: Arc<Head>,
    unpacked: Unpacked,
    /// The inode that was used last, and where it lies.
    last: Option<(u64, Arc<Inode>)>,
}

impl SquashfsReader {
    /// The inode at a place: the upper 48 bits are a block of the table, the lower 16 how far into it.
    fn inode(&mut self, node: u64) -> Result<Arc<Inode>, ReadError> {
        if let Some((last, inode)) = &self.last
            && *last == node
        {
            return Ok(inode.clone());
        }
        let inode = Arc::new(Inode::read(node, &self.head, &mut self.unpacked)?);
        self.last = Some((node, inode.clone()));
        Ok(inode)
    }

    /// The bytes of a file that lie in one of its blocks, or in its fragment, as many as there are and fit.
    fn read_piece(
        &mut self,
        data: &Data,
        size: u64,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ReadError> {
        let block_size = u64::from(self.head.block_size);
        let (number, within) = (offset / block_size, offset % block_size);
        let length = block_size.min(size - number * block_size);
        let piece = usize::try_from(length - within).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..piece).unwrap_or_default();
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let bytes = match data.block(number) {
            Some((_, 0)) => {
                buffer.fill(0);
                return Ok(piece);
            }
            Some((start, stored)) => self.unpacked.data(&self.head, start, stored)?,
            None => {
                let (start, stored) = self.unpacked.fragment(&self.head, data.fragment)?;
                let bytes = self.unpacked.data(&self.head, start, stored)?;
                let from = usize::try_from(data.fragment_offset).unwrap_or(usize::MAX);
                bytes.get(from..).unwrap_or_default()
            }
        };
        let from = usize::try_from(within).unwrap_or(usize::MAX);
        let bytes = bytes.get(from..from.saturating_add(piece));
        buffer.copy_from_slice(bytes.ok_or_else(|| ReadError::Damaged("a block is too short".into()))?);
        Ok(piece)
    }
}

impl Reader for SquashfsReader {
    fn root(&self) -> Place {
        Place { path: FilePath::root(), node: self.head.root }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        Ok(self.inode(place.node)?.metadata)
    }

    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let inode = self.inode(folder.node)?;
        let mut shown = Shown::new(each);
        folder::show(&inode, &self.head, &mut self.unpacked, &mut shown)?;
        shown.end()
    }

    fn read_link(&mut self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let inode = self.inode(place.node)?;
        if inode.metadata.kind != FileKind::Symlink {
            return Err(ReadError::NotFound("symbolic link"));
        }
        let length = usize::try_from(inode.metadata.size).ok().filter(|&length| length <= limits::PATH_BYTES);
        let length = length.ok_or(ReadError::Limit {
            what: "bytes in the target of a link",
            limit: limits::PATH_BYTES as u64,
        })?;
        self.unpacked.table_bytes(&self.head, &mut inode.end.clone(), length)
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let inode = self.inode(place.node)?;
        let Some(data) = &inode.data else { return Err(ReadError::NotFound("file")) };
        let size = inode.metadata.size;
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let offset = offset.saturating_add(done as u64);
            if offset >= size {
                break;
            }
            done += self.read_piece(data, size, offset, rest)?;
        }
        Ok(done)
    }
}
