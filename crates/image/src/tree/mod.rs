//! Volumes put together as the system on them saw them.

mod compose;
mod device;
mod empty;
mod fstab;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod os;
mod reader;
mod roots;
mod subvolumes;
mod systems;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    file_system::{FileSystem, Place},
    path::FilePath,
};

pub(crate) use fstab::unescape_octal;
pub use reader::TreeReader;
pub use systems::systems;

/// A system, or a volume that belongs to none.
#[derive(Debug)]
pub struct System {
    /// The volume of its root: see [`crate::Volume::place`]. With the folder behind it, when the root is not the root
    /// of that volume: `partition 2, subvolume /@`.
    pub place: String,
    /// Which operating system it is; `None` for a volume with data alone.
    pub os: Option<Os>,
    /// Its files.
    pub tree: Arc<Tree>,
    /// Things to tell: a line of fstab whose volume is not on the target.
    pub notes: Vec<String>,
    /// What of it is not read, and why, beside what whoever walks through it meets: sentences.
    pub left_out: Vec<String>,
}

/// Which operating system, as it says itself in `/etc/os-release` and the files older systems have instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Os {
    /// `ID`: `debian`, `alpine`, `rocky`, `windows`; empty for a system that does not say.
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
    /// The root first; a later one hides what an earlier one has there. Their folders are written without symbolic
    /// links.
    pub mounts: Vec<Mount>,
}

/// A file system in its place.
#[derive(Clone)]
pub struct Mount {
    /// The folder.
    pub at: FilePath,
    /// What is there.
    pub file_system: Arc<dyn FileSystem>,
    /// Which folder of the file system is seen there: `/`, or the subvolume of a btrfs.
    pub from: FilePath,
    /// See [`crate::Volume::place`].
    pub volume: String,
}

impl fmt::Debug for Mount {
    // Without the file system: its index may have millions of files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, file_system, from, volume } = self;
        write!(f, "Mount({at:?}: {from:?} of {} on {volume})", file_system.kind())
    }
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

impl Tree {
    /// One file system alone, from one of its folders on.
    #[must_use]
    pub fn of(file_system: Arc<dyn FileSystem>, from: FilePath, volume: String) -> Self {
        Self { mounts: vec![Mount { at: FilePath::root(), file_system, from, volume }] }
    }
}

#[cfg(test)]
mod tests;
