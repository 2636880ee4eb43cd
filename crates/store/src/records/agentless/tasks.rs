//! Root tasks and their subtasks.

use guardhouse_model::{
    Timestamp,
    agentless::{ReportStatus, Tally, TaskStatus},
};
use uuid::Uuid;

use super::NewSnapshotOrder;

/// A scan that somebody asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAgentlessTask {
    /// Identity.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// As in the public API.
    pub target_type: i32,
    /// Who asks; `None`: a schedule.
    pub account: Option<Uuid>,
    /// The schedule that asks.
    pub schedule: Option<Uuid>,
    /// What the client names so that asking twice makes one task; empty: nothing.
    pub client_token: String,
    /// An encoded contract `ScanOptions`.
    pub options: Vec<u8>,
    /// Now.
    pub start_time: Timestamp,
    /// What is to be scanned: a subtask each, in this order.
    pub targets: Vec<NewAgentlessSubtask>,
    /// The order to take snapshots of those of them that are devices. It is needed where one is.
    pub order: Option<NewSnapshotOrder>,
}

/// An asset to scan, and what is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAgentlessSubtask {
    /// Identity.
    pub id: Uuid,
    /// The asset.
    pub instance_id: String,
    /// Where it lies.
    pub location: Uuid,
    /// As in the public API.
    pub target_type: i32,
    /// Its name in its location. Of a device it does not matter: it gets that of the archive its run makes.
    pub target_name: String,
    /// The device whose disk it is; empty: of none.
    pub instance_name: String,
    /// The address of that device in the internet.
    pub internet_ip: String,
    /// Its address in its own network.
    pub intranet_ip: String,
    /// How much there is to read at most.
    pub size_bytes: u64,
}

/// What became of a request to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentlessTaskAdded {
    /// The task is queued.
    Added,
    /// The account asked for the same before, by its token: this is that task.
    Repeated(Uuid),
    /// Nothing was queued: these assets are in tasks that run.
    Busy(Vec<String>),
}

/// A root task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessTask {
    /// Identity.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// As in the public API.
    pub target_type: i32,
    /// Who asked for it; `None`: a schedule.
    pub account: Option<Uuid>,
    /// The schedule that asked for it.
    pub schedule: Option<Uuid>,
    /// An encoded contract `ScanOptions`.
    pub options: Vec<u8>,
    /// How it is.
    pub status: TaskStatus,
    /// When it was asked for.
    pub start_time: Timestamp,
    /// When its last subtask was over.
    pub end_time: Option<Timestamp>,
    /// Its subtasks.
    pub tally: Tally,
    /// How much was read.
    pub measure_bytes: u64,
    /// How its report is.
    pub report_status: ReportStatus,
}

/// The scan of one asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessSubtask {
    /// Identity.
    pub id: Uuid,
    /// Its root task.
    pub task: Uuid,
    /// The name of its root task.
    pub task_name: String,
    /// The asset; it may be gone.
    pub instance_id: String,
    /// Where it lies; that may be gone.
    pub location: Uuid,
    /// As in the public API.
    pub target_type: i32,
    /// Its name in its location.
    pub target_name: String,
    /// The device whose disk it is; empty: of none.
    pub instance_name: String,
    /// The address of that device in the internet.
    pub internet_ip: String,
    /// Its address in its own network.
    pub intranet_ip: String,
    /// How much there was to read at most.
    pub size_bytes: u64,
    /// How it is.
    pub status: TaskStatus,
    /// Somebody wants it to end, and its worker does not know yet.
    pub is_cancelled: bool,
    /// Which worker has it, or had it last; empty: none.
    pub worker: String,
    /// 0 to 100.
    pub progress: u8,
    /// A JSON object of the projects that are run, each 0 to 100.
    pub progress_by_project: String,
    /// When its root task was asked for.
    pub start_time: Timestamp,
    /// When a worker began, the first since it was queued last.
    pub begin_time: Option<Timestamp>,
    /// When it was over.
    pub end_time: Option<Timestamp>,
    /// How many workers were lost with it.
    pub attempts: u32,
    /// Why it failed, in a sentence.
    pub reason: String,
    /// How much was read.
    pub measure_bytes: u64,
    /// How its report is.
    pub report_status: ReportStatus,
}

/// What became of a request to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It is queued again.
    Queued,
    /// There is no such task.
    NotFound,
    /// It is not over, or one of its assets is in a task that is not.
    Running,
    /// Everything has its result.
    NothingToRetry,
}

/// Which root tasks are listed. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentlessTaskFilter {
    /// These; at most 100.
    pub ids: Option<Vec<Uuid>>,
    /// With one of these.
    pub statuses: Vec<TaskStatus>,
    /// As in the public API.
    pub target_type: Option<i32>,
    /// Started then or later.
    pub from: Option<Timestamp>,
    /// Started then or earlier.
    pub until: Option<Timestamp>,
}

/// Which subtasks are listed. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentlessSubtaskFilter {
    /// Of this root task.
    pub task: Option<Uuid>,
    /// What a list of root tasks is filtered by, of the subtasks.
    pub common: AgentlessTaskFilter,
    /// Whose device has this in its name, upper and lower case alike.
    pub machine_name: String,
    /// Whose device has this address in the internet.
    pub internet_ip: String,
    /// Whose device has this address in its own network.
    pub intranet_ip: String,
    /// Of this asset.
    pub instance_id: String,
    /// Whose asset has this in its name, upper and lower case alike.
    pub target_name: String,
}

/// A page of a list that is paged by numbers, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// How many there are on all pages.
    pub total: u64,
}

/// Which page of a list, by numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNumber {
    /// How many rows come before it.
    pub skip: u64,
    /// How many rows it has at most.
    pub size: usize,
}
