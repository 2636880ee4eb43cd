//! Brings work to devices.
//!
//! The store says what is to be done; a connection only carries it. Each connected device has a `session`
//! that reconciles: it asks the store for the policies of the device and for its runs that are not over, and sends
//! what it has not yet sent. The same function runs after a connect, after a wake-up and after a while without either.
//! A wake-up carries no data and may be lost: it only shortens the wait.

pub mod facts;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod inventory;
pub mod policies;

mod batch;
mod drain;
mod forbidden;
mod looks;
mod presence;
mod progress;
mod registry;
mod releases;
mod results;
mod session;
mod states;
mod wake_set;
mod wakes;

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::{Stream, future::OptionFuture};
use guardhouse_contract::link::{AgentFrame, ServerFrame, go_away::Reason};
use guardhouse_model::{Action, DeviceId, Environment, Timestamp, machines::PRESENT};
use guardhouse_store::{Claim, DevicePolicy, RunProgress, RunReport, Store, StoreError};
use tokio::sync::mpsc;
use tracing::warn;
use uuid::Uuid;

use batch::Batches;
use looks::Look;
use policies::Policies;
use registry::Registry;
use releases::Releases;
use wakes::Outbox;

/// How many batches of looks are under way at the same time. A task for everybody wakes all sessions; what does not
/// fit into these lanes waits here and not before the calls of people.
const LOOK_LANES: usize = 2;

/// How many batches of reports are under way at the same time.
const REPORT_LANES: usize = 2;

/// The same of what devices say of their policies: nobody waits for it.
const POLICY_REPORT_LANES: usize = 1;

/// And of what they say of the progress of runs.
const PROGRESS_LANES: usize = 1;

/// The sessions of the connected devices. Clones share them.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    store: Store,
    environment: Environment,
    registry: Arc<Registry>,
    outbox: Arc<Outbox>,
    policies: Arc<Policies>,
    releases: Arc<Releases>,
    /// Actions that this server hands out to nobody.
    forbidden: Arc<[Action]>,
    looks: Batches<Claim, Look>,
    reports: Batches<Vec<RunReport>, Vec<bool>>,
    policy_reports: Batches<(Claim, DevicePolicy), ()>,
    progress: Batches<Vec<RunProgress>, ()>,
    /// Tells this process from others that share the store.
    replica: Uuid,
}

impl Dispatcher {
    /// A dispatcher without connections. Needs the runtime it will work on.
    #[must_use]
    pub fn new(store: Store, environment: Environment) -> Self {
        let policies = Arc::new(Policies::new(store.clone()));
        let looks = Batches::start(LOOK_LANES, {
            let (store, environment, policies) = (store.clone(), environment.clone(), Arc::clone(&policies));
            move |claims| {
                let (store, policies, now) = (store.clone(), Arc::clone(&policies), environment.now());
                async move {
                    let devices = claims.len();
                    let found = looks::look_together(&store, &policies, claims, now).await;
                    // Here and not for each device: there may be a hundred thousand.
                    found.inspect_err(|error| warn!(%error, devices, "the store cannot be asked for work"))
                }
            }
        });
        let reports = Batches::start(REPORT_LANES, {
            let store = store.clone();
            move |reports| {
                let store = store.clone();
                async move { report_together(&store, reports).await }
            }
        });
        let policy_reports = Batches::start(POLICY_REPORT_LANES, {
            let store = store.clone();
            move |reports| {
                let store = store.clone();
                async move { keep_policy_reports(&store, reports).await }
            }
        });
        let progress = Batches::start(PROGRESS_LANES, {
            let store = store.clone();
            move |said| {
                let store = store.clone();
                async move { keep_progress(&store, said).await }
            }
        });
        let releases = Arc::new(Releases::new(store.clone()));
        let replica = environment.uuid();
        let (registry, outbox) = Default::default();
        let forbidden = Arc::default();
        Self {
            store,
            environment,
            registry,
            outbox,
            policies,
            releases,
            forbidden,
            looks,
            reports,
            policy_reports,
            progress,
            replica,
        }
    }

    /// Hands out none of these actions: their runs end SUPPRESSED instead.
    #[must_use]
    pub fn forbidding(self, actions: &[Action]) -> Self {
        Self { forbidden: actions.into(), ..self }
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
        out: mpsc::Sender<Box<ServerFrame>>,
    ) -> Result<(), Arc<StoreError>> {
        session::serve(self, device, peer, frames, out).await
    }

    /// Something may have changed for these devices, wherever they are connected.
    pub fn wake(&self, devices: &[DeviceId]) {
        self.registry.wake(devices);
        self.outbox.add(devices);
    }

    /// Something may have changed for any device.
    pub fn wake_all(&self) {
        self.registry.wake_all();
        self.outbox.add_everybody();
    }

    /// These devices are managed no longer: their sessions end, wherever they are connected.
    pub fn dismiss(&self, devices: &[DeviceId]) {
        self.registry.close(devices, Reason::NotManaged);
        // Those of other replicas find that they are superseded, and that their keys count no longer.
        self.outbox.add(devices);
    }

    /// Whether a device is connected, as far as that can be told: to this process, or, where others share the store, in
    /// contact with any of them at most [`PRESENT`] before `now`.
    #[must_use]
    pub fn is_connected(&self, device: DeviceId, last_contact: Option<Timestamp>, now: Timestamp) -> bool {
        let is_recent = last_contact
            .is_some_and(|last| Duration::try_from(last.duration_until(now)).unwrap_or_default() < PRESENT);
        self.registry.has(device) || (self.store.is_shared() && is_recent)
    }

    /// What the policies of devices say, as it is sent to them.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// How many devices are connected to this process.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.registry.len()
    }

    /// Sends every device away, in slices, and lets none in any more: the server stops.
    pub async fn drain(&self) {
        drain::run(&self.registry).await;
    }

    /// Does what is to be done beside the sessions, for as long as it is polled: exchanges wake-ups with the other
    /// replicas and notes the last contact of the connected devices.
    pub async fn run(&self) {
        let presence =
            presence::note(self.store.clone(), self.environment.clone(), Arc::clone(&self.registry));
        let sent = wakes::send(self.store.clone(), Arc::clone(&self.outbox), self.replica);
        let received: OptionFuture<_> = self
            .store
            .listen()
            .map(|listener| wakes::receive(listener, Arc::clone(&self.registry), self.replica))
            .into();
        tokio::join!(presence, sent, received);
    }
}

/// Keeps the reports of several sessions in one transaction.
async fn report_together(store: &Store, reports: Vec<Vec<RunReport>>) -> Result<Vec<Vec<bool>>, StoreError> {
    let lengths: Vec<usize> = reports.iter().map(Vec::len).collect();
    let mut known = store.task_runs_report(reports.into_iter().flatten().collect()).await?.into_iter();
    Ok(lengths.into_iter().map(|length| known.by_ref().take(length).collect()).collect())
}

/// Keeps what several devices say of their policies in one transaction.
async fn keep_policy_reports(
    store: &Store,
    reports: Vec<(Claim, DevicePolicy)>,
) -> Result<Vec<()>, StoreError> {
    let devices = reports.len();
    let kept = store.device_policies_report(reports).await;
    kept.inspect_err(|error| warn!(%error, devices, "what devices say of their policies cannot be kept"))?;
    Ok(vec![(); devices])
}

/// Keeps what several devices say of the progress of runs in one transaction.
async fn keep_progress(store: &Store, said: Vec<Vec<RunProgress>>) -> Result<Vec<()>, StoreError> {
    let devices = said.len();
    let kept = store.task_runs_progress(said.into_iter().flatten().collect()).await;
    kept.inspect_err(
        |error| warn!(%error, devices, "what devices say of the progress of runs cannot be kept"),
    )?;
    Ok(vec![(); devices])
}
