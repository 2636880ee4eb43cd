//! Keeps dynamic groups right where no change of a device or a group does it: when time passes, and when facts of devices
//! were derived by an earlier version, or by none.

use std::time::Duration;

use guardhouse_dispatch::{Dispatcher, facts};
use guardhouse_model::DeviceId;
use guardhouse_store::{DeviceFilter, Store, StoreError};
use tracing::{info, warn};

use super::duty::Duty;

/// How often rules that depend on time are judged.
const PERIOD: Duration = Duration::from_secs(60);

/// Most devices whose facts one step derives.
const STEP: usize = 500;

/// Rest between two steps: the store belongs to the devices and the API.
const REST: Duration = Duration::from_millis(20);

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "membership";

/// How long a replica has the duty to itself: several rounds, so that mostly the same one has it.
pub const LEASE: Duration = Duration::from_secs(5 * 60);

/// What keeping dynamic groups right needs.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Where they are.
    pub store: Store,
    /// The way to the devices that come and go.
    pub dispatcher: Dispatcher,
    /// The lease under which it is done.
    pub duty: Duty,
}

impl Membership {
    /// Derives the facts of devices that have none, because an earlier version kept them: without facts they are in no
    /// dynamic group. Done before anybody is served.
    ///
    /// # Errors
    /// The store fails.
    pub async fn derive_missing(&self) -> Result<(), StoreError> {
        let (mut derived, mut after) = (0, None);
        loop {
            let devices = self.store.devices_without_facts(after, STEP).await?;
            match (devices.last(), after) {
                (Some(last), _) => after = Some(last.id),
                // Some may have changed meanwhile, or come: once more from the beginning.
                (None, Some(_)) => after = None,
                (None, None) => break,
            }
            derived += devices.len();
            self.store.devices_refresh_facts(devices.into_iter().map(facts::derive).collect()).await?;
        }
        if derived > 0 {
            info!(devices = derived, "derived what rules of dynamic groups look at");
        }
        Ok(())
    }

    /// Keeps the groups right, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        let mut is_derived = false;
        loop {
            ticks.tick().await;
            if !is_derived {
                match self.derive_anew().await {
                    Ok(()) => is_derived = true,
                    Err(error) => warn!(%error, "facts of devices are not derived anew; the next round will"),
                }
            }
            if let Err(error) = self.let_time_pass().await {
                warn!(%error, "dynamic groups that depend on time are as they were; the next round will do it");
            }
        }
    }

    /// Derives the facts of all devices and keeps those that differ: an earlier version may have derived others, and one
    /// that knows no facts may have run beside this one until now. So every process does it once.
    async fn derive_anew(&self) -> Result<(), StoreError> {
        let mut after: Option<DeviceId> = None;
        loop {
            let devices = self.store.devices_list(DeviceFilter::default(), after, STEP).await?;
            let Some(last) = devices.last() else { return Ok(()) };
            after = Some(last.id);
            let derived = devices.into_iter().map(facts::derive).collect();
            self.dispatcher.wake(&self.store.devices_refresh_facts(derived).await?);
            tokio::time::sleep(REST).await;
        }
    }

    /// Judges the rules that depend on time, unless another replica has that duty.
    async fn let_time_pass(&self) -> Result<(), StoreError> {
        let Some(lease) = self.duty.take().await? else { return Ok(()) };
        let now = self.duty.environment.now();
        let changed = self.store.dynamic_groups_let_time_pass(lease, now).await?;
        self.dispatcher.wake(&changed);
        Ok(())
    }
}
