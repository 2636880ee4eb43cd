//! When a subtask gets its turn, how long it may take, and what becomes of one whose worker is gone.

use std::time::Duration;

use jiff::SignedDuration;

use super::TaskStatus;
use crate::Timestamp;

/// How often a worker may be lost with a subtask until it counts as failed.
pub const ATTEMPTS: u32 = 3;

/// How long every subtask may take by its size.
const LIMIT: SignedDuration = SignedDuration::from_hours(6);

/// How much longer it may take for each GiB that there is to read, in seconds.
const SECONDS_PER_GIB: i64 = 120;

/// How far the subtasks of a task stand apart in the queue.
const STEP: SignedDuration = SignedDuration::from_mins(1);

/// How long the queue waits behind a deadline: a worker says itself that it took too long.
const GRACE: SignedDuration = SignedDuration::from_mins(1);

/// Why a subtask failed whose workers were lost.
const LOST: &str = "the worker died while scanning it, three times";

/// Why a subtask is over whose worker did not end in time and did not say so.
const TOO_LONG: &str = "the scan took longer than it may, and was given up";

/// Why a subtask is over that somebody cancelled.
pub const CANCELLED: &str = "cancelled";

/// Where the subtask at a position of its task stands in the queue when the task is asked for at `asked`.
///
/// The first stands there with everybody who comes at that moment, each further one a minute behind the one before it. So
/// a task of one asset waits for a task of ten thousand that is an hour old behind sixty of its subtasks at most, and the
/// last of the ten thousand does not wait for ever either.
#[must_use]
pub fn turn(asked: Timestamp, position: usize) -> Timestamp {
    let steps = i32::try_from(position).unwrap_or(i32::MAX);
    asked.checked_add(STEP * steps).unwrap_or(Timestamp::MAX)
}

/// How long a subtask may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimeLimit {
    /// Six hours, and two minutes more for each GiB that there is to read.
    #[default]
    BySize,
    /// So long, however much there is to read.
    Fixed(Duration),
}

impl TimeLimit {
    /// When a worker that begins at `now` is to be done with this many bytes.
    #[must_use]
    pub fn deadline(self, now: Timestamp, size_bytes: u64) -> Timestamp {
        let limit = match self {
            Self::BySize => {
                let gibs = i64::try_from(size_bytes.div_ceil(1 << 30)).unwrap_or(i64::MAX);
                LIMIT.saturating_add(SignedDuration::from_secs(gibs.saturating_mul(SECONDS_PER_GIB)))
            }
            Self::Fixed(limit) => SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX),
        };
        now.checked_add(limit).unwrap_or(Timestamp::MAX)
    }
}

/// Until when a lease is good that its worker wants until `until`: not for much longer than the subtask may take.
#[must_use]
pub fn lease_end(until: Timestamp, deadline: Timestamp) -> Timestamp {
    until.min(deadline.checked_add(GRACE).unwrap_or(Timestamp::MAX))
}

/// What becomes of a subtask whose lease ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// It is queued again, where it stood.
    Queued,
    /// It is over, for this reason.
    Over(TaskStatus, &'static str),
}

impl Lapse {
    /// Of a subtask that was lost with `lost` workers before, is to be done by `deadline`, and that somebody cancelled or
    /// not.
    #[must_use]
    pub fn of(lost: u32, deadline: Timestamp, is_cancelled: bool, now: Timestamp) -> Self {
        if is_cancelled {
            Self::Over(TaskStatus::Cancelled, CANCELLED)
        } else if deadline <= now {
            Self::Over(TaskStatus::TimedOut, TOO_LONG)
        } else if lost.saturating_add(1) >= ATTEMPTS {
            Self::Over(TaskStatus::Failed, LOST)
        } else {
            Self::Queued
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GIB: u64 = 1 << 30;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("in range")
    }

    #[test]
    fn the_limit_grows_with_what_there_is_to_read() {
        let six_hours = 6 * 3_600;
        let table = [
            (0, six_hours),
            (1, six_hours + 120),
            (GIB, six_hours + 120),
            (GIB + 1, six_hours + 240),
            (1_024 * GIB, six_hours + 1_024 * 120),
        ];
        for (size, seconds) in table {
            assert_eq!(TimeLimit::default().deadline(at(0), size), at(seconds), "{size}");
        }
        assert_eq!(TimeLimit::BySize.deadline(at(0), u64::MAX), Timestamp::MAX);
    }

    #[test]
    fn a_limit_that_somebody_set_holds_for_every_size() {
        for size in [0, 1, 1_024 * GIB, u64::MAX] {
            assert_eq!(TimeLimit::Fixed(Duration::from_secs(90)).deadline(at(0), size), at(90), "{size}");
        }
        assert_eq!(TimeLimit::Fixed(Duration::MAX).deadline(at(0), 0), Timestamp::MAX);
    }

    #[test]
    fn a_lease_ends_with_its_deadline() {
        let table = [((5, 100), 5), ((160, 100), 160), ((161, 100), 160), ((9_999, 100), 160)];
        for ((until, deadline), end) in table {
            assert_eq!(lease_end(at(until), at(deadline)), at(end), "{until}");
        }
        assert_eq!(lease_end(Timestamp::MAX, Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn a_lost_subtask_is_tried_three_times() {
        use TaskStatus::{Cancelled, Failed, TimedOut};
        let table = [
            ((0, 9, false), Lapse::Queued),
            ((1, 9, false), Lapse::Queued),
            ((2, 9, false), Lapse::Over(Failed, LOST)),
            ((u32::MAX, 9, false), Lapse::Over(Failed, LOST)),
            ((0, 5, false), Lapse::Over(TimedOut, TOO_LONG)),
            ((2, 5, false), Lapse::Over(TimedOut, TOO_LONG)),
            ((2, 5, true), Lapse::Over(Cancelled, CANCELLED)),
            ((0, 9, true), Lapse::Over(Cancelled, CANCELLED)),
        ];
        for ((lost, deadline, is_cancelled), expected) in table {
            assert_eq!(Lapse::of(lost, at(deadline), is_cancelled, at(5)), expected, "{lost} {deadline}");
        }
    }

    proptest! {
        #[test]
        fn who_comes_later_waits_for_a_bounded_part_of_a_large_task(
            later in 0_i64..1_000_000,
            position in 0_usize..20_000,
        ) {
            let is_before = turn(at(0), position) <= turn(at(later), 0);
            prop_assert_eq!(is_before, position as i64 <= later / 60);
        }

        #[test]
        fn turns_keep_the_order_of_a_task(asked in any::<i32>(), position in any::<usize>()) {
            let asked = at(asked.into());
            prop_assert!(turn(asked, position) <= turn(asked, position.saturating_add(1)));
            prop_assert!(asked <= turn(asked, position));
        }
    }
}
