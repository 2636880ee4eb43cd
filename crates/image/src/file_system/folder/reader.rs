//! Reading a folder of this machine in one thread.

use std::{io, ops::ControlFlow, os::fd::OwnedFd, sync::Arc};

use rustix::{
    fs::{FileType, RawDir, Stat},
    io::Errno,
};

use super::{Root, open, pseudo};
use crate::{
    file_system::{Entry, FileKind, Metadata, Place, ReadError, Reader},
    path::FilePath,
};

/// How much of a folder the system hands out at once.
const LISTING_BYTES: usize = 32 * 1024;

pub(super) struct FolderReader {
    root: Arc<Root>,
    /// The folder that was used last: most questions are about files of one folder after the other.
    folder: Option<(FilePath, OwnedFd)>,
    /// The file that was read last.
    file: Option<(FilePath, OwnedFd)>,
    listing: Vec<u8>,
}

impl FolderReader {
    pub fn new(root: Arc<Root>) -> Self {
        Self { root, folder: None, file: None, listing: Vec::new() }
    }

    /// Opens a regular file.
    pub fn file(&mut self, place: &Place) -> Result<OwnedFd, ReadError> {
        let parent = place.path.parent().ok_or(ReadError::NotFound("file"))?;
        let folder = self.folder(&parent)?;
        open::file(folder, place.path.name()).map_err(|errno| error(errno, "file"))
    }

    fn folder(&mut self, path: &FilePath) -> Result<&OwnedFd, ReadError> {
        if self.folder.as_ref().is_none_or(|(of, _)| of != path) {
            let handle = open::folder(&self.root, path).map_err(|errno| error(errno, "folder"))?;
            // Its entries are not there for us, whoever asks for one by its name.
            if !path.is_root() && pseudo::is_pseudo(&handle) {
                return Err(ReadError::NotFound("folder"));
            }
            self.folder = Some((path.clone(), handle));
        }
        match &self.folder {
            Some((_, folder)) => Ok(folder),
            None => Err(ReadError::NotFound("folder")),
        }
    }

    fn status(&mut self, path: &FilePath) -> Result<Stat, ReadError> {
        match path.parent() {
            None => rustix::fs::fstat(&self.root.handle).map_err(|errno| error(errno, "folder")),
            Some(parent) => {
                let folder = self.folder(&parent)?;
                open::status(folder, path.name()).map_err(|errno| error(errno, "file"))
            }
        }
    }
}

/// Inodes are numbered in each file system anew; those of the folder's own keep their number.
fn node(root: u64, device: u64, inode: u64) -> u64 {
    match device == root {
        true => inode,
        false => inode ^ device.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63,
    }
}

impl Reader for FolderReader {
    fn root(&self) -> Place {
        let inode = rustix::fs::fstat(&self.root.handle).map_or(0, |status| status.st_ino);
        Place { path: FilePath::root(), node: inode }
    }

    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError> {
        let status = self.status(&place.path)?;
        Ok(Metadata {
            kind: kind(FileType::from_raw_mode(status.st_mode)).unwrap_or(FileKind::Other),
            size: u64::try_from(status.st_size).unwrap_or(0),
            mode: status.st_mode & 0o7777,
            uid: status.st_uid,
            gid: status.st_gid,
            modified: status.st_mtime,
        })
    }

    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        // A handle of its own: another listing of the same folder must not move it.
        let handle = open::folder(&self.root, &folder.path).map_err(|errno| error(errno, "folder"))?;
        if !folder.path.is_root() && pseudo::is_pseudo(&handle) {
            return Ok(());
        }
        let device = rustix::fs::fstat(&handle).map_err(|errno| error(errno, "folder"))?.st_dev;
        let root = self.root.device;
        self.listing.reserve(LISTING_BYTES);
        let mut entries = RawDir::new(&handle, self.listing.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // It was removed while it was listed.
                Err(Errno::NOENT) => break,
                Err(errno) => return Err(error(errno, "folder")),
            };
            let name = entry.file_name().to_bytes();
            if matches!(name, b"" | b"." | b"..") {
                continue;
            }
            let node = node(root, device, entry.ino());
            if each(Entry { name, node, kind: kind(entry.file_type()) }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn lookup(&mut self, folder: &Place, name: &[u8]) -> Result<Option<Place>, ReadError> {
        let opened = match self.folder(&folder.path) {
            Ok(opened) => opened,
            Err(ReadError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        match open::status(opened, name) {
            Ok(status) => {
                let node = node(self.root.device, status.st_dev, status.st_ino);
                Ok(Some(Place { path: folder.path.join(name), node }))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Ok(None),
            Err(errno) => Err(error(errno, "file")),
        }
    }

    fn read_link(&mut self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let parent = place.path.parent().ok_or(ReadError::NotFound("symbolic link"))?;
        let folder = self.folder(&parent)?;
        match rustix::fs::readlinkat(folder, place.path.name(), Vec::new()) {
            Ok(target) => Ok(target.into_bytes()),
            Err(Errno::INVAL) => Err(ReadError::NotFound("symbolic link")),
            Err(errno) => Err(error(errno, "symbolic link")),
        }
    }

    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if self.file.as_ref().is_none_or(|(of, _)| *of != place.path) {
            self.file = Some((place.path.clone(), self.file(place)?));
        }
        let Some((_, file)) = &self.file else { return Ok(0) };
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let Some(at) = offset.checked_add(filled as u64) else { break };
            match rustix::io::pread(file, rest, at) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(error(errno, "file")),
            }
        }
        Ok(filled)
    }
}

fn kind(file_type: FileType) -> Option<FileKind> {
    match file_type {
        FileType::RegularFile => Some(FileKind::File),
        FileType::Directory => Some(FileKind::Folder),
        FileType::Symlink => Some(FileKind::Symlink),
        FileType::Unknown => None,
        _ => Some(FileKind::Other),
    }
}

/// What vanished, or was replaced by something else, is not there; the rest is for the user to know.
fn error(errno: Errno, what: &'static str) -> ReadError {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::STALE | Errno::NODEV | Errno::NXIO => {
            ReadError::NotFound(what)
        }
        errno => ReadError::Io(io::Error::from(errno)),
    }
}
