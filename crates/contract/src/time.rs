//! Moments as messages carry them.

use jiff::Timestamp;

/// A moment for a message.
#[must_use]
pub fn to_proto(moment: Timestamp) -> prost_types::Timestamp {
    // A proto counts nanoseconds forward from the second, jiff towards zero.
    let nanos = moment.as_nanosecond().rem_euclid(1_000_000_000);
    let seconds = moment.as_nanosecond().div_euclid(1_000_000_000);
    prost_types::Timestamp {
        seconds: i64::try_from(seconds).unwrap_or_default(),
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

/// A moment of a message; `None` when it lies outside the years 1 to 9999.
#[must_use]
pub fn from_proto(moment: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(moment.seconds, moment.nanos).ok()
}

/// A moment of a message to the microsecond, which is what the store keeps; `None` as with [`from_proto`].
#[must_use]
pub fn from_proto_micros(moment: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::from_microsecond(from_proto(moment)?.as_microsecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive() {
        for nanos in [0, 1, 1_700_000_000_123_456_789, -1, -1_000_000_000, -1_500_000_000] {
            let moment = Timestamp::from_nanosecond(nanos).expect("in range");
            let proto = to_proto(moment);
            assert!((0..1_000_000_000).contains(&proto.nanos), "{proto:?}");
            assert_eq!(from_proto(&proto), Some(moment));
            let micros = from_proto_micros(&proto).expect("in range");
            assert_eq!(micros.as_microsecond(), moment.as_microsecond());
        }
        assert_eq!(from_proto(&prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }), None);
    }
}
