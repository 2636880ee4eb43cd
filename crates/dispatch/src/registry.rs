//! Who is connected, and how to reach its session.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use guardhouse_contract::link::go_away::Reason;
use guardhouse_model::DeviceId;
use tokio::sync::Notify;

use crate::wake_set::WakeSet;

/// The connected devices.
#[derive(Debug, Default)]
pub struct Registry {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// In an order: a simulation that wakes them twice has to see the same twice.
    sessions: BTreeMap<DeviceId, Entry>,
    /// The server stops: who comes now is sent away.
    draining: bool,
}

#[derive(Debug)]
struct Entry {
    epoch: u64,
    bell: Arc<Bell>,
}

/// How a session is reached from outside.
#[derive(Debug, Default)]
struct Bell {
    rung: Notify,
    close: OnceLock<Reason>,
}

/// The place of one session in the registry; dropping it gives the place up.
#[derive(Debug)]
pub struct Seat {
    registry: Arc<Registry>,
    device: DeviceId,
    epoch: u64,
    bell: Arc<Bell>,
}

impl Registry {
    /// Takes the place of a device. An earlier session of the same device is closed; when a later one is
    /// already there, or the server stops, the new one is told to close at once.
    pub fn enter(self: &Arc<Self>, device: DeviceId, epoch: u64) -> Seat {
        let bell = Arc::new(Bell::default());
        let mut inner = self.lock();
        let later = inner.sessions.get(&device).is_some_and(|entry| entry.epoch > epoch);
        if inner.draining {
            bell.close(Reason::ShuttingDown);
        } else if later {
            bell.close(Reason::Superseded);
        } else if let Some(earlier) = inner.sessions.insert(device, Entry { epoch, bell: Arc::clone(&bell) })
        {
            earlier.bell.close(Reason::Superseded);
        }
        drop(inner);
        Seat { registry: Arc::clone(self), device, epoch, bell }
    }

    /// Wakes the sessions of these devices.
    pub fn wake(&self, devices: &[DeviceId]) {
        let inner = self.lock();
        for entry in devices.iter().filter_map(|device| inner.sessions.get(device)) {
            entry.bell.rung.notify_one();
        }
    }

    /// Wakes the sessions of a set.
    pub fn wake_set(&self, set: &WakeSet) {
        if let WakeSet::Devices(few) = set {
            return self.wake(&few.iter().copied().collect::<Vec<_>>());
        }
        let inner = self.lock();
        for (_, entry) in inner.sessions.iter().filter(|(device, _)| set.contains(**device)) {
            entry.bell.rung.notify_one();
        }
    }

    /// Wakes every session.
    pub fn wake_all(&self) {
        self.wake_set(&WakeSet::Everybody);
    }

    /// Sends everybody away who comes from now on.
    pub fn stop_entry(&self) {
        self.lock().draining = true;
    }

    /// Closes the sessions of these devices.
    pub fn close(&self, devices: &[DeviceId], reason: Reason) {
        let inner = self.lock();
        for entry in devices.iter().filter_map(|device| inner.sessions.get(device)) {
            entry.bell.close(reason);
        }
    }

    /// The connected devices, in the order of their ids.
    pub fn devices(&self) -> Vec<DeviceId> {
        self.lock().sessions.keys().copied().collect()
    }

    /// Whether a device is connected.
    pub fn has(&self, device: DeviceId) -> bool {
        self.lock().sessions.contains_key(&device)
    }

    /// How many devices are connected.
    pub fn len(&self) -> usize {
        self.lock().sessions.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    /// Tells a session to end. The first reason counts.
    fn close(&self, reason: Reason) {
        let _ = self.close.set(reason);
        self.rung.notify_one();
    }
}

impl Seat {
    /// Waits until something may have changed for this device, or the session is to end. A ring that comes while
    /// nobody waits is heard by the next who does.
    pub async fn rung(&self) {
        self.bell.rung.notified().await;
    }

    /// Why the session is to end, once it is.
    pub fn closed(&self) -> Option<Reason> {
        self.bell.close.get().copied()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut inner = self.registry.lock();
        if inner.sessions.get(&self.device).is_some_and(|entry| entry.epoch == self.epoch) {
            inner.sessions.remove(&self.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const DEVICE: DeviceId = DeviceId(Uuid::from_u128(1));

    #[test]
    fn a_later_connection_takes_the_place() {
        let registry = Arc::new(Registry::default());
        let first = registry.enter(DEVICE, 1);
        let second = registry.enter(DEVICE, 2);
        assert_eq!((first.closed(), second.closed()), (Some(Reason::Superseded), None));
        drop(first);
        assert_eq!(registry.devices(), [DEVICE], "the seat of the second is its own");
        drop(second);
        assert!(registry.devices().is_empty());
    }

    #[test]
    fn a_late_starter_of_an_earlier_epoch_gives_way() {
        let registry = Arc::new(Registry::default());
        let second = registry.enter(DEVICE, 2);
        let first = registry.enter(DEVICE, 1);
        assert_eq!((first.closed(), second.closed()), (Some(Reason::Superseded), None));
        drop(first);
        assert_eq!(registry.devices(), [DEVICE]);
    }

    #[test]
    fn nobody_enters_while_the_server_stops() {
        let registry = Arc::new(Registry::default());
        let seated = registry.enter(DEVICE, 1);
        registry.stop_entry();
        let late = registry.enter(DeviceId(Uuid::from_u128(2)), 1);
        assert_eq!((seated.closed(), late.closed()), (None, Some(Reason::ShuttingDown)));
        assert_eq!(registry.len(), 1);
    }
}
