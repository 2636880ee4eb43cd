//! Looks at the locations of agentless scans, so that what lies there is known when somebody wants to scan it.

use std::time::Duration;

use futures_util::future::join_all;
use guardhouse_model::Timestamp;
use guardhouse_services::Looking;
use guardhouse_store::{AgentlessLocation, StoreError};
use tracing::{info, warn};

use super::duty::Duty;

/// How often it is seen whether a location is due.
const PERIOD: Duration = Duration::from_secs(15);

/// How long after a look the next one is due.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// How many locations are looked at together: one that answers slowly holds up these, and no others.
const TOGETHER: usize = 8;

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "locations";

/// How long a replica has the duty to itself: longer than the longest look.
pub const LEASE: Duration = Duration::from_secs(10 * 60);

/// What looking at locations needs.
#[derive(Debug, Clone)]
pub struct Locations {
    /// Looks at one.
    pub looking: Looking,
    /// The lease under which it is done.
    pub duty: Duty,
}

impl Locations {
    /// Looks at locations that are due, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.round().await {
                warn!(%error, "locations are not looked at; the next round will");
            }
        }
    }

    /// Looks at the locations that are due, unless another replica has that duty.
    async fn round(&self) -> Result<(), StoreError> {
        if self.duty.take().await?.is_none() {
            return Ok(());
        }
        let now = self.duty.environment.now();
        let before = now.saturating_sub(EVERY).unwrap_or(Timestamp::MIN);
        let due = self.looking.store.agentless_locations_due(before, TOGETHER).await?;
        join_all(due.iter().map(|location| self.look(location))).await;
        Ok(())
    }

    async fn look(&self, location: &AgentlessLocation) {
        match self.looking.look(location).await {
            Ok(listing) => {
                info!(location = location.name, assets = listing.found.len(), "looked at a location");
            }
            Err(error) => warn!(%error, location = location.name, "a location is not looked at"),
        }
    }
}
