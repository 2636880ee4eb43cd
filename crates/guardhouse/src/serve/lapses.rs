//! Takes agentless scans away from workers that say nothing any more, so that none runs for ever.

use std::time::Duration;

use guardhouse_store::{Store, StoreError};
use tracing::{info, warn};

use super::duty::Duty;

/// Most scans that one transaction takes away.
const STEP: usize = 500;

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "leases of agentless scans";

/// What taking scans away needs.
#[derive(Debug, Clone)]
pub struct Lapses {
    /// Where they are.
    pub store: Store,
    /// The lease under which it is done.
    pub duty: Duty,
    /// How often it is looked. The first look is at the start.
    pub period: Duration,
}

impl Lapses {
    /// How often it is looked where workers may say nothing for `lease`, and how long a replica has that duty to itself.
    pub fn terms(lease: Duration) -> (Duration, Duration) {
        let period = (lease / 4).clamp(Duration::from_secs(1), Duration::from_secs(30));
        (period, period * 3)
    }

    /// Takes scans away, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(self.period);
        loop {
            ticks.tick().await;
            match self.take_away().await {
                Ok(0) => {}
                Ok(scans) => info!(duty = DUTY, scans, "scans of workers that are silent were taken away"),
                Err(error) => {
                    warn!(%error, "scans of silent workers were not taken away; the next look will")
                }
            }
        }
    }

    /// Takes away what has lapsed now, unless another replica has that duty; answers how many scans.
    async fn take_away(&self) -> Result<usize, StoreError> {
        let Some(lease) = self.duty.take().await? else { return Ok(0) };
        let now = self.duty.environment.now();
        let mut taken = 0;
        loop {
            let step = self.store.agentless_leases_expire(lease, now, STEP).await?;
            taken += step;
            if step < STEP {
                return Ok(taken);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_often_enough() {
        let seconds = Duration::from_secs;
        for (lease, period, term) in [(2, 1, 3), (5, 1, 3), (120, 30, 90), (3_600, 30, 90)] {
            let (found, duty) = Lapses::terms(seconds(lease));
            assert_eq!((found.as_secs(), duty.as_secs()), (period, term), "{lease}");
        }
    }
}
