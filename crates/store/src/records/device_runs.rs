//! How tasks stand on devices.

use guardhouse_model::{
    DeviceId, Timestamp, TriggerId,
    device_runs::{DeviceRunState, LastRun, Missed, state},
};

use crate::Run;

/// How a task stands on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRun {
    /// The device.
    pub device: DeviceId,
    /// What is known of it; `None`: it is gone.
    pub contact: Option<DeviceContact>,
    /// The task is for this device now.
    pub is_target: bool,
    /// The trigger that has not led to a run on it, if that matters.
    pub missed: Option<(Missed, RunTrigger)>,
    /// The newest run of the task on the device.
    pub last: Option<RunDetail>,
    /// How many runs of the task the device had, the newest one included.
    pub attempts: u32,
}

impl DeviceRun {
    /// How the task stands on the device.
    #[must_use]
    pub fn state(&self) -> Option<DeviceRunState> {
        state(self.last.as_ref().map(RunDetail::last_run), self.missed.map(|(missed, _)| missed))
    }
}

/// Some of the devices of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRunPage {
    /// How the task stands on them, in the order of their ids.
    pub rows: Vec<DeviceRun>,
    /// Behind which device to go on; `None`: there are no more.
    pub next: Option<DeviceId>,
}

/// A device, as far as a list of runs shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceContact {
    /// Its display name.
    pub display_name: String,
    /// Its last contact.
    pub last_sync_time: Option<Timestamp>,
}

/// A trigger of a task, as far as runs are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTrigger {
    /// Identity.
    pub id: TriggerId,
    /// When it was created.
    pub create_time: Timestamp,
    /// After this moment it starts nothing more.
    pub expire_time: Timestamp,
    /// When it was cancelled.
    pub cancel_time: Option<Timestamp>,
}

/// A run with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDetail {
    /// What every list shows.
    pub run: Run,
    /// It must not begin after this moment.
    pub expire_time: Timestamp,
    /// It is no longer wanted.
    pub withdrawn: bool,
    /// When the server learned that it began; `None` also where a version kept it that did not note this.
    pub begin_time: Option<Timestamp>,
    /// When somebody asked to cancel it.
    pub cancel_time: Option<Timestamp>,
    /// Why it ended otherwise than well.
    pub code: Option<String>,
    /// The server supposed the end: what the device says of it later replaces it.
    pub supposed: bool,
    /// How far it is, while it is not over: an encoded contract `RunProgress`.
    pub progress: Option<Vec<u8>>,
}

impl RunDetail {
    /// What the state of the device depends on.
    #[must_use]
    pub fn last_run(&self) -> LastRun<'_> {
        LastRun { status: self.run.status, withdrawn: self.withdrawn, code: self.code.as_deref() }
    }
}

/// What became of a request to cancel a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// Devices with a run that is not over: they are asked to stop it.
    pub asked: Vec<DeviceId>,
    /// How many runs on them that are.
    pub open_runs: u64,
}

/// Runs of which nothing was heard for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// Runs that were handed out end when their trigger expired before this moment.
    pub expired_before: Timestamp,
    /// Runs that began end when their device said nothing of them since this moment.
    pub silent_since: Timestamp,
    /// The present moment.
    pub now: Timestamp,
}
