//! How a task stands on one device, with nothing left out.
//!
//! The public list of runs knows a run only once it was handed out, and five states. Here every device that a task is
//! for has a state, the silent ones included, and a run that nobody could deliver is told apart from one that took too
//! long and from one that somebody cancelled.

use crate::tasks::RunStatus;

/// The code of a run that somebody cancelled.
pub const CANCELLED: &str = "CANCELLED";

/// The code of a run that was handed out, and of which nothing was heard until its trigger had expired.
pub const DELIVERY_TIMED_OUT: &str = "DELIVERY_TIMED_OUT";

/// The code of a run that began, and of which nothing was heard for longer than any action may take.
pub const EXECUTION_TIMED_OUT: &str = "EXECUTION_TIMED_OUT";

/// The code of a run whose device was deleted.
pub const DEVICE_DELETED: &str = "DEVICE_DELETED";

/// How a device says that the trigger had expired before the action could begin.
pub const EXPIRED: &str = "EXPIRED";

/// How a device says that the action took longer than it may, and was stopped.
pub const TIMED_OUT: &str = "TIMED_OUT";

/// How a task stands on a device. The numbers are those of the contract's `DeviceRun.State`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum DeviceRunState {
    /// The device has not asked for the task yet.
    Waiting = 1,
    /// It was handed out, and has not begun.
    Delivered = 2,
    /// It began.
    Running = 3,
    /// It ended well.
    Finished = 4,
    /// It ended badly, in none of the ways that have a state of their own.
    Failed = 5,
    /// It was not carried out because it is forbidden.
    Suppressed = 6,
    /// Somebody cancelled it.
    Cancelled = 7,
    /// It did not begin before its trigger expired.
    DeliveryTimedOut = 8,
    /// It began, and took too long.
    ExecutionTimedOut = 9,
    /// It was handed out, and is no longer wanted; the device has not confirmed that it had not begun.
    Withdrawn = 10,
}

impl DeviceRunState {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Delivered,
        Self::Running,
        Self::Finished,
        Self::Failed,
        Self::Suppressed,
        Self::Cancelled,
        Self::DeliveryTimedOut,
        Self::ExecutionTimedOut,
        Self::Withdrawn,
    ];

    /// The state with this number.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i32 == number)
    }
}

/// What is known of the newest run of a task on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LastRun<'a> {
    /// Its status, as the public list shows it.
    pub status: RunStatus,
    /// It is no longer wanted.
    pub withdrawn: bool,
    /// Why it ended otherwise than FINISHED; `None` where that is not known.
    pub code: Option<&'a str>,
}

/// A trigger of the task that has not led to a run on a device that is its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missed {
    /// It may still begin.
    Due,
    /// It is newer than the newest run, and was cancelled before it led to one.
    Cancelled,
    /// It is newer than the newest run, and expired before it led to one.
    Expired,
}

/// How a task stands on a device; `None`: it has nothing to do with the device.
///
/// What the device works on comes first, then what it has still to do, then how it went.
#[must_use]
pub fn state(last: Option<LastRun<'_>>, missed: Option<Missed>) -> Option<DeviceRunState> {
    match (last, missed) {
        (Some(LastRun { status: RunStatus::Running, .. }), _) => Some(DeviceRunState::Running),
        (Some(LastRun { status: RunStatus::Queued, withdrawn: false, .. }), _) => {
            Some(DeviceRunState::Delivered)
        }
        (_, Some(Missed::Due)) => Some(DeviceRunState::Waiting),
        (Some(LastRun { status: RunStatus::Queued, .. }), _) => Some(DeviceRunState::Withdrawn),
        (_, Some(Missed::Cancelled)) => Some(DeviceRunState::Cancelled),
        (_, Some(Missed::Expired)) => Some(DeviceRunState::DeliveryTimedOut),
        (Some(LastRun { status, code, .. }), None) => Some(outcome(status, code.unwrap_or_default())),
        (None, None) => None,
    }
}

/// How a run that is over went.
fn outcome(status: RunStatus, code: &str) -> DeviceRunState {
    match (status, code) {
        (RunStatus::Finished, _) => DeviceRunState::Finished,
        (RunStatus::Suppressed, _) => DeviceRunState::Suppressed,
        (_, CANCELLED) => DeviceRunState::Cancelled,
        (_, DELIVERY_TIMED_OUT | EXPIRED) => DeviceRunState::DeliveryTimedOut,
        (_, EXECUTION_TIMED_OUT | TIMED_OUT) => DeviceRunState::ExecutionTimedOut,
        _ => DeviceRunState::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(status: RunStatus, code: &str) -> Option<LastRun<'_>> {
        Some(LastRun { status, withdrawn: false, code: Some(code).filter(|code| !code.is_empty()) })
    }

    #[test]
    fn every_device_has_a_state() {
        use DeviceRunState as State;
        use RunStatus::{Failed, Finished, Queued, Running, Suppressed};
        let withdrawn = Some(LastRun { status: Queued, withdrawn: true, code: None });
        let table = [
            ("silent", None, Some(Missed::Due), State::Waiting),
            ("silent until it was cancelled", None, Some(Missed::Cancelled), State::Cancelled),
            ("silent for too long", None, Some(Missed::Expired), State::DeliveryTimedOut),
            ("handed out", last(Queued, ""), None, State::Delivered),
            ("begun", last(Running, ""), None, State::Running),
            ("begun, to be done again", last(Running, ""), Some(Missed::Due), State::Running),
            ("done", last(Finished, ""), None, State::Finished),
            ("done, to be done again", last(Finished, ""), Some(Missed::Due), State::Waiting),
            (
                "done, not done again in time",
                last(Finished, ""),
                Some(Missed::Expired),
                State::DeliveryTimedOut,
            ),
            ("done, not to be done again", last(Finished, ""), Some(Missed::Cancelled), State::Cancelled),
            ("failed", last(Failed, "EXIT_CODE"), None, State::Failed),
            ("failed, by a version that noted no code", last(Failed, ""), None, State::Failed),
            ("forbidden", last(Suppressed, "FORBIDDEN_BY_POLICY"), None, State::Suppressed),
            ("cancelled", last(Failed, CANCELLED), None, State::Cancelled),
            ("the server gave up", last(Failed, DELIVERY_TIMED_OUT), None, State::DeliveryTimedOut),
            ("the device gave up", last(Failed, EXPIRED), None, State::DeliveryTimedOut),
            ("silent since it began", last(Failed, EXECUTION_TIMED_OUT), None, State::ExecutionTimedOut),
            ("stopped by its limit", last(Failed, TIMED_OUT), None, State::ExecutionTimedOut),
            ("withdrawn", withdrawn, None, State::Withdrawn),
            ("withdrawn, and wanted in another way", withdrawn, Some(Missed::Due), State::Waiting),
        ];
        for (what, last, missed, expected) in table {
            assert_eq!(state(last, missed), Some(expected), "{what}");
        }
        assert_eq!(state(None, None), None);
    }

    #[test]
    fn numbers_lead_back() {
        for state in DeviceRunState::ALL {
            assert_eq!(DeviceRunState::from_number(state as i32), Some(state));
        }
        assert_eq!(DeviceRunState::from_number(0), None);
    }
}
