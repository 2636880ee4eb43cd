//! Medians and percentiles.

use std::time::Duration;

/// Measured times, in ascending order, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times(Vec<Duration>);

impl Times {
    /// `None` when nothing was measured.
    pub fn new(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        (!times.is_empty()).then_some(Self(times))
    }

    /// The smallest measured time that at least `share` (0 to 1) of all do not exceed: the nearest rank, so the
    /// answer is always a time that was really measured.
    pub fn quantile(&self, share: f64) -> Duration {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank between 0 and the count, which is far below 2^52"
        )]
        let rank = (share.clamp(0.0, 1.0) * self.0.len() as f64).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// Half of all are not longer.
    pub fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    /// The longest.
    pub fn longest(&self) -> Duration {
        self.quantile(1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(millis: impl IntoIterator<Item = u64>) -> Option<Times> {
        Times::new(millis.into_iter().map(Duration::from_millis).collect())
    }

    #[test]
    fn nearest_ranks() {
        assert_eq!(times([]), None);
        let one = times([7]).expect("one");
        assert_eq!((one.quantile(0.0), one.median(), one.longest()), (one.0[0], one.0[0], one.0[0]));
        let hundred = times((1..=100).rev()).expect("a hundred");
        for (share, expected) in [(0.0, 1), (0.5, 50), (0.9, 90), (0.99, 99), (0.999, 100), (1.0, 100)] {
            assert_eq!(hundred.quantile(share), Duration::from_millis(expected), "{share}");
        }
        assert_eq!(times([1, 9]).expect("two").median(), Duration::from_millis(1), "one that was measured");
    }

    proptest! {
        #[test]
        fn as_many_as_said_are_not_longer(
            millis in prop::collection::vec(0_u64..1_000, 1..200),
            share in 0.0_f64..=1.0,
        ) {
            let quantile = times(millis.clone()).expect("some").quantile(share);
            let within = millis.iter().filter(|&&one| Duration::from_millis(one) <= quantile).count();
            prop_assert!(within as f64 >= share * millis.len() as f64);
            prop_assert!(millis.iter().any(|&one| Duration::from_millis(one) == quantile));
        }
    }
}
