//! Tasks, their targets and triggers.

use guardhouse_model::{DeviceId, GroupId, TaskId, Timestamp, TriggerId};

/// A task to create. Everything in it has been checked, but for the existence of its targets.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// Identity.
    pub id: TaskId,
    /// SHA-256 over name, description and canonical action: tasks that agree share a template.
    pub template_digest: [u8; 32],
    /// User-friendly name.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// An encoded contract `Action`.
    pub action: Vec<u8>,
    /// The security group, as the client gave it.
    pub asset_group: String,
    /// `DeviceTaskSource`.
    pub source: i32,
    /// Whom it is for.
    pub targets: Targets,
    /// When it is run.
    pub triggers: Vec<Trigger>,
    /// The present moment.
    pub now: Timestamp,
}

/// Whom a task is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// Devices.
    pub devices: Vec<DeviceId>,
    /// Groups, with all their subgroups.
    pub groups: Vec<GroupId>,
}

/// A manual trigger: as soon as possible, until it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// Identity.
    pub id: TriggerId,
    /// When it was created.
    pub create_time: Timestamp,
    /// After this moment it starts nothing more.
    pub expire_time: Timestamp,
}

/// A task as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Identity.
    pub id: TaskId,
    /// User-friendly name.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// An encoded contract `Action`.
    pub action: Vec<u8>,
    /// The security group, as the client gave it.
    pub asset_group: String,
    /// `DeviceTaskSource`.
    pub source: i32,
    /// Whom it is for.
    pub targets: Targets,
    /// When it is run.
    pub triggers: Vec<Trigger>,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
    /// Grows with every change.
    pub version: u64,
}

/// A target that does not exist, by its place in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingTarget {
    /// The device at this position.
    Device(usize),
    /// The group at this position.
    Group(usize),
}

/// What became of a change to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskChange {
    /// Done.
    Changed,
    /// There is no such task.
    NoSuchTask,
    /// Nothing was changed: a target does not exist.
    Missing(MissingTarget),
}
