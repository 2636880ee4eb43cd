//! Snapshots that agents take of their devices, so that these can be scanned.

use guardhouse_model::{DeviceId, RunId, TaskId, TemplateId, Timestamp};
use uuid::Uuid;

use crate::Trigger;

/// The order to take the snapshots of the devices of a task: a device task of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshotOrder {
    /// The device task.
    pub task: TaskId,
    /// The template of the device task, where it is a new one.
    pub template: TemplateId,
    /// SHA-256 over name, description and canonical action: tasks that agree share a template.
    pub template_digest: [u8; 32],
    /// The name of the device task.
    pub display_name: String,
    /// An encoded contract `Action`: `TakeSnapshot`.
    pub action: Vec<u8>,
    /// When it is carried out. With the device it decides the run that takes the snapshot.
    pub trigger: Trigger,
    /// For how many days a snapshot is kept behind its scan; 0: it goes when the scan is over.
    pub keep_days: u32,
    /// It goes when the scan is over, too, where nothing was found.
    pub release_clean: bool,
}

/// A snapshot of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSnapshot {
    /// The run that takes it.
    pub run: RunId,
    /// The device.
    pub device: DeviceId,
    /// The subtask that scans it.
    pub subtask: Uuid,
    /// How it is.
    pub state: SnapshotState,
    /// Size of the archive in bytes; 0 until it is there.
    pub size_bytes: u64,
    /// When it was ordered.
    pub create_time: Timestamp,
    /// Until when it is kept; `None`: until its subtask is over.
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
