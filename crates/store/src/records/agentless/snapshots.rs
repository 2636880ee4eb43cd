//! Snapshots that agents take of their devices, so that these can be scanned.

use guardhouse_model::{
    DeviceId, RunId, TaskId, TemplateId, Timestamp, agentless::snapshots::Keeping, tasks::RunStatus,
};
use uuid::Uuid;

use crate::Trigger;

/// The order to take the snapshots of the devices of a task: a device task of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshotOrder {
    /// The device task.
    pub task: TaskId,
    /// The template of the device task, where it is a new one.
    pub template: TemplateId,
    /// SHA-256 over name, description, which is empty, and canonical action: tasks that agree share a template.
    pub template_digest: [u8; 32],
    /// The name of the device task.
    pub display_name: String,
    /// An encoded contract `Action`: `TakeSnapshot`.
    pub action: Vec<u8>,
    /// When it is carried out. With the device it decides the run that takes the snapshot.
    pub trigger: Trigger,
    /// How long the snapshots are kept behind their scans.
    pub keeping: Keeping,
}

/// A snapshot of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSnapshot {
    /// The run that takes it.
    pub run: RunId,
    /// The device.
    pub device: DeviceId,
    /// The subtask that scans it; it may be gone.
    pub subtask: Uuid,
    /// How it is.
    pub state: SnapshotState,
    /// Size of the archive in bytes; 0 until it is there.
    pub size_bytes: u64,
    /// When it was ordered.
    pub create_time: Timestamp,
    /// Until when it is kept; `None`: until its subtask is over, if it is kept at all.
    pub keep_until: Option<Timestamp>,
}

/// How a snapshot of a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotState {
    /// Its device is to take it, or does.
    Wanted = 1,
    /// The server has all of it.
    Kept = 2,
    /// Nobody wants it any more: its archive is to be removed.
    Unwanted = 3,
}

impl SnapshotState {
    /// The state with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        [Self::Wanted, Self::Kept, Self::Unwanted].into_iter().find(|state| *state as i32 == number)
    }
}

/// A snapshot that is wanted, and that nobody will send any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostSnapshot {
    /// The run that was to take it.
    pub run: RunId,
    /// Why it will not.
    pub loss: SnapshotLoss,
}

/// Why nobody will send a snapshot any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotLoss {
    /// The run is over.
    RunEnded {
        /// How it ended.
        status: RunStatus,
        /// A constant, where it ended otherwise than well.
        code: Option<String>,
        /// The same for people, where the server ended it.
        reason: Option<String>,
        /// The result as an encoded `google.protobuf.Any`, where the device ended it.
        result: Option<Vec<u8>>,
    },
    /// There is no such device any more.
    DeviceGone,
    /// The device task is not for the device any more, or was changed, cancelled or deleted.
    OrderGone,
    /// The device did not begin before its order expired.
    Expired,
}
