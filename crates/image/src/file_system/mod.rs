//! File systems, all seen through one trait: those on disks, layers of a container image, a folder of this machine.

use std::{fmt::Debug, io, ops::ControlFlow};

use serde::{Deserialize, Serialize};

use crate::path::FilePath;

mod btrfs;
mod disk;
mod ext;
mod fat;
pub mod folder;
mod guard;
pub mod layers;
mod names;
mod ntfs;
mod open;
mod overlay;
mod squashfs;
mod xfs;

pub(crate) use btrfs::{Member as BtrfsMember, member as btrfs_member};
pub(crate) use names::uuid;
pub use open::{Kind, open, open_btrfs};

/// A file tree that can be read. Shared by threads; each of them reads through a [`Reader`] of its own.
pub trait FileSystem: Debug + Send + Sync {
    /// What it is, in the word that `blkid` has for it: `ext4`, `xfs`, `ntfs`; `layers`, `tar`, `folder`.
    fn kind(&self) -> &'static str;

    /// What it says of itself; the methods below show the parts of it.
    fn about(&self) -> &About {
        &NOTHING_SAID
    }

    /// The name that its maker gave it; empty without one.
    fn label(&self) -> &str {
        &self.about().label
    }

    /// How fstab calls it in `UUID=`; empty without one.
    fn uuid(&self) -> &str {
        &self.about().uuid
    }

    /// Things to tell whoever reads the result: a journal that was replayed in memory, a feature that was ignored.
    fn notes(&self) -> &[String] {
        &self.about().notes
    }

    /// What is in it and is not read, and why: sentences of bounded number and length.
    fn left_out(&self) -> &[String] {
        &self.about().left_out
    }

    /// The folder that is seen when the file system is mounted and nothing says which: the default subvolume of a
    /// btrfs; the root otherwise.
    fn default_folder(&self) -> FilePath {
        FilePath::root()
    }

    /// A reader for one thread.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn reader(&self) -> Result<Box<dyn Reader>, ReadError>;
}

/// What a file system says of itself.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// See [`FileSystem::label`].
    pub label: String,
    /// See [`FileSystem::uuid`].
    pub uuid: String,
    /// See [`FileSystem::notes`].
    pub notes: Vec<String>,
    /// See [`FileSystem::left_out`].
    pub left_out: Vec<String>,
}

static NOTHING_SAID: About =
    About { label: String::new(), uuid: String::new(), notes: Vec::new(), left_out: Vec::new() };

/// Reads one file system in one thread. Keeps no record of what it has visited: its memory does not grow with the
/// number of files.
pub trait Reader {
    /// The root folder.
    fn root(&self) -> Place;

    /// What is known about a file; symbolic links are not followed.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn metadata(&mut self, place: &Place) -> Result<Metadata, ReadError>;

    /// Shows the entries of a folder one after the other, without `.` and `..`, in the order of the file system, until
    /// `each` breaks.
    ///
    /// # Errors
    /// See [`ReadError`]. What was shown before the error is true.
    fn read_folder(
        &mut self,
        folder: &Place,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError>;

    /// The entry of that name; `None` when the folder has none. The way through [`Self::read_folder`] is always right;
    /// a file system that has an index overrides it.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn lookup(&mut self, folder: &Place, name: &[u8]) -> Result<Option<Place>, ReadError> {
        let found = search(self, folder, name)?;
        Ok(found.map(|node| Place { path: folder.path.join(name), node }))
    }

    /// Where a symbolic link leads, as it is written.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn read_link(&mut self, place: &Place) -> Result<Vec<u8>, ReadError>;

    /// Reads from a regular file, from `offset` on, as much as fits and is there; 0 at its end. Holes are zeros.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn read_at(&mut self, place: &Place, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError>;
}

/// What the file system calls the entry of that name, found by reading the folder.
fn search<R: Reader + ?Sized>(reader: &mut R, folder: &Place, name: &[u8]) -> Result<Option<u64>, ReadError> {
    let mut found = None;
    reader.read_folder(folder, &mut |entry| {
        if entry.name != name {
            return ControlFlow::Continue(());
        }
        found = Some(entry.node);
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// A file, as its file system finds it again: by number where it has numbers, by path otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The path from the root of the file system.
    pub path: FilePath,
    /// What the file system calls the file: an inode, a record, an index. Hard links share it.
    pub node: u64,
}

/// An entry of a folder.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its name: never empty, `.`, `..`, nor with a `/` or a zero byte in it.
    pub name: &'a [u8],
    /// See [`Place::node`].
    pub node: u64,
    /// What it is; `None` when only [`Reader::metadata`] tells.
    pub kind: Option<FileKind>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FileKind {
    /// Bytes.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// A device, a pipe, a socket: nothing to read.
    Other,
}

/// What is known about a file besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// In bytes; of a symbolic link, the length of its target.
    pub size: u64,
    /// Permission bits, with set-user-id and the like: 0o7777 at most. Where the file system has none: 0o644, folders
    /// 0o755.
    pub mode: u32,
    /// The owner; 0 where the file system has none.
    pub uid: u32,
    /// The group; 0 where the file system has none.
    pub gid: u32,
    /// Last change of the bytes, in seconds since 1970; 0 when it is not known.
    pub modified: i64,
}

/// Why something in an image could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file or folder is not there, or is not what was asked for.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The image contradicts itself.
    #[error("damaged: {0}")]
    Damaged(String),
    /// It is right, but this reader does not know how: compressed, encrypted or too new.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// One of [`crate::limits`], or a bound of the reader, was reached.
    #[error("more than {limit} {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is read.
        limit: u64,
    },
    /// The disk or the folder below cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// For the fuzz target of the same name: unpacks what a compressed file of NTFS may consist of.
///
/// # Panics
/// When it unpacks to another length than was asked for.
#[cfg(any(test, fuzzing))]
pub fn lznt1(bytes: &[u8]) {
    for size in [0, 5000, 1 << 16] {
        assert!(ntfs::lznt1::unpack(bytes, size).is_none_or(|bytes| bytes.len() == size));
    }
}
