//! Wake-ups from and to the other replicas.
//!
//! A change wakes the sessions of this process at once and is noted for the others. One task sends what was noted,
//! joined, at most every [`GAP`]: never inside a transaction of the store, where notifications of PostgreSQL would
//! make all writers wait for each other. What is lost on the way costs a session the time until its next look.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use guardhouse_model::DeviceId;
use guardhouse_store::{Listener, Signal, Store};
use tokio::{sync::Notify, time::sleep};
use tracing::warn;
use uuid::Uuid;

use crate::{registry::Registry, wake_set::WakeSet};

/// Least time between two messages to the other replicas.
const GAP: Duration = Duration::from_millis(50);

/// Rest after a message that could not be sent.
const REST: Duration = Duration::from_secs(1);

/// What the other replicas have not been told yet.
#[derive(Debug, Default)]
pub struct Outbox {
    pending: Mutex<WakeSet>,
    filled: Notify,
}

impl Outbox {
    /// Notes devices for the others.
    pub fn add(&self, devices: &[DeviceId]) {
        self.change(|pending| pending.add(devices));
    }

    /// Notes every device.
    pub fn add_everybody(&self) {
        self.change(WakeSet::add_everybody);
    }

    fn change(&self, change: impl FnOnce(&mut WakeSet)) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut pending);
        if !pending.is_empty() {
            self.filled.notify_one();
        }
    }

    fn take(&self) -> WakeSet {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends what is noted, for as long as it is polled. `replica` names this process, so that it knows its own
/// messages when they come back.
pub async fn send(store: Store, outbox: Arc<Outbox>, replica: Uuid) {
    loop {
        outbox.filled.notified().await;
        let set = outbox.take();
        if set.is_empty() {
            continue;
        }
        let sent = store.announce(format!("{} {}", replica.simple(), set.to_text())).await;
        if let Err(error) = sent {
            warn!(%error, "the other replicas were not woken; trying again");
            outbox.change(|pending| pending.join(set));
            sleep(REST).await;
        }
        sleep(GAP).await;
    }
}

/// Wakes whom other replicas name, for as long as it is polled.
pub async fn receive(mut listener: Listener, registry: Arc<Registry>, replica: Uuid) {
    let own = replica.simple().to_string();
    loop {
        match listener.next().await {
            Signal::Payload(payload) => match payload.split_once(' ') {
                Some((sender, _)) if sender == own => {}
                Some((_, set)) => registry.wake_set(&WakeSet::from_text(set)),
                None => registry.wake_all(),
            },
            // Who knows what was said meanwhile.
            Signal::Deaf => registry.wake_all(),
        }
    }
}
