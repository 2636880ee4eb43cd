//! Sending the connected devices away when the server stops, in slices: all at once would come back to the other
//! replicas as one herd.

use std::time::Duration;

use guardhouse_contract::link::go_away::Reason;
use tokio::time::sleep;

use crate::registry::Registry;

/// Fewest devices of a slice.
const SMALLEST: usize = 50;

/// Into how many slices many devices are divided.
const SLICES: usize = 20;

/// Rest between two slices: with [`SLICES`] this is less than a server may take to stop.
const REST: Duration = Duration::from_millis(250);

/// Lets nobody in any more and sends away who is there.
pub async fn run(registry: &Registry) {
    registry.stop_entry();
    let devices = registry.devices();
    for (place, slice) in devices.chunks(slice_of(devices.len())).enumerate() {
        if place > 0 {
            sleep(REST).await;
        }
        registry.close(slice, Reason::ShuttingDown);
    }
}

fn slice_of(devices: usize) -> usize {
    devices.div_ceil(SLICES).max(SMALLEST)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use guardhouse_model::DeviceId;
    use tokio::time::sleep;
    use uuid::Uuid;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn devices_leave_in_slices() {
        let registry = Arc::new(Registry::default());
        let seats: Vec<_> = (0..120).map(|id| registry.enter(DeviceId(Uuid::from_u128(id)), 1)).collect();
        let left = || seats.iter().filter(|seat| seat.closed().is_some()).count();
        let drained = tokio::spawn({
            let registry = Arc::clone(&registry);
            async move { run(&registry).await }
        });
        // The clock of the test stands still while anybody can go on.
        sleep(REST / 2).await;
        assert_eq!(left(), 50);
        sleep(REST).await;
        assert_eq!(left(), 100);
        drained.await.expect("ends");
        assert_eq!(left(), 120);
    }

    #[test]
    fn a_hundred_thousand_leave_in_time() {
        let slices = 100_000_usize.div_ceil(slice_of(100_000));
        assert!(REST * u32::try_from(slices).expect("few") <= Duration::from_secs(5));
    }
}
