//! The last contact of the connected devices, without a write for each sign of life.

use std::{sync::Arc, time::Duration};

use guardhouse_model::Environment;
use guardhouse_store::Store;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::warn;

use crate::registry::Registry;

/// How often the last contact of every connected device is noted.
const PERIOD: Duration = Duration::from_secs(60);

/// Most devices that one transaction notes: others who write wait for a portion and never for all.
const PORTION: usize = 500;

/// Notes the last contacts, for as long as it is polled. The portions are spread over the period.
pub async fn note(store: Store, environment: Environment, registry: Arc<Registry>) {
    let mut rounds = interval(PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let devices = registry.devices();
        let portions = devices.len().div_ceil(PORTION);
        let rest = PERIOD / u32::try_from(portions + 1).unwrap_or(u32::MAX);
        for portion in devices.chunks(PORTION) {
            if let Err(error) = store.devices_seen(portion.to_vec(), environment.now()).await {
                warn!(%error, "last contacts were not noted; the next round will");
                break;
            }
            sleep(rest).await;
        }
    }
}
