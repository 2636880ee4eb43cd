//! How long a client waits before it connects again.

use std::time::Duration;

/// The most that the first wait can be.
pub const FIRST: Duration = Duration::from_secs(1);

/// The most that any wait can be.
pub const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Waits between attempts: exponential, with full jitter.
///
/// Each wait is chosen evenly between nothing and a ceiling that doubles from [`FIRST`] to [`LONGEST`]. Full
/// jitter spreads ten thousand agents that lost the same server over the whole interval; waits that only vary
/// around the ceiling would bring them back in waves.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// A backoff that has seen no failure.
    #[must_use]
    pub const fn new() -> Self {
        Self { failures: 0 }
    }

    /// Counts a failure and answers how long to wait; `random` is eight random bytes.
    pub fn next(&mut self, random: [u8; 8]) -> Duration {
        let ceiling = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        jitter(ceiling, random)
    }

    /// Forgets the failures: an attempt succeeded.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A wait chosen evenly between nothing and `ceiling`; `random` is eight random bytes.
#[must_use]
pub fn jitter(ceiling: Duration, random: [u8; 8]) -> Duration {
    let share = (ceiling.as_nanos() * u128::from(u64::from_le_bytes(random))) >> 64;
    Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST: [u8; 8] = [0xff; 8];

    #[test]
    fn the_ceiling_doubles_to_five_minutes_and_stays() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..40).map(|_| backoff.next(MOST).as_secs_f64().round()).collect();
        assert_eq!(waits[..10], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0]);
        assert!(waits[10..].iter().all(|&wait| wait == 300.0), "{waits:?}");

        backoff.reset();
        assert_eq!(backoff.next(MOST).as_secs_f64().round(), 1.0);
    }

    #[test]
    fn jitter_covers_the_whole_range() {
        assert_eq!(jitter(LONGEST, [0; 8]), Duration::ZERO);
        assert_eq!(jitter(LONGEST, (1_u64 << 63).to_le_bytes()), LONGEST / 2);
        assert!(jitter(LONGEST, MOST) > LONGEST - Duration::from_millis(1));
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_its_ceiling(randoms in prop::collection::vec(any::<[u8; 8]>(), 1..80)) {
            let mut backoff = Backoff::new();
            let mut ceiling = FIRST;
            for random in randoms {
                prop_assert!(backoff.next(random) <= ceiling);
                ceiling = (ceiling * 2).min(LONGEST);
            }
        }
    }
}
