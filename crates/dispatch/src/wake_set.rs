//! Who is to be woken, in a form that stays small however many they are.
//!
//! A few devices are named. From [`FEW`] on only their virtual shards are kept: sharing a shard costs a device a
//! look at the store that finds nothing, and a set that grows with the number of devices would cost everybody.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use guardhouse_model::DeviceId;
use uuid::Uuid;

/// From how many devices on shards are kept instead.
const FEW: usize = 256;

/// Into how many virtual shards the devices fall.
const SHARDS: usize = 4096;

/// Devices to wake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WakeSet {
    /// Nobody.
    #[default]
    Nobody,
    /// These devices.
    Devices(BTreeSet<DeviceId>),
    /// The devices of these shards, a bit each.
    Shards(Box<[u8; SHARDS / 8]>),
    /// Every device.
    Everybody,
}

impl WakeSet {
    /// Whether there is nobody to wake.
    pub fn is_empty(&self) -> bool {
        *self == Self::Nobody
    }

    /// Adds devices.
    pub fn add(&mut self, devices: &[DeviceId]) {
        match self {
            Self::Everybody => {}
            Self::Nobody if devices.is_empty() => {}
            Self::Nobody => {
                *self = Self::Devices(BTreeSet::new());
                self.add(devices);
            }
            Self::Devices(few) if few.len() + devices.len() < FEW => few.extend(devices),
            Self::Devices(few) => {
                let mut shards = Box::new([0; SHARDS / 8]);
                few.iter().chain(devices).for_each(|device| mark(&mut shards, *device));
                *self = Self::Shards(shards);
            }
            Self::Shards(shards) => devices.iter().for_each(|device| mark(shards, *device)),
        }
    }

    /// Adds every device.
    pub fn add_everybody(&mut self) {
        *self = Self::Everybody;
    }

    /// Adds all of another set.
    pub fn join(&mut self, other: Self) {
        match (&mut *self, other) {
            (_, Self::Nobody) | (Self::Everybody, _) => {}
            (_, Self::Everybody) => *self = Self::Everybody,
            (Self::Nobody, other) => *self = other,
            (_, Self::Devices(few)) => self.add(&few.into_iter().collect::<Vec<_>>()),
            (Self::Shards(shards), Self::Shards(others)) => {
                std::iter::zip(shards.iter_mut(), others.iter()).for_each(|(bits, other)| *bits |= other);
            }
            (Self::Devices(few), mut other @ Self::Shards(_)) => {
                other.add(&few.iter().copied().collect::<Vec<_>>());
                *self = other;
            }
        }
    }

    /// Whether a device is to be woken. True for some that are not, once shards are kept.
    pub fn contains(&self, device: DeviceId) -> bool {
        match self {
            Self::Nobody => false,
            Self::Devices(few) => few.contains(&device),
            Self::Shards(shards) => {
                let shard = shard(device);
                shards[shard / 8] & (1 << (shard % 8)) != 0
            }
            Self::Everybody => true,
        }
    }

    /// The set as a text of at most 6,000 bytes: PostgreSQL carries less than 8,000 in a notification.
    pub fn to_text(&self) -> String {
        match self {
            Self::Nobody => String::new(),
            Self::Devices(few) => {
                let bytes: Vec<u8> = few.iter().flat_map(|device| *device.0.as_bytes()).collect();
                format!("d{}", BASE64_STANDARD_NO_PAD.encode(bytes))
            }
            Self::Shards(shards) => format!("s{}", BASE64_STANDARD_NO_PAD.encode(shards.as_slice())),
            Self::Everybody => "*".to_owned(),
        }
    }

    /// Reads what [`Self::to_text`] wrote. A text that is not understood, as a newer version may send one, wakes
    /// everybody: too many looks do no harm.
    pub fn from_text(text: &str) -> Self {
        let known = match text.split_at_checked(1) {
            None if text.is_empty() => Some(Self::Nobody),
            Some(("d", ids)) => BASE64_STANDARD_NO_PAD.decode(ids).ok().and_then(|bytes| {
                let ids = bytes.chunks(16).map(Uuid::from_slice);
                ids.map(|id| id.map(DeviceId)).collect::<Result<_, _>>().map(Self::Devices).ok()
            }),
            Some(("s", bits)) => BASE64_STANDARD_NO_PAD.decode(bits).ok().and_then(|bytes| {
                let shards: [u8; SHARDS / 8] = bytes.try_into().ok()?;
                Some(Self::Shards(Box::new(shards)))
            }),
            _ => None,
        };
        known.unwrap_or(Self::Everybody)
    }
}

fn mark(shards: &mut [u8; SHARDS / 8], device: DeviceId) {
    let shard = shard(device);
    shards[shard / 8] |= 1 << (shard % 8);
}

/// The shard of a device. The last bits of a version 7 uuid are random; others are mixed in for ids that were
/// chosen by other rules.
fn shard(device: DeviceId) -> usize {
    let id = device.0.as_u128();
    let mixed = (id ^ (id >> 64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from((mixed >> 48) % SHARDS as u128).expect("below the number of shards")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn devices(ids: &[u64]) -> Vec<DeviceId> {
        ids.iter().map(|id| DeviceId(Uuid::from_u128(u128::from(*id)))).collect()
    }

    /// Sets of every kind, with devices that are certainly in them.
    fn sets() -> impl Strategy<Value = (WakeSet, Vec<DeviceId>)> {
        (prop::collection::vec(any::<u64>(), 0..600), prop::bool::weighted(0.1)).prop_map(
            |(ids, everybody)| {
                let devices = devices(&ids);
                let mut set = WakeSet::default();
                devices.chunks(7).for_each(|some| set.add(some));
                if everybody {
                    set.add_everybody();
                }
                (set, devices)
            },
        )
    }

    proptest! {
        #[test]
        fn whoever_was_added_is_found_again_behind_the_wire((set, devices) in sets()) {
            let text = set.to_text();
            prop_assert!(text.len() < 6_000, "{} bytes", text.len());
            let read = WakeSet::from_text(&text);
            prop_assert_eq!(&read, &set);
            prop_assert!(devices.iter().all(|device| read.contains(*device)));
        }

        #[test]
        fn a_joined_set_has_the_devices_of_both((mut set, some) in sets(), (other, others) in sets()) {
            set.join(other);
            prop_assert!(some.iter().chain(&others).all(|device| set.contains(*device)));
        }

        #[test]
        fn a_few_devices_wake_nobody_else(ids in prop::collection::hash_set(any::<u64>(), 1..200)) {
            let ids: Vec<u64> = ids.into_iter().collect();
            let (stranger, others) = devices(&ids).split_first().map(|(a, b)| (*a, b.to_vec())).expect("one");
            let mut set = WakeSet::default();
            set.add(&others);
            prop_assert!(!set.contains(stranger));
        }

        #[test]
        fn arbitrary_texts_are_no_danger(text in ".*") {
            let _ = WakeSet::from_text(&text);
        }
    }

    #[test]
    fn shards_are_used_evenly() {
        let mut counts = vec![0_u32; SHARDS];
        for id in 0..409_600_u64 {
            counts[shard(DeviceId(Uuid::from_u128(u128::from(id))))] += 1;
        }
        assert!(counts.iter().all(|&count| (20..400).contains(&count)), "{:?}", counts.iter().max());
    }

    #[test]
    fn what_is_not_understood_wakes_everybody() {
        for text in ["?", "d!", "dAAAA", "sAAAA", "é"] {
            assert_eq!(WakeSet::from_text(text), WakeSet::Everybody, "{text}");
        }
        assert_eq!(WakeSet::from_text(""), WakeSet::Nobody);
    }
}
