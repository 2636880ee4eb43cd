//! Rate limits: the generic cell rate algorithm, with the time passed in.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How many calls are allowed in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls that may come at once.
    pub burst: u32,
    /// In how long that many calls are allowed again.
    pub per: Duration,
}

/// What one caller has used up: the moment at which its allowance is whole again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage(Option<Timestamp>);

impl Usage {
    /// Counts one call at `now`.
    ///
    /// # Errors
    /// The quota is used up: the wait after which one call is allowed again. Nothing is counted then.
    pub fn take(&mut self, quota: Quota, now: Timestamp) -> Result<(), Duration> {
        let spacing = signed(quota.per) / i32::try_from(quota.burst.max(1)).unwrap_or(i32::MAX);
        let whole = self.0.map_or(now, |whole| whole.max(now));
        let earliest = whole + spacing - signed(quota.per);
        if earliest > now {
            return Err(now.duration_until(earliest).unsigned_abs());
        }
        self.0 = Some(whole + spacing);
        Ok(())
    }

    /// Whether nothing is used up at `now`: such an entry need not be kept.
    #[must_use]
    pub fn is_idle(self, now: Timestamp) -> bool {
        self.0.is_none_or(|whole| whole <= now)
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUOTA: Quota = Quota { burst: 10, per: Duration::from_secs(1) };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).expect("valid")
    }

    #[test]
    fn a_burst_then_a_wait_then_one_more() {
        let mut usage = Usage::default();
        for _ in 0..10 {
            assert_eq!(usage.take(QUOTA, at(0)), Ok(()));
        }
        assert_eq!(usage.take(QUOTA, at(0)), Err(Duration::from_millis(100)));
        assert_eq!(usage.take(QUOTA, at(60)), Err(Duration::from_millis(40)));
        assert_eq!(usage.take(QUOTA, at(100)), Ok(()));
        assert!(!usage.is_idle(at(1_099)));
        assert!(usage.is_idle(at(1_100)));
    }

    proptest! {
        #[test]
        fn a_window_never_holds_more_than_twice_the_burst(steps in prop::collection::vec(0i64..200, 1..200)) {
            let mut usage = Usage::default();
            let (mut now, mut granted) = (0, Vec::new());
            for step in steps {
                now += step;
                if usage.take(QUOTA, at(now)).is_ok() {
                    granted.push(now);
                }
            }
            for &start in &granted {
                prop_assert!(granted.iter().filter(|&&t| t >= start && t < start + 1_000).count() <= 20);
            }
        }
    }
}
