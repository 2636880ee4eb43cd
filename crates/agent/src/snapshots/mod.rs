//! Snapshots of the file systems of this device: of which it can take one, and what is left of them.
//!
//! Where the root file system lies on a logical volume (LVM) with room for a snapshot, or on btrfs, a device can be scanned
//! as it was at one moment. Which file systems these are is decided by plain functions ([`survey`]) of what the kernel
//! ([`mounts`]) and LVM ([`lvm`]) say. The action `TakeSnapshot` makes the snapshots; each run writes down beforehand what
//! it will make ([`notes`]), so that the agent can remove what a runner leaves that died ([`leftovers`]). [`mod@watch`]
//! does both while the agent runs, and tells the server what the device can be scanned by.

pub mod btrfs;
pub mod leftovers;
pub mod look;
pub mod lvm;
pub mod mounts;
pub mod notes;
pub mod survey;
pub mod watch;

use guardhouse_model::RunId;

/// The name of the action.
pub const ACTION: &str = "TakeSnapshot";

/// What the names of all snapshots begin with that agents take.
const PREFIX: &str = "guardhouse-";

/// The name of a snapshot that a run takes.
#[must_use]
pub fn name(run: RunId, number: usize) -> String {
    format!("{PREFIX}{run}-{number}")
}

/// Whether an agent takes snapshots by this name.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}
