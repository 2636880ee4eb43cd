//! Volumes put together as the system on them saw them.

use std::{ops::ControlFlow, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    file_system::{Entry, FileSystem, Metadata, Place, ReadError, Reader},
    path::FilePath,
    volume::Volume,
};

/// A system, or a volume that belongs to none.
#[derive(Debug)]
pub struct System {
    /// The volume of its root: see [`Volume::place`].
    pub place: String,
    /// Which operating system it is; `None` for a volume with data alone.
    pub os: Option<Os>,
    /// Its files.
    pub tree: Arc<Tree>,
    /// Things to tell: a line of fstab whose volume is not on the target.
    pub notes: Vec<String>,
}

/// Which operating system, as it says itself in `/etc/os-release` and the files older systems have instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Os {
    /// `ID`: `debian`, `alpine`, `rocky`, `windows`.
    pub id: String,
    /// `ID_LIKE`, nearest first.
    pub id_like: Vec<String>,
    /// `VERSION_ID`: `12`, `3.20.3`; empty for a rolling release.
    pub version: String,
    /// `VERSION_CODENAME`; empty without one.
    pub codename: String,
    /// `PRETTY_NAME`.
    pub name: String,
}

/// The files of a system: file systems put into each other.
#[derive(Debug)]
pub struct Tree {
    /// The root first; a later one hides what an earlier one has there.
    pub mounts: Vec<Mount>,
}

/// A file system in its place.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The folder.
    pub at: FilePath,
    /// What is there.
    pub file_system: Arc<dyn FileSystem>,
    /// Which folder of the file system is seen there: `/`, or the subvolume of a btrfs.
    pub from: FilePath,
    /// See [`Volume::place`].
    pub volume: String,
}

/// Reads a tree in one thread.
pub struct TreeReader {
    readers: Vec<(Mount, Box<dyn Reader>)>,
}

/// A file of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TreePlace {
    /// Which of [`Tree::mounts`].
    pub mount: usize,
    /// Where in its file system.
    pub place: Place,
    /// The path that the system saw.
    pub path: FilePath,
}

/// The systems on some volumes: see [`crate::Opened::systems`].
#[must_use]
pub fn systems(_volumes: &[Volume]) -> Vec<System> {
    unimplemented!()
}

impl Tree {
    /// A reader for one thread.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn reader(&self) -> Result<TreeReader, ReadError> {
        unimplemented!()
    }
}

impl TreeReader {
    /// The root folder.
    #[must_use]
    pub fn root(&self) -> TreePlace {
        unimplemented!()
    }

    /// See [`Reader::metadata`].
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn metadata(&mut self, _place: &TreePlace) -> Result<Metadata, ReadError> {
        unimplemented!()
    }

    /// See [`Reader::read_folder`]; folders that another mount hides lead to that mount.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_folder(
        &mut self,
        _folder: &TreePlace,
        _each: &mut dyn FnMut(Entry<'_>, TreePlace) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        unimplemented!()
    }

    /// The file at a path of the system, with symbolic links followed inside the tree, as a program with that root
    /// would find it; `None` when there is none.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn find(&mut self, _path: &FilePath) -> Result<Option<TreePlace>, ReadError> {
        unimplemented!()
    }

    /// See [`Reader::read_at`].
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_at(
        &mut self,
        _place: &TreePlace,
        _offset: u64,
        _buffer: &mut [u8],
    ) -> Result<usize, ReadError> {
        unimplemented!()
    }
}
