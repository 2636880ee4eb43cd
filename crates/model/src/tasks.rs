//! When a device runs a task.
//!
//! A task has targets and triggers. Each trigger runs the task once on every device that is, at that time, one
//! of its targets: listed itself, or a member of a listed group or of one of its subgroups. Group targets are
//! live: who joins a group later gets its tasks, who leaves before the hand-out does not.

use jiff::{SignedDuration, Timestamp};

/// How long a trigger waits for a device when the client does not say: 30 days, the default of the field.
pub const DEFAULT_EXPIRY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The longest a trigger may wait for a device: six months, the cap of the console.
pub const LONGEST_EXPIRY: SignedDuration = SignedDuration::from_hours(184 * 24);

/// When a trigger that is created at `now` expires, given what the client asked for.
///
/// A moment beyond the cap is brought back to the cap: the answer of the call shows it. A moment in the past
/// is kept: such a trigger never runs on anything.
#[must_use]
pub fn expire_time(asked: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let wait = |wait: SignedDuration| now.saturating_add(wait).unwrap_or(now);
    asked.map_or(wait(DEFAULT_EXPIRY), |asked| asked.min(wait(LONGEST_EXPIRY)))
}

/// Whether a run may still begin. It may begin up to and including the moment of expiry.
#[must_use]
pub fn may_begin(expire_time: Timestamp, now: Timestamp) -> bool {
    now <= expire_time
}

/// State of a task run. The numbers are those of the contract's `TaskRunStatus` and of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum RunStatus {
    /// Handed out to the device, not begun.
    Queued = 1,
    /// Begun on the device.
    Running = 2,
    /// Ended well.
    Finished = 3,
    /// Ended badly.
    Failed = 4,
    /// Refused by a policy.
    Suppressed = 5,
}

impl RunStatus {
    /// The status with this number.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Finished, Self::Failed, Self::Suppressed]
            .into_iter()
            .find(|status| *status as i32 == number)
    }

    /// Whether the run is over.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Suppressed)
    }

    /// Whether a run in this state may still become `next`. What is over stays as it is.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => next != Self::Queued,
            Self::Running => next.is_over(),
            Self::Finished | Self::Failed | Self::Suppressed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + day * 86_400).expect("valid")
    }

    #[test]
    fn expiry_has_a_default_and_a_cap() {
        let table = [
            (None, day(30)),
            (Some(day(3)), day(3)),
            (Some(day(-1)), day(-1)),
            (Some(day(184)), day(184)),
            (Some(day(4_000)), day(184)),
        ];
        for (asked, expected) in table {
            assert_eq!(expire_time(asked, day(0)), expected, "asked for {asked:?}");
        }
    }

    #[test]
    fn a_run_may_begin_until_it_expires() {
        assert!(may_begin(day(1), day(0)));
        assert!(may_begin(day(1), day(1)));
        assert!(!may_begin(day(1), day(2)));
    }

    #[test]
    fn what_is_over_stays_over() {
        use RunStatus::{Failed, Finished, Queued, Running, Suppressed};
        for over in [Finished, Failed, Suppressed] {
            for next in [Queued, Running, Finished, Failed, Suppressed] {
                assert!(!over.may_become(next), "{over:?} → {next:?}");
            }
            assert!(Queued.may_become(over) && Running.may_become(over));
        }
        assert!(Queued.may_become(Running) && !Running.may_become(Queued));
    }
}
