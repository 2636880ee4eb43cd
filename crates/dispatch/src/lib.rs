//! Brings work to devices.
//!
//! The store says what is to be done; a connection only carries it. Each connected device has a `session`
//! that reconciles: it asks the store for the runs of the device that are not over and sends those it has not
//! yet sent. The same function runs after a connect, after a wake-up and after a while without either. A
//! wake-up carries no data and may be lost: it only shortens the wait.

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod inventory;
mod registry;
mod results;
mod session;

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::Stream;
use guardhouse_contract::link::{AgentFrame, ServerFrame, go_away::Reason};
use guardhouse_model::{DeviceId, Environment};
use guardhouse_store::{Store, StoreError};
use tokio::sync::{Semaphore, mpsc};
use tracing::warn;

use registry::Registry;

/// How long a session goes without looking at the store when nothing wakes it.
const SAFETY_POLL: Duration = Duration::from_secs(30);

/// How many sessions look at the store at the same time. A task for everybody wakes all of them; those that wait
/// for their turn do not stand in the queue of the store before the calls of people. As many as share a commit.
const LOOKS_AT_ONCE: usize = 64;

/// How often the last contact of the connected devices is noted.
const PRESENCE_PERIOD: Duration = Duration::from_secs(60);

/// The sessions of the connected devices. Clones share them.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    store: Store,
    environment: Environment,
    registry: Arc<Registry>,
    /// Turns of sessions that look at the store.
    turns: Arc<Semaphore>,
}

impl Dispatcher {
    /// A dispatcher without connections.
    #[must_use]
    pub fn new(store: Store, environment: Environment) -> Self {
        let turns = Arc::new(Semaphore::new(LOOKS_AT_ONCE));
        Self { store, environment, registry: Arc::new(Registry::default()), turns }
    }

    /// Serves one connection of a device until either side ends it.
    ///
    /// # Errors
    /// The store failed: the device should connect again.
    pub async fn serve(
        &self,
        device: DeviceId,
        peer: Option<IpAddr>,
        frames: impl Stream<Item = AgentFrame> + Send + Unpin,
        out: mpsc::Sender<ServerFrame>,
    ) -> Result<(), StoreError> {
        session::serve(self, device, peer, frames, out).await
    }

    /// Something may have changed for these devices.
    pub fn wake(&self, devices: &[DeviceId]) {
        self.registry.wake(devices);
    }

    /// Something may have changed for any device.
    pub fn wake_all(&self) {
        self.registry.wake_all();
    }

    /// How many devices are connected.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.registry.devices().len()
    }

    /// Ends every connection: the server stops.
    pub fn drain(&self) {
        self.registry.close_all(Reason::ShuttingDown);
    }

    /// Notes the last contact of the connected devices, in one go, for as long as it is polled.
    pub async fn note_presence(&self) {
        let mut ticks = tokio::time::interval(PRESENCE_PERIOD);
        loop {
            ticks.tick().await;
            let devices = self.registry.devices();
            if devices.is_empty() {
                continue;
            }
            if let Err(error) = self.store.devices_seen(devices, self.environment.now()).await {
                warn!(%error, "last contacts were not noted; the next round will");
            }
        }
    }
}
