//! Who is connected, and how to reach its session.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use guardhouse_contract::link::go_away::Reason;
use guardhouse_model::DeviceId;
use tokio::sync::{Notify, watch};

/// The connected devices.
#[derive(Debug, Default)]
pub struct Registry {
    sessions: Mutex<HashMap<DeviceId, Handle>>,
}

#[derive(Debug)]
struct Handle {
    epoch: u64,
    wake: Arc<Notify>,
    close: watch::Sender<Option<Reason>>,
}

/// The place of one session in the registry; dropping it gives the place up.
#[derive(Debug)]
pub struct Seat {
    registry: Arc<Registry>,
    device: DeviceId,
    epoch: u64,
    /// Something may have changed for this device.
    pub wake: Arc<Notify>,
    /// Why the session is to end, once it is.
    pub close: watch::Receiver<Option<Reason>>,
}

impl Registry {
    /// Takes the place of a device. An earlier session of the same device is closed; when a later one is
    /// already there, the new one is told to close at once.
    pub fn enter(self: &Arc<Self>, device: DeviceId, epoch: u64) -> Seat {
        let wake = Arc::new(Notify::new());
        let (close, closed) = watch::channel(None);
        let handle = Handle { epoch, wake: Arc::clone(&wake), close };
        let mut sessions = self.lock();
        match sessions.get(&device) {
            Some(later) if later.epoch > epoch => handle.close(Reason::Superseded),
            _ => {
                if let Some(earlier) = sessions.insert(device, handle) {
                    earlier.close(Reason::Superseded);
                }
            }
        }
        Seat { registry: Arc::clone(self), device, epoch, wake, close: closed }
    }

    pub fn wake(&self, devices: &[DeviceId]) {
        let sessions = self.lock();
        for handle in devices.iter().filter_map(|device| sessions.get(device)) {
            handle.wake.notify_one();
        }
    }

    pub fn wake_all(&self) {
        self.lock().values().for_each(|handle| handle.wake.notify_one());
    }

    pub fn close_all(&self, reason: Reason) {
        self.lock().values().for_each(|handle| handle.close(reason));
    }

    pub fn devices(&self) -> Vec<DeviceId> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceId, Handle>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handle {
    fn close(&self, reason: Reason) {
        self.close.send_replace(Some(reason));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut sessions = self.registry.lock();
        if sessions.get(&self.device).is_some_and(|handle| handle.epoch == self.epoch) {
            sessions.remove(&self.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const DEVICE: DeviceId = DeviceId(Uuid::from_u128(1));

    fn closed(seat: &Seat) -> Option<Reason> {
        *seat.close.borrow()
    }

    #[test]
    fn a_later_connection_takes_the_place() {
        let registry = Arc::new(Registry::default());
        let first = registry.enter(DEVICE, 1);
        let second = registry.enter(DEVICE, 2);
        assert_eq!((closed(&first), closed(&second)), (Some(Reason::Superseded), None));
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
        assert_eq!((closed(&first), closed(&second)), (Some(Reason::Superseded), None));
        drop(first);
        assert_eq!(registry.devices(), [DEVICE]);
    }
}
