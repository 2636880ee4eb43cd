//! What one replica at a time does, under a lease of the store.

use std::time::Duration;

use guardhouse_model::{Environment, Timestamp};
use guardhouse_store::{Lease, Store, StoreError};
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

/// How long a process that stops tries to give a lease up. A database that stands still must not hold it up.
const FAREWELL: Duration = Duration::from_secs(2);

/// A duty.
#[derive(Debug, Clone)]
pub struct Duty {
    /// What it is called in the store.
    pub name: &'static str,
    /// How long a replica has it to itself.
    pub term: Duration,
    /// Where the leases are.
    pub store: Store,
    /// The clock.
    pub environment: Environment,
    /// Who takes the lease: this process.
    pub holder: Uuid,
}

impl Duty {
    /// Takes the duty, or keeps it. `None`: another replica has it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take(&self) -> Result<Option<Lease>, StoreError> {
        let now = self.environment.now();
        let until = now.saturating_add(self.term).unwrap_or(Timestamp::MAX);
        self.store.lease_take(self.name, self.holder, now, until).await
    }

    /// Leaves the duty to the other replicas: this process stops.
    pub async fn give_up(&self) {
        match timeout(FAREWELL, self.store.lease_release(self.name, self.holder)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, duty = self.name, "the lease is not given up: it has to run out"),
            Err(_) => warn!(duty = self.name, "the lease is not given up in time: it has to run out"),
        }
    }
}
