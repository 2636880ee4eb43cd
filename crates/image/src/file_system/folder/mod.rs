//! A folder of this machine, as it is now.
//!
//! Every path is resolved by the kernel below the folder (`openat2`), or name by name where the kernel cannot: no
//! symbolic link is followed, ever, so that none leads out, also when somebody moves folders about meanwhile. Pipes and
//! devices are never opened. What vanishes meanwhile is "not found".
//!
//! Mounts below the folder are entered, for a system is more than its root file system; those of the kernel (`/proc`,
//! `/sys`) are seen as empty folders, which a note says.

mod open;
mod pseudo;
mod reader;

use std::{
    fs::File,
    io,
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use rustix::fs::{CWD, Mode, OFlags};

use super::{FileSystem, Place, ReadError, Reader};
use reader::FolderReader;

/// A folder of this machine.
#[derive(Debug)]
pub struct Folder {
    root: Arc<Root>,
    notes: Vec<String>,
}

/// The folder itself: all paths start here.
#[derive(Debug)]
struct Root {
    handle: OwnedFd,
    /// The file system that it lies on.
    device: u64,
    /// Whether the kernel knows `openat2`, as far as is known.
    by_kernel: AtomicBool,
}

impl Folder {
    /// Opens a folder. A symbolic link to one is followed here, and only here.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let device = rustix::fs::fstat(&handle)?.st_dev;
        let notes = pseudo::mounts_below(path).into_iter().collect();
        Ok(Self { root: Arc::new(Root { handle, device, by_kernel: AtomicBool::new(true) }), notes })
    }

    /// One of its files, for somebody who keeps it open.
    ///
    /// # Errors
    /// See [`ReadError`]; `NotFound` for what is not a regular file.
    pub(crate) fn file(&self, place: &Place) -> Result<File, ReadError> {
        FolderReader::new(Arc::clone(&self.root)).file(place).map(File::from)
    }
}

impl FileSystem for Folder {
    fn kind(&self) -> &'static str {
        "folder"
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        Ok(Box::new(FolderReader::new(Arc::clone(&self.root))))
    }
}

#[cfg(test)]
mod tests;
