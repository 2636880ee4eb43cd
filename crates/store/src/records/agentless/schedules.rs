//! Scans that start by themselves.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use crate::{AgentlessAsset, NewAgentlessTask};

/// Which assets are scanned when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessSchedule {
    /// Identity.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// An encoded contract `AssetSelection`.
    pub selection: Vec<u8>,
    /// Assets that appear later are scanned, too; otherwise the selection names those that fitted.
    pub takes_new_assets: bool,
    /// An encoded contract `ScanOptions`.
    pub options: Vec<u8>,
    /// An encoded contract `Cadence`.
    pub cadence: Vec<u8>,
    /// Counts what changes it.
    pub version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it starts next; `None`: it is not enabled.
    pub next_time: Option<Timestamp>,
    /// When it was due last.
    pub last_time: Option<Timestamp>,
    /// Which task that led to.
    pub last_task: Option<Uuid>,
    /// What else there is to know of that time; empty: nothing.
    pub last_note: String,
}

/// What became of a change of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleUpdated {
    /// It is as asked for.
    Updated,
    /// It changed since it was read: read it again.
    Outrun,
    /// There is no such schedule.
    NotFound,
}

/// A schedule that is due, and what it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRun {
    /// The schedule.
    pub id: Uuid,
    /// As it was read.
    pub version: i64,
    /// Now.
    pub now: Timestamp,
    /// When it starts next.
    pub next_time: Option<Timestamp>,
    /// What it starts: assets that are being scanned already are left out. `None`: nothing.
    pub task: Option<NewAgentlessTask>,
    /// Why it starts nothing; empty: it starts a task.
    pub note: String,
}

/// What became of a schedule that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleRan {
    /// It started this task, if anything was left to scan.
    Started(Option<Uuid>),
    /// It changed since it was read, or another process was faster: nothing was done.
    Outrun,
}

/// An asset, and whether there is news of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectableAsset {
    /// The asset.
    pub asset: AgentlessAsset,
    /// Its content is not that of its newest result, or it has none.
    pub is_changed: bool,
}
