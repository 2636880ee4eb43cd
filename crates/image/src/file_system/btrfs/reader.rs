//! Reads through the trees of subvolumes.

use std::{ops::ControlFlow, sync::Arc};

use fs_btrfs::{
    Error, Filesystem,
    dir::DirEntry,
    inode::{FileType, Inode},
};

use super::{
    super::{Entry, FileKind, Metadata, Place, ReadError, Reader, guard::guarded, names::Shown},
    Shared, TOP, read_error,
};
use crate::FilePath;

/// The root folder of every subvolume.
const ROOT: u64 = 256;

/// What the kernel shows for a subvolume inside a snapshot: an empty folder.
const EMPTY: u64 = 2;

/// Bits of a node that hold the inode; the ones above hold the position of the subvolume and one.
const INODE_BITS: u32 = 48;

/// How much of a file is read at once, in bytes: the crate looks through all extents of the file for each read.
const AHEAD: usize = 4 << 20;

pub(super) struct BtrfsReader {
    shared: Arc<Shared>,
    /// The tree that was used last, and its position.
    tree: Option<(u64, Arc<Filesystem>)>,
    ahead: Ahead,
}

/// A piece of the file that was read last.
#[derive(Default)]
struct Ahead {
    node: u64,
    offset: u64,
    bytes: Vec<u8>,
}

impl BtrfsReader {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, tree: None, ahead: Ahead::default() }
    }

    /// The tree that a node lies in, and its inode there.
    fn find(&mut self, node: u64) -> Result<(Arc<Filesystem>, u64), ReadError> {
        let (position, number) = (node >> INODE_BITS, node & ((1 << INODE_BITS) - 1));
        if let Some((last, tree)) = &self.tree
            && *last == position
        {
            return Ok((tree.clone(), number));
        }
        let tree = self.shared.tree(position)?;
        self.tree = Some((position, tree.clone()));
        Ok((tree, number))
    }

    fn inode(&mut self, node: u64) -> Result<(Arc<Filesystem>, Inode), ReadError> {
        let (tree, number) = self.find(node)?;
        let inode = guarded("btrfs", || tree.read_inode(number).map_err(read_error))?;
        Ok((tree, inode))
    }

    /// The node of an entry in the folder with the node `folder`.
    fn node(&self, folder: u64, entry: &DirEntry) -> Result<u64, ReadError> {
        let (position, inode) = (folder >> INODE_BITS, folder & ((1 << INODE_BITS) - 1));
        if entry.is_inode() {
            if entry.ino >> INODE_BITS != 0 {
                return Err(ReadError::Unsupported(format!(
                    "inode {}, which needs more than 48 bits",
                    entry.ino
                )));
            }
            return Ok(position << INODE_BITS | entry.ino);
        }
        let is_there = self.shared.has_subvolume(position, inode, entry.ino, &entry.name);
        let found = self.shared.position(entry.ino).filter(|_| is_there);
        Ok(found.map_or(position << INODE_BITS | EMPTY, |found| found << INODE_BITS | ROOT))
    }

    fn is_empty(node: u64) -> bool {
        node & ((1 << INODE_BITS) - 1) == EMPTY
    }
}

impl Reader for BtrfsReader {
    fn root(&self) -> Place {
        let position = self.shared.position(TOP).unwrap_or(0);
        Place { path: FilePath::root(), node: position << INODE_BITS | ROOT }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        if Self::is_empty(place.node) {
            return Ok(Metadata {
                kind: FileKind::Folder,
                size: 0,
                mode: 0o755,
                uid: 0,
                gid: 0,
                modified: 0,
            });
        }
        let (_, inode) = self.inode(place.node)?;
        Ok(Metadata {
            kind: inode.file_type().map_or(FileKind::Other, kind),
            size: inode.size,
            mode: inode.mode & 0o7777,
            uid: inode.uid,
            gid: inode.gid,
            modified: inode.mtime.sec,
        })
    }

    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        if Self::is_empty(folder.node) {
            return Ok(());
        }
        let (tree, number) = self.find(folder.node)?;
        let entries = guarded("btrfs", || tree.read_dir(number).map_err(read_error))?;
        let mut shown = Shown::new(each);
        for entry in entries {
            let node = self.node(folder.node, &entry)?;
            if shown.entry(&entry.name, node, entry.ftype.map(kind)).is_break() {
                return shown.end();
            }
        }
        shown.end()
    }

    fn read_link(&mut self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let (tree, inode) = self.inode(place.node)?;
        if !inode.is_symlink() {
            return Err(ReadError::NotFound("symbolic link"));
        }
        guarded("btrfs", || tree.read_link(inode.ino).map_err(read_error))
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let copied = self.ahead.copy(place.node, offset, buffer);
        if copied > 0 {
            return Ok(copied);
        }
        let (tree, number) = self.find(place.node)?;
        let read = |offset: u64, buffer: &mut [u8]| {
            guarded("btrfs", || match tree.read_at(number, offset, buffer) {
                Err(Error::NotAFile) => Err(ReadError::NotFound("file")),
                result => result.map_err(read_error),
            })
        };
        if offset == 0 || buffer.len() >= AHEAD {
            // Most files are short, and of many only the beginning is read.
            return read(offset, buffer);
        }
        let size = self.inode(place.node)?.1.size;
        let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        self.ahead.bytes.resize(AHEAD.min(left), 0);
        self.ahead.node = place.node;
        self.ahead.offset = offset;
        let length = match read(offset, &mut self.ahead.bytes) {
            Ok(length) => length,
            Err(error) => {
                self.ahead.bytes.clear();
                return Err(error);
            }
        };
        self.ahead.bytes.truncate(length);
        Ok(self.ahead.copy(place.node, offset, buffer))
    }
}

impl Ahead {
    fn copy(&self, node: u64, offset: u64, buffer: &mut [u8]) -> usize {
        let from = offset.checked_sub(self.offset).and_then(|from| usize::try_from(from).ok());
        let Some(bytes) = from.filter(|_| self.node == node).and_then(|from| self.bytes.get(from..)) else {
            return 0;
        };
        buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        bytes.len().min(buffer.len())
    }
}

fn kind(kind: FileType) -> FileKind {
    match kind {
        FileType::Regular => FileKind::File,
        FileType::Directory => FileKind::Folder,
        FileType::Symlink => FileKind::Symlink,
        FileType::CharDevice | FileType::BlockDevice | FileType::Fifo | FileType::Socket => FileKind::Other,
    }
}
