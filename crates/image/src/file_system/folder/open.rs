//! Opening what lies below a folder without leaving it.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::atomic::Ordering,
};

use rustix::{
    fs::{FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::Root;
use crate::path::FilePath;

/// Longer paths go to the kernel name by name.
const PATH_BYTES: usize = 4000;

/// Opens a folder for reading.
pub(super) fn folder(root: &Root, path: &FilePath) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    if path.is_root() {
        return quietly(&root.handle, b".", flags);
    }
    if path.as_bytes().len() <= PATH_BYTES && root.by_kernel.load(Ordering::Relaxed) {
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let relative = path.as_bytes().get(1..).unwrap_or_default();
        let open = |flags| rustix::fs::openat2(&root.handle, relative, flags, Mode::empty(), beneath);
        let opened = match open(flags | OFlags::NOATIME) {
            Err(Errno::PERM) => open(flags),
            opened => opened,
        };
        match opened {
            // An old kernel says the one, a filter of system calls the other.
            Err(Errno::NOSYS | Errno::PERM) => root.by_kernel.store(false, Ordering::Relaxed),
            opened => return opened,
        }
    }
    by_names(root, path, flags)
}

/// Opens a folder name by name: no name is a path, so that none can lead out.
pub(super) fn by_names(root: &Root, path: &FilePath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut folder = quietly(&root.handle, b".", flags)?;
    for name in path.names() {
        folder = quietly(&folder, name, flags)?;
    }
    Ok(folder)
}

/// Opens a regular file of an open folder for reading.
pub(super) fn file(folder: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    // Asked before: to open a device, or a pipe that somebody waits at, does something to it.
    let status = status(folder, name)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(Errno::NOENT);
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = quietly(folder, name, flags)?;
    // And asked again: it may have been replaced in between.
    match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(file),
        _ => Err(Errno::NOENT),
    }
}

/// What is known about a name in an open folder.
pub(super) fn status(folder: &OwnedFd, name: &[u8]) -> Result<rustix::fs::Stat, Errno> {
    use rustix::fs::AtFlags;
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT)
}

/// Opens without changing the time of the last access, where the system allows that: for one's own files.
fn quietly(folder: impl AsFd, name: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    match rustix::fs::openat(&folder, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::openat(&folder, name, flags, Mode::empty()),
        opened => opened,
    }
}
