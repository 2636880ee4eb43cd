//! Subvolumes of btrfs: the commands that make and remove snapshots of them.

use std::{path::Path, process::Command};

use crate::system::{System, command};

/// The type of the file system, as the kernel names it.
pub const KIND: &str = "btrfs";

/// The inode number of the root of a subvolume.
pub const SUBVOLUME_ROOT: u64 = 256;

/// The inode number that a folder has in a snapshot where the original has another subvolume.
pub const PLACEHOLDER: u64 = 2;

/// Takes a snapshot of the subvolume that is mounted at `origin`, which nobody can change then; `None` where the program is
/// missing.
#[must_use]
pub fn create(system: &System, origin: &Path, snapshot: &Path) -> Option<Command> {
    let mut command = command(system, system.program("btrfs")?);
    command.args(["subvolume", "snapshot", "-r"]).arg(origin).arg(snapshot);
    Some(command)
}

/// Removes a snapshot; `None` where the program is missing.
#[must_use]
pub fn remove(system: &System, snapshot: &Path) -> Option<Command> {
    let mut command = command(system, system.program("btrfs")?);
    command.args(["subvolume", "delete"]).arg(snapshot);
    Some(command)
}

/// The folder for snapshots of a file system in which the state folder does not lie, at one of its mount points.
pub const FOLDER: &str = ".guardhouse-snapshots";
