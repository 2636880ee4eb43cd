//! When a device runs a task.
//!
//! A task has targets and triggers. Each trigger runs the task once on every device that is, at that time, one
//! of its targets: listed itself, or a member of a listed group or of one of its subgroups. Group targets are
//! live: who joins a group later gets its tasks, who leaves before the hand-out does not.

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};
use uuid::Builder;

use crate::{DeviceId, RunId, TriggerId};

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

/// The run that `trigger` leads to on `device`.
///
/// The two decide it: a server that was put back to an earlier state hands out the same run again, and the
/// journal of the device knows that it was carried out. It begins with the time of the trigger (a UUIDv7), so
/// that runs of a device sort in the order in which they were asked for.
#[must_use]
pub fn run_id(trigger: TriggerId, device: DeviceId) -> RunId {
    let pair = [*trigger.0.as_bytes(), *device.0.as_bytes()].concat();
    let digest = digest::digest(&digest::SHA256, &pair);
    let mut bytes = *trigger.0.as_bytes();
    bytes[8..].copy_from_slice(&digest.as_ref()[..8]);
    RunId(Builder::from_bytes(bytes).with_variant(uuid::Variant::RFC4122).into_uuid())
}

/// State of a task run. The numbers are those of the contract's `TaskRunStatus` and of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    use uuid::Uuid;

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
    fn a_trigger_leads_to_one_run_per_device() {
        let trigger =
            |n: u128| TriggerId(Uuid::from_u128(0x0192_f0c4_0000_7000_8000_0000_0000_0000 | (n << 64)));
        let device = |n: u128| DeviceId(Uuid::from_u128(n));
        let run = run_id(trigger(1), device(1));
        assert_eq!(run_id(trigger(1), device(1)), run);
        assert_ne!(run_id(trigger(1), device(2)), run);
        assert_ne!(run_id(trigger(2), device(1)), run);
        assert!(
            run_id(trigger(1), device(7)) < run_id(trigger(2), device(3)),
            "in the order of the triggers"
        );
        assert_eq!((run.0.get_version_num(), run.0.get_variant()), (7, uuid::Variant::RFC4122));
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
