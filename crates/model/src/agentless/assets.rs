//! What is scanned, and how it is called.

use aws_lc_rs::digest::{Context, SHA256};
use uuid::Uuid;

/// What kind of target it is, in the numbers of the public API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetType {
    /// A device, by a snapshot that is made of it.
    DeviceSnapshot = 1,
    /// A device, by an image that is made of it.
    DeviceImage = 2,
    /// A snapshot that was there before.
    Snapshot = 3,
    /// An image.
    Image = 4,
}

impl TargetType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DeviceSnapshot, Self::DeviceImage, Self::Snapshot, Self::Image];

    /// The kind with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i32 == number)
    }

    /// Whether it is a device. Both kinds are the same here: the agent takes a snapshot.
    #[must_use]
    pub fn is_device(self) -> bool {
        matches!(self, Self::DeviceSnapshot | Self::DeviceImage)
    }

    /// How the instance ids of such assets begin. That of a device is its uuid ([`super::snapshots::instance_id`]).
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::DeviceSnapshot | Self::DeviceImage => "",
            Self::Snapshot => "s-",
            Self::Image => "m-",
        }
    }
}

/// How many digits an instance id has behind its prefix.
const DIGITS: usize = 20;

/// The instance id of an asset that is no device: the same for the same name in the same location, for ever.
///
/// A prefix and 20 digits of base 36, from SHA-256 of the location and the name: 103 bits, so that no two assets of a
/// house meet.
#[must_use]
pub fn instance_id(target_type: TargetType, location: Uuid, name: &str) -> String {
    const BASE: u128 = 36;
    let mut hash = Context::new(&SHA256);
    hash.update(location.as_bytes());
    hash.update(name.as_bytes());
    let hash = hash.finish();
    let mut rest =
        hash.as_ref().iter().take(16).fold(0, |number: u128, &byte| number << 8 | u128::from(byte));
    let mut id = target_type.prefix().to_owned();
    for _ in 0..DIGITS {
        let digit = u32::try_from(rest % BASE).ok().and_then(|digit| char::from_digit(digit, 36));
        id.push(digit.unwrap_or('0'));
        rest /= BASE;
    }
    id
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_instance_id_never_changes() {
        let location = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
        let id = |kind, name| instance_id(kind, location, name);
        // Clients keep these: another answer would be another asset.
        assert_eq!(id(TargetType::Image, "web/disk.qcow2"), "m-8sfm39s8nwvxaf3l3ggs");
        let digits = |id: &str| id.split_once('-').map(|(_, digits)| digits.to_owned());
        assert_eq!(digits(&id(TargetType::Snapshot, "a")), digits(&id(TargetType::Image, "a")));
        assert_ne!(id(TargetType::Image, "a"), id(TargetType::Image, "b"));
        assert_ne!(
            id(TargetType::Image, "a"),
            instance_id(TargetType::Image, Uuid::from_u128(1), "a"),
            "of another location"
        );
    }

    #[test]
    fn numbers_name_their_type() {
        for kind in TargetType::ALL {
            assert_eq!(TargetType::numbered(kind as i32), Some(kind));
        }
        assert_eq!((TargetType::numbered(0), TargetType::numbered(5)), (None, None));
        assert_eq!(TargetType::ALL.map(TargetType::is_device), [true, true, false, false]);
    }

    proptest! {
        #[test]
        fn an_instance_id_has_its_form(number: u128, name: String) {
            for kind in [TargetType::Snapshot, TargetType::Image] {
                let id = instance_id(kind, Uuid::from_u128(number), &name);
                let digits = id.strip_prefix(kind.prefix()).unwrap_or_default();
                prop_assert_eq!(digits.len(), DIGITS);
                prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()));
            }
        }
    }
}
