//! Snapshots that agents take of their devices: where they lie, how they are called, and how long they are kept.

use jiff::SignedDuration;
use uuid::Uuid;

use super::TaskStatus;
use crate::{DeviceId, RunId, Timestamp};

/// The location of all devices. It is always there.
pub const DEVICES: Uuid = Uuid::from_u128(0x0000_0000_0000_8000_8000_736e_6170_7368);

/// How long a device may take until it begins its snapshot.
pub const WAIT: SignedDuration = SignedDuration::from_hours(24);

/// The instance id of a device: its uuid.
#[must_use]
pub fn instance_id(device: DeviceId) -> String {
    device.to_string()
}

/// The device with this instance id. `None`: this is the instance id of no device.
#[must_use]
pub fn device(instance_id: &str) -> Option<DeviceId> {
    let device: DeviceId = instance_id.parse().ok()?;
    // A uuid has several spellings, an asset has one.
    (self::instance_id(device) == instance_id).then_some(device)
}

/// The name, in the location of the devices, of the archive that a run makes.
#[must_use]
pub fn archive(device: DeviceId, run: RunId) -> String {
    format!("{device}/{run}.tar.zst")
}

/// What whoever asked for a scan said of its snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// For how many days they are kept behind the scan; 0: they go when it is over.
    pub days: u32,
    /// They go when it is over, too, where nothing was found.
    pub release_clean: bool,
}

/// Until when the snapshot of a subtask is kept that was over at `now`, and where something was found or not. `None`: it
/// goes.
#[must_use]
pub fn keep_until(
    keeping: Keeping,
    status: TaskStatus,
    has_findings: bool,
    now: Timestamp,
) -> Option<Timestamp> {
    let Keeping { days, release_clean } = keeping;
    let is_clean = status == TaskStatus::Done && !has_findings;
    if days == 0 || status == TaskStatus::Cancelled || (release_clean && is_clean) {
        return None;
    }
    let days = SignedDuration::from_hours(i64::from(days) * 24);
    Some(now.checked_add(days).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + day * 86_400).expect("in range")
    }

    #[test]
    fn a_snapshot_is_kept_as_long_as_was_asked_for() {
        use TaskStatus::{Cancelled, Done, Failed, TimedOut};
        let table = [
            ((0, false), Done, true, None),
            ((0, false), Failed, false, None),
            ((3, false), Done, true, Some(day(3))),
            ((3, false), Done, false, Some(day(3))),
            ((3, true), Done, true, Some(day(3))),
            ((3, true), Done, false, None),
            // Whether something is to be found is not known.
            ((3, true), Failed, false, Some(day(3))),
            ((3, true), TimedOut, false, Some(day(3))),
            ((3, false), Cancelled, false, None),
            ((u32::MAX, false), Failed, false, Some(Timestamp::MAX)),
        ];
        for ((days, release_clean), status, has_findings, expected) in table {
            let keeping = Keeping { days, release_clean };
            assert_eq!(keep_until(keeping, status, has_findings, day(0)), expected, "{keeping:?} {status:?}");
        }
    }

    #[test]
    fn a_device_is_called_by_its_uuid() {
        let id = DeviceId(Uuid::from_u128(0xab));
        assert_eq!(instance_id(id), "00000000-0000-0000-0000-0000000000ab");
        assert_eq!(device(&instance_id(id)), Some(id));
        for other in ["", "s-1", "00000000-0000-0000-0000-0000000000AB", "000000000000000000000000000000ab"] {
            assert_eq!(device(other), None, "{other}");
        }
        let run = RunId(Uuid::from_u128(0xcd));
        assert_eq!(
            archive(id, run),
            "00000000-0000-0000-0000-0000000000ab/00000000-0000-0000-0000-0000000000cd.tar.zst"
        );
    }

    #[test]
    fn the_location_of_devices_is_no_made_up_uuid_of_another_version() {
        assert_eq!((DEVICES.get_version_num(), DEVICES.get_variant()), (8, uuid::Variant::RFC4122));
    }
}
