//! Task runs.

use guardhouse_model::{DeviceId, RunId, TaskId, Timestamp, tasks::RunStatus};

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Identity.
    pub id: RunId,
    /// The task; it may be gone.
    pub task: TaskId,
    /// The device; it may be gone.
    pub device: DeviceId,
    /// State.
    pub status: RunStatus,
    /// When it was handed out.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// The result as an encoded `google.protobuf.Any`.
    pub result: Option<Vec<u8>>,
    /// Why the server ended it, where it did: then there is no result of the device.
    pub closure: Option<Closure>,
}

/// Why the server ended a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// A constant.
    pub code: String,
    /// The same for people.
    pub reason: String,
}

/// A place in a list of runs, which is ordered newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPosition {
    /// Start of the last run that was shown.
    pub start_time: Timestamp,
    /// Its identity.
    pub id: RunId,
}

/// A run that a device has still to carry out, or to say how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    /// Identity.
    pub id: RunId,
    /// An encoded contract `Action`.
    pub action: Vec<u8>,
    /// It must not begin after this moment.
    pub expire_time: Timestamp,
    /// It is no longer wanted and, as far as is known, not begun.
    pub withdrawn: bool,
    /// Somebody asked to cancel it, whether it has begun or not.
    pub cancelled: bool,
}

/// A device that asks what there is to do, over one of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The device.
    pub device: DeviceId,
    /// The epoch of the connection.
    pub epoch: u64,
}

/// What there is to do for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The device does not exist (any more).
    NotManaged,
    /// The device has a later connection: nothing more is to be done over this one.
    Superseded,
    /// Runs that are not over.
    Runs(Vec<OpenRun>),
}

/// What a device reports of a run.
#[derive(Debug, Clone)]
pub enum RunReport {
    /// It began.
    Started {
        /// The run.
        run: RunId,
        /// The device that says so.
        device: DeviceId,
        /// When it said so.
        time: Timestamp,
    },
    /// It is over.
    Ended(RunEnd),
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// The run.
    pub run: RunId,
    /// The device that says so.
    pub device: DeviceId,
    /// [`RunStatus::Finished`], [`RunStatus::Failed`] or [`RunStatus::Suppressed`].
    pub status: RunStatus,
    /// When it ended.
    pub end_time: Timestamp,
    /// The result as an encoded `google.protobuf.Any`.
    pub result: Option<Vec<u8>>,
    /// The code in the result that says why it ended otherwise than well.
    pub code: Option<String>,
}

/// How far a device says a run is.
#[derive(Debug, Clone)]
pub struct RunProgress {
    /// The run.
    pub run: RunId,
    /// The device that says so.
    pub device: DeviceId,
    /// When it said so.
    pub time: Timestamp,
    /// An encoded contract `RunProgress`.
    pub progress: Vec<u8>,
}
