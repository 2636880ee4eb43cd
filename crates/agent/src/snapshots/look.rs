//! What of this device has to be looked at to know of what snapshots can be taken.

use std::{collections::BTreeSet, path::Path, process::Command};

use super::{
    btrfs, lvm,
    mounts::{self, Mount},
    survey::{Lvm, Survey},
};
use crate::system::{System, exit_code};

/// What the kernel says.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// The devices among them that are logical volumes.
    pub logical: BTreeSet<(u32, u32)>,
}

impl Look {
    /// Looks, without running anything.
    #[must_use]
    pub fn new(system: &System) -> Self {
        let text = std::fs::read(system.path(mounts::PATH)).unwrap_or_default();
        let mounts = mounts::parse(&text);
        let devices: BTreeSet<(u32, u32)> = mounts.iter().map(|mount| mount.device).collect();
        let is_logical = |(major, minor): &(u32, u32)| {
            let uuid = system.text(format!("/sys/dev/block/{major}:{minor}/dm/uuid"));
            uuid.is_some_and(|uuid| uuid.starts_with("LVM-"))
        };
        let logical = devices.into_iter().filter(is_logical).collect();
        Self { mounts, logical }
    }

    /// Whether a snapshot could be taken of the root file system, as far as the kernel tells: otherwise nothing else has to be
    /// asked.
    #[must_use]
    pub fn is_promising(&self) -> bool {
        let root = self.mounts.iter().find(|mount| mount.mount_point == Path::new("/"));
        root.is_some_and(|root| root.kind == btrfs::KIND || self.logical.contains(&root.device))
    }

    /// The command whose answer tells of the logical volumes.
    ///
    /// # Errors
    /// Its program is missing. `None`: there are no logical volumes.
    pub fn question(&self, system: &System) -> Result<Option<Command>, String> {
        if self.logical.is_empty() {
            return Ok(None);
        }
        lvm::list(system).map(Some).ok_or_else(|| missing("lvs", "lvm2"))
    }

    /// Of what snapshots can be taken, by what that command answered.
    #[must_use]
    pub fn survey(&self, answer: Result<Option<String>, String>, data_disks: bool) -> Survey {
        let volumes = answer.and_then(|answer| match answer {
            None => Ok(Vec::new()),
            Some(answer) => {
                lvm::parse(&answer).map_err(|error| format!("what lvs answers cannot be read: {error}"))
            }
        });
        let lvm = Lvm { devices: self.logical.clone(), volumes };
        Survey::new(&self.mounts, &lvm, data_disks, &used_bytes)
    }
}

/// What is said of a program that is missing.
#[must_use]
pub fn missing(program: &str, package: &str) -> String {
    format!("the program {program} is not on this device; install the package {package}")
}

/// What is said of a program that failed: its last words, or its exit code.
#[must_use]
pub fn last_words(said: &str, code: i32) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [] => format!("exit code {code}"),
        [.., a, b, c] => format!("{a}; {b}; {c}"),
        few => few.join("; "),
    }
}

/// The same of what was run to its end.
#[must_use]
pub fn words_of(output: &std::process::Output) -> String {
    last_words(&String::from_utf8_lossy(&output.stderr), exit_code(output.status))
}

/// How many bytes are used of the file system at a mount point.
fn used_bytes(mount_point: &Path) -> u64 {
    let Ok(statistics) = rustix::fs::statvfs(mount_point) else { return 0 };
    statistics.f_blocks.saturating_sub(statistics.f_bfree).saturating_mul(statistics.f_frsize)
}
