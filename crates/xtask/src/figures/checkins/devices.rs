//! Devices that speak with the dispatcher over channels.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use guardhouse_contract::{
    devices::{self as contract, OperatingSystem},
    link::{AgentFrame, Hello, Inventory, ServerFrame, agent_frame::Kind, server_frame},
};
use guardhouse_dispatch::Dispatcher;
use guardhouse_link::backoff::jitter;
use guardhouse_model::{DeviceId, Environment, groups::LOST_AND_FOUND};
use guardhouse_store::{Device, Store};
use prost::Message as _;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{interval_at, sleep},
};
use tokio_stream::wrappers::ReceiverStream;

use crate::figures::now;

/// Devices that are imported in one transaction.
const BATCH: usize = 1_000;

/// Devices that connect at the same time.
const CONNECTING: usize = 64;

/// Frames that wait between a device and its session, as behind a real stream.
const FRAMES: usize = 8;

/// Devices whose last report is looked for in the end.
const CHECKED: usize = 200;

/// All simulated devices.
#[derive(Debug)]
pub struct Fleet {
    devices: Vec<DeviceId>,
    dispatcher: Dispatcher,
    environment: Environment,
    /// How many reports each device has sent.
    sent: Vec<AtomicU32>,
    all: AtomicUsize,
    /// How many sessions the store has ended.
    failed: AtomicUsize,
}

/// A device that is connected.
struct Connected {
    place: usize,
    frames: mpsc::Sender<AgentFrame>,
    answers: mpsc::Receiver<Box<ServerFrame>>,
}

/// Adds devices to the store; answers their ids.
pub async fn import(store: &Store, environment: &Environment, count: usize) -> anyhow::Result<Vec<DeviceId>> {
    let devices: Vec<Device> = (0..count).map(|number| device(environment, number)).collect();
    let ids = devices.iter().map(|device| device.id).collect();
    for batch in devices.chunks(BATCH) {
        let imported = store.devices_import(LOST_AND_FOUND, batch.to_vec()).await?;
        imported.context("the group is there from the start")?;
    }
    Ok(ids)
}

impl Fleet {
    /// Devices that are in the store and not connected.
    pub fn new(devices: Vec<DeviceId>, dispatcher: Dispatcher, environment: Environment) -> Self {
        let sent = devices.iter().map(|_| AtomicU32::new(0)).collect();
        Self { devices, dispatcher, environment, sent, all: AtomicUsize::new(0), failed: AtomicUsize::new(0) }
    }

    /// Connects all of them and lets each report once in a `period`, at a moment of its own.
    ///
    /// # Errors
    /// A device is not welcomed.
    pub async fn connect(self: &Arc<Self>, period: Duration) -> anyhow::Result<JoinSet<()>> {
        let opening = (0..self.devices.len()).map(|place| Arc::clone(self).open(place));
        let mut opened = stream::iter(opening.map(tokio::spawn)).buffer_unordered(CONNECTING);
        let mut talks = JoinSet::new();
        while let Some(connected) = opened.try_next().await? {
            talks.spawn(Arc::clone(self).talk(connected?, period));
        }
        Ok(talks)
    }

    /// How many reports were sent by all.
    pub fn reports(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }

    /// Whether all sessions are well, and the last report of some devices has reached the store.
    ///
    /// # Errors
    /// One has not.
    pub async fn check(&self, store: &Store) -> anyhow::Result<()> {
        let failed = self.failed.load(Ordering::Relaxed);
        anyhow::ensure!(failed == 0, "the store ended {failed} sessions");
        let step = (self.devices.len() / CHECKED).max(1);
        for place in (0..self.devices.len()).step_by(step) {
            let expected = address(self.sent[place].load(Ordering::Relaxed));
            // Sessions work through what was sent before their devices fell silent.
            let mut found = String::new();
            for _ in 0..100 {
                let kept = store.device_get(self.devices[place]).await?.context("the device is there")?;
                found = contract::Device::decode(kept.attributes.as_slice())?.primary_local_ip_address;
                if found == expected {
                    break;
                }
                sleep(Duration::from_millis(100)).await;
            }
            anyhow::ensure!(found == expected, "a report was lost: {expected} was sent, {found} is kept");
        }
        Ok(())
    }

    async fn open(self: Arc<Self>, place: usize) -> anyhow::Result<Connected> {
        let (frames, inbound) = mpsc::channel(FRAMES);
        let (outbound, mut answers) = mpsc::channel(FRAMES);
        let session = Arc::clone(&self);
        tokio::spawn(async move {
            let (device, inbound) = (session.devices[place], ReceiverStream::new(inbound));
            if session.dispatcher.serve(device, None, inbound, outbound).await.is_err() {
                session.failed.fetch_add(1, Ordering::Relaxed);
            }
        });
        let hello = Kind::Hello(Hello { inventory: Some(inventory(0)), ..Default::default() });
        frames.send(AgentFrame { kind: Some(hello) }).await.context("the session is over")?;
        let first = answers.recv().await.and_then(|frame| frame.kind);
        anyhow::ensure!(
            matches!(first, Some(server_frame::Kind::Welcome(_))),
            "{first:?} instead of Welcome"
        );
        Ok(Connected { place, frames, answers })
    }

    async fn talk(self: Arc<Self>, connected: Connected, period: Duration) {
        let Connected { place, frames, mut answers } = connected;
        let mut due = interval_at(now() + jitter(period, self.environment.random()), period);
        loop {
            tokio::select! {
                _ = due.tick() => {
                    let number = self.sent[place].load(Ordering::Relaxed) + 1;
                    let report = Kind::Inventory(inventory(number));
                    if frames.send(AgentFrame { kind: Some(report) }).await.is_err() {
                        return;
                    }
                    self.sent[place].store(number, Ordering::Relaxed);
                    self.all.fetch_add(1, Ordering::Relaxed);
                }
                answer = answers.recv() => {
                    if answer.is_none() {
                        return;
                    }
                }
            }
        }
    }
}

/// What a device says of itself: each report differs from the one before.
fn inventory(number: u32) -> Inventory {
    Inventory {
        host_name: "checkin".to_owned(),
        operating_system: Some(OperatingSystem {
            display_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            ..Default::default()
        }),
        primary_local_ip_address: address(number),
        ..Default::default()
    }
}

fn address(number: u32) -> String {
    std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).to_string()
}

fn device(environment: &Environment, number: usize) -> Device {
    Device::placeholder(environment.uuid().into(), LOST_AND_FOUND, format!("checkin-{number:06}"))
}
