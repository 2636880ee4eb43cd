//! Where webhooks may lead, and how often a delivery is tried.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};
use uuid::{Builder, Uuid};

/// How long a delivery is tried.
pub const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// The pause behind the first try; it doubles with every other.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// The longest pause.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// Addresses at which machines in clouds are told what they are, credentials included, beside those of 169.254.0.0/16.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Why the server must not call this address, whoever registered it; `None`: it may.
///
/// Private networks are called: there the receivers of most houses are.
#[must_use]
pub fn refusal(address: IpAddr) -> Option<&'static str> {
    let address = address.to_canonical();
    if METADATA.contains(&address) {
        return Some("is where a cloud tells its machines their credentials");
    }
    let (is_link_local, is_broadcast) = match address {
        IpAddr::V4(address) => (address.is_link_local(), address.is_broadcast() || address.octets()[0] == 0),
        IpAddr::V6(address) => (address.is_unicast_link_local(), false),
    };
    if is_link_local {
        Some("is link-local: what answers there is the host or the cloud it runs in")
    } else if address.is_unspecified() || address.is_multicast() || is_broadcast {
        Some("is no address of a single machine")
    } else {
        None
    }
}

/// The identity of the delivery to `webhook` of what happened to `subject`, a task or a subtask, at `time`. They decide it:
/// whoever notes the same event twice notes one delivery.
#[must_use]
pub fn delivery_id(webhook: Uuid, subject: Uuid, time: Timestamp) -> Uuid {
    let time = time.as_microsecond().to_be_bytes();
    let all = [&webhook.as_bytes()[..], &subject.as_bytes()[..], &time[..]].concat();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest::digest(&digest::SHA256, &all).as_ref()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// When a delivery is tried again that was noted at `create` and failed `tries` times, the last time at `now`. `None`: it
/// is given up.
#[must_use]
pub fn next_try(create: Timestamp, tries: u32, now: Timestamp) -> Option<Timestamp> {
    let doubled = FIRST_PAUSE.checked_mul(1_i32.checked_shl(tries.saturating_sub(1).min(20)).unwrap_or(1));
    let pause = doubled.unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
    let next = now.checked_add(pause).ok()?;
    (next.duration_since(create) <= PATIENCE).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_called() {
        let table = [
            ("203.0.113.7", true),
            ("10.0.0.1", true),
            ("192.168.1.1", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("2001:db8::1", true),
            ("fd00::1", true),
            ("169.254.169.254", false),
            ("169.254.1.1", false),
            ("::ffff:169.254.169.254", false),
            ("100.100.100.200", false),
            ("fe80::1", false),
            ("fd00:ec2::254", false),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("::", false),
            ("224.0.0.1", false),
            ("ff02::1", false),
            ("255.255.255.255", false),
        ];
        for (address, may) in table {
            assert_eq!(refusal(address.parse().expect("an address")).is_none(), may, "{address}");
        }
    }

    #[test]
    fn an_event_has_one_delivery_to_each_webhook() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let now = Timestamp::from_second(1_700_000_000).expect("in range");
        let id = delivery_id(a, b, now);
        assert_eq!(id, delivery_id(a, b, now));
        assert_eq!(id.get_version_num(), 8);
        let later = now + SignedDuration::from_micros(1);
        for other in [delivery_id(b, b, now), delivery_id(a, a, now), delivery_id(a, b, later)] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn a_delivery_is_tried_for_a_day() {
        let create = Timestamp::from_second(1_700_000_000).expect("in range");
        let after = |seconds| create + SignedDuration::from_secs(seconds);
        let table = [
            (1, 0, Some(10)),
            (2, 10, Some(30)),
            (3, 30, Some(70)),
            (9, 5_000, Some(5_000 + 2_560)),
            (10, 5_000, Some(5_000 + 3_600)),
            (u32::MAX, 5_000, Some(5_000 + 3_600)),
            (30, 86_400 - 3_600, Some(86_400)),
            (30, 86_400 - 3_599, None),
        ];
        for (tries, now, expected) in table {
            assert_eq!(next_try(create, tries, after(now)), expected.map(after), "{tries} tries at {now}");
        }
    }

    #[test]
    fn trying_ends() {
        let create = Timestamp::from_second(1_700_000_000).expect("in range");
        let (mut now, mut tries) = (create, 1);
        while let Some(next) = next_try(create, tries, now) {
            assert!(next > now);
            (now, tries) = (next, tries + 1);
        }
        assert_eq!(tries, 32, "the pauses grow to an hour");
    }
}
