//! XFS, version 4 and 5: the crate `rust-fs-xfs` behind our traits. A log that holds changes is replayed in memory.
//!
//! Metadata comes through the crate. The bytes of files are read from the disk in one piece for each extent, and
//! folders block by block, so that neither a large file nor a large folder is held in memory.

use std::{fmt, ops::ControlFlow, sync::Arc};

use fs_xfs::{
    Error, Filesystem, dir,
    extent::{self, Extent},
    inode::{FileType, Format, Inode},
};

use super::{
    About, Entry, FileKind, FileSystem, Metadata, Place, ReadError, Reader,
    disk::Disk,
    guard::guarded,
    names::{Shown, uuid},
};

/// Where the entries of a folder end and its index begins, in bytes of the folder.
const INDEX_START: u64 = 1 << 35;

/// Blocks of metadata that the crate keeps for all threads: 4 MiB at the usual 4 KiB.
const CACHED_BLOCKS: usize = 1024;

struct Xfs {
    shared: Arc<Shared>,
    about: About,
}

struct Shared {
    disk: Disk,
    inner: Filesystem,
}

impl fmt::Debug for Xfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Xfs").field("about", &self.about).finish_non_exhaustive()
    }
}

pub(super) fn open(disk: Disk) -> Result<Arc<dyn FileSystem>, ReadError> {
    let device = Arc::new(disk.clone());
    let inner = guarded("xfs", || Filesystem::mount_with_cache(device, CACHED_BLOCKS).map_err(read_error))?;
    let head = inner.superblock();
    let mut notes = Vec::new();
    if inner.was_replayed() {
        notes.push("the log held changes; they were replayed in memory".to_owned());
    }
    Ok(Arc::new(Xfs {
        about: About { label: head.fname.clone(), uuid: uuid(&head.uuid), notes, left_out: Vec::new() },
        shared: Arc::new(Shared { disk, inner }),
    }))
}

impl FileSystem for Xfs {
    fn kind(&self) -> &'static str {
        "xfs"
    }

    fn about(&self) -> &About {
        &self.about
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(XfsReader { shared: self.shared.clone(), last: None }))
    }
}

struct XfsReader {
    shared: Arc<Shared>,
    last: Option<File>,
}

/// The file that was read last.
struct File {
    inode: Inode,
    raw: Vec<u8>,
    extents: Vec<Extent>,
}

impl XfsReader {
    fn inode(&self, node: u64) -> Result<(Inode, Vec<u8>), ReadError> {
        guarded("xfs", || self.shared.inner.read_inode_raw(node).map_err(read_error))
    }

    fn file(&mut self, node: u64) -> Result<&File, ReadError> {
        if self.last.as_ref().is_none_or(|file| file.inode.ino != node) {
            let (inode, raw) = self.inode(node)?;
            if !inode.is_regular_file() {
                return Err(ReadError::NotFound("file"));
            }
            let extents = match inode.format {
                Format::Local => Vec::new(),
                _ => guarded("xfs", || self.shared.inner.data_extents(&inode, &raw).map_err(read_error))?,
            };
            self.last = Some(File { inode, raw, extents });
        }
        self.last.as_ref().ok_or(ReadError::NotFound("file"))
    }

    /// Shows the entries in one block of a folder.
    fn show_block(&self, at: u64, folder: u64, shown: &mut Shown<'_>) -> Result<ControlFlow<()>, ReadError> {
        let inner = &self.shared.inner;
        let head = inner.superblock();
        let entries = guarded("xfs", || {
            let offset = head.fsblock_offset(at);
            let mut block = vec![0; head.dirblocksize() as usize];
            inner.device().read_at(offset, &mut block).map_err(|error| read_error(error.into()))?;
            if head.is_v5() {
                dir::verify_data_block(&block, head, offset / 512, folder).map_err(read_error)?;
            }
            dir::parse_data_block(&block, head).map_err(read_error)
        })?;
        for entry in entries {
            if shown.entry(&entry.name, entry.ino, entry.ftype.map(kind)).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Reader for XfsReader {
    fn root(&self) -> Place {
        Place { path: crate::FilePath::root(), node: self.shared.inner.superblock().rootino }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        let (inode, _) = self.inode(place.node)?;
        Ok(Metadata {
            kind: inode.file_type().map_or(FileKind::Other, kind),
            size: inode.size,
            mode: u32::from(inode.mode) & 0o7777,
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
        let (inode, raw) = self.inode(folder.node)?;
        if !inode.is_dir() {
            return Err(ReadError::NotFound("folder"));
        }
        let mut shown = Shown::new(each);
        if inode.format == Format::Local {
            let entries = guarded("xfs", || self.shared.inner.read_dir(&inode, &raw).map_err(read_error))?;
            for entry in entries {
                if shown.entry(&entry.name, entry.ino, entry.ftype.map(kind)).is_break() {
                    return shown.end();
                }
            }
            return shown.end();
        }
        let extents = guarded("xfs", || self.shared.inner.data_extents(&inode, &raw).map_err(read_error))?;
        let head = self.shared.inner.superblock();
        let index = INDEX_START / u64::from(head.blocksize).max(1);
        let step = (u64::from(head.dirblocksize()) / u64::from(head.blocksize).max(1)).max(1);
        for extent in extents.iter().filter(|extent| !extent.is_unwritten()) {
            let mut block = extent.startoff;
            while block < extent.end_offset().min(index) {
                let Some(at) = extent.map(block) else { break };
                if self.show_block(at, folder.node, &mut shown)?.is_break() {
                    return shown.end();
                }
                block = block.saturating_add(step);
            }
        }
        shown.end()
    }

    fn lookup(&mut self, folder: &Place, name: &[u8]) -> Result<Option<Place>, ReadError> {
        let (inode, raw) = self.inode(folder.node)?;
        let found = guarded("xfs", || match self.shared.inner.lookup(&inode, &raw, name) {
            Ok(inode) => Ok(Some(inode.ino)),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(read_error(error)),
        })?;
        Ok(found.map(|node| Place { path: folder.path.join(name), node }))
    }

    fn read_link(&mut self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let (inode, raw) = self.inode(place.node)?;
        if !inode.is_symlink() {
            return Err(ReadError::NotFound("symbolic link"));
        }
        guarded("xfs", || self.shared.inner.read_link(&inode, &raw).map_err(read_error))
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let shared = self.shared.clone();
        let File { inode, raw, extents } = self.file(place.node)?;
        let Some(left) = inode.size.checked_sub(offset).filter(|&left| left > 0) else { return Ok(0) };
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        if inode.format == Format::Local {
            return guarded("xfs", || shared.inner.read_at(inode, raw, offset, buffer).map_err(read_error));
        }
        let head = shared.inner.superblock();
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let position = offset.saturating_add(done as u64);
            let run = run_at(extents, position, u64::from(head.blocksize).max(1));
            let piece = usize::try_from(run.length).unwrap_or(usize::MAX).min(rest.len());
            let rest = rest.get_mut(..piece).unwrap_or_default();
            match run.block {
                Some(block) => {
                    shared.disk.fill(head.fsblock_offset(block).saturating_add(run.within), rest)?
                }
                None => rest.fill(0),
            }
            done += piece;
        }
        Ok(length)
    }
}

/// Bytes of a file that lie together.
struct Run {
    /// The block on disk; `None` for a hole, or for space that was never written.
    block: Option<u64>,
    /// How far into it.
    within: u64,
    /// How many bytes, at least 1.
    length: u64,
}

fn run_at(extents: &[Extent], position: u64, block_size: u64) -> Run {
    let (block, within) = (position / block_size, position % block_size);
    let blocks_end = match extent::lookup(extents, block) {
        Some(extent) => {
            let length = extent.end_offset().saturating_sub(block).max(1).saturating_mul(block_size) - within;
            let block = extent.map(block).filter(|_| !extent.is_unwritten());
            return Run { block, within, length };
        }
        None => extents.iter().map(|extent| extent.startoff).find(|&start| start > block),
    };
    let length = blocks_end.map_or(u64::MAX, |end| (end - block).saturating_mul(block_size) - within);
    Run { block: None, within, length }
}

fn kind(kind: FileType) -> FileKind {
    match kind {
        FileType::Regular => FileKind::File,
        FileType::Directory => FileKind::Folder,
        FileType::Symlink => FileKind::Symlink,
        FileType::CharDevice | FileType::BlockDevice | FileType::Fifo | FileType::Socket => FileKind::Other,
    }
}

fn read_error(error: Error) -> ReadError {
    match error {
        Error::NotFound => ReadError::NotFound("file"),
        Error::NotADirectory => ReadError::NotFound("folder"),
        Error::NotAFile => ReadError::NotFound("file"),
        Error::UnsupportedFeature(_) | Error::RealtimeDeviceAbsent { .. } | Error::DirtyLog => {
            ReadError::Unsupported(error.to_string())
        }
        Error::Io(text) => ReadError::Io(std::io::Error::other(text)),
        error => ReadError::Damaged(error.to_string()),
    }
}
