//! When a call is due.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::agents::now;

/// The pace of calls that began at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// When the first call is due.
    pub begun: Instant,
    /// Calls per second; `None`: each as soon as a caller is free.
    pub rate: Option<u32>,
}

impl Pace {
    /// Waits for the turn of the call with this number, from 0; answers since when it is due. A caller that comes
    /// late does not hide by how much: what waited for it is part of the time of the call.
    pub async fn turn(&self, number: usize) -> Instant {
        let Some(rate) = self.rate else { return now() };
        let due = self.begun + offset(number, rate);
        sleep_until(due).await;
        due
    }
}

fn offset(number: usize, rate: u32) -> Duration {
    let nanos = (number as u128) * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_evenly_spread() {
        for (number, rate, millis) in
            [(0, 10, 0), (1, 10, 100), (10, 10, 1_000), (25, 1_000, 25), (3, 2, 1_500)]
        {
            assert_eq!(offset(number, rate), Duration::from_millis(millis), "{number} at {rate}/s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_caller_does_not_hide_it() {
        let pace = Pace { begun: now(), rate: Some(10) };
        assert_eq!(pace.turn(2).await - pace.begun, Duration::from_millis(200));
        tokio::time::advance(Duration::from_secs(1)).await;
        let due = pace.turn(3).await;
        assert_eq!((due - pace.begun, now() - due), (Duration::from_millis(300), Duration::from_millis(900)));
        assert_eq!(Pace { rate: None, ..pace }.turn(4).await, now());
    }
}
