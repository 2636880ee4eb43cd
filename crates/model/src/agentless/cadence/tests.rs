use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn zone(rule: &str) -> TimeZone {
    TimeZone::posix(rule).expect("a rule")
}

/// Summer time from the last Sunday of March, 02:00, to that of October, 03:00.
fn vienna() -> TimeZone {
    zone("CET-1CEST,M3.5.0,M10.5.0/3")
}

fn at(moment: &str) -> Timestamp {
    moment.parse().expect("a moment")
}

/// Begins on Thursday, 2026-11-26.
fn cadence(every: Every, time: &str) -> Cadence {
    Cadence { every, at: time.parse().expect("a time"), time_zone: vienna(), begin: date(2026, 11, 26) }
}

#[test]
fn the_next_start_is_the_first_one_that_is_to_come() {
    use Weekday::{Friday, Monday};
    let daily = || cadence(Every::Days(1), "03:00");
    let third = || cadence(Every::Days(3), "03:00");
    let weekly = || cadence(Every::Weeks { weeks: 1, days: vec![] }, "03:00");
    let fortnightly = || cadence(Every::Weeks { weeks: 2, days: vec![Monday, Friday] }, "03:00");
    let hourly = || cadence(Every::Hours(5), "03:00");
    let table = [
        ("before it begins", daily(), "2026-11-01T00:00:00Z", "2026-11-26T02:00:00Z"),
        ("just before", daily(), "2026-11-26T01:59:59Z", "2026-11-26T02:00:00Z"),
        ("at the moment", daily(), "2026-11-26T02:00:00Z", "2026-11-27T02:00:00Z"),
        ("long after", daily(), "2031-01-01T12:00:00Z", "2031-01-02T02:00:00Z"),
        ("every third day", third(), "2026-11-26T02:00:00Z", "2026-11-29T02:00:00Z"),
        ("counted from the begin", third(), "2026-12-01T12:00:00Z", "2026-12-02T02:00:00Z"),
        ("its own day of the week", weekly(), "2026-11-26T02:00:00Z", "2026-12-03T02:00:00Z"),
        ("another day of the week", fortnightly(), "2026-11-26T02:00:00Z", "2026-11-27T02:00:00Z"),
        ("not in the next week", fortnightly(), "2026-11-27T02:00:00Z", "2026-12-07T02:00:00Z"),
        ("hours from the begin", hourly(), "2026-11-26T02:00:00Z", "2026-11-26T07:00:00Z"),
        ("hours pass midnight", hourly(), "2026-11-26T23:00:00Z", "2026-11-27T03:00:00Z"),
        ("hours before the begin", hourly(), "2026-11-20T00:00:00Z", "2026-11-26T02:00:00Z"),
    ];
    for (name, cadence, after, expected) in table {
        assert_eq!(cadence.next(at(after)), Some(at(expected)), "{name}");
    }
}

#[test]
fn clocks_that_jump() {
    let early = || cadence(Every::Days(1), "02:30");
    let hourly = || Cadence { begin: date(2027, 3, 27), ..cadence(Every::Hours(12), "02:30") };
    let table = [
        // On 2027-03-28 the clock goes from 02:00 to 03:00: half past two is half past three.
        ("forward", early(), "2027-03-28T00:59:00Z", "2027-03-28T01:30:00Z"),
        ("the day after", early(), "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"),
        // On 2027-10-31 it goes from 03:00 back to 02:00: the first half past two counts, and no other.
        ("back", early(), "2027-10-31T00:00:00Z", "2027-10-31T00:30:00Z"),
        ("the second time", early(), "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"),
        // Twelve hours are twelve hours.
        ("hours", hourly(), "2027-03-27T13:30:00Z", "2027-03-28T01:30:00Z"),
        ("hours later", hourly(), "2027-03-28T01:30:00Z", "2027-03-28T13:30:00Z"),
    ];
    for (name, cadence, after, expected) in table {
        assert_eq!(cadence.next(at(after)), Some(at(expected)), "{name}");
    }
}

fn cadences() -> impl Strategy<Value = Cadence> {
    let day = (0_i8..7).prop_map(|day| Weekday::from_monday_zero_offset(day).expect("a day"));
    let every = prop_oneof![
        (1..=LONGEST.0).prop_map(Every::Hours),
        (1..=LONGEST.1).prop_map(Every::Days),
        (1..=LONGEST.2, prop::collection::vec(day, 0..4))
            .prop_map(|(weeks, days)| Every::Weeks { weeks, days }),
    ];
    let zones = prop::sample::select(vec![TimeZone::UTC, vienna(), zone("<+14>-14"), zone("<-12>12")]);
    (every, 0_i8..24, 0_i8..60, 0_i64..2_000, zones).prop_map(|(every, hour, minute, days, time_zone)| {
        Cadence {
            every,
            at: Time::constant(hour, minute, 0, 0),
            time_zone,
            begin: date(2026, 1, 1).saturating_add(days.days()),
        }
    })
}

/// The longest time between two starts.
fn period(cadence: &Cadence) -> SignedDuration {
    let hours = match &cadence.every {
        Every::Hours(hours) => i64::from(*hours),
        Every::Days(days) => 24 * i64::from(*days),
        Every::Weeks { weeks, .. } => 7 * 24 * i64::from(*weeks),
    };
    // A clock that jumps puts a start off by an hour.
    SignedDuration::from_hours(hours + 1)
}

proptest! {
    #[test]
    fn starts_follow_each_other(cadence in cadences(), second in 1_700_000_000_i64..2_000_000_000) {
        let now = Timestamp::from_second(second).expect("in range");
        let next = cadence.next(now).expect("the calendar goes on");
        prop_assert!(next > now);
        // Nothing starts in between.
        for moment in [next - SignedDuration::from_nanos(1), now + next.duration_since(now) / 2] {
            prop_assert_eq!(cadence.next(moment), Some(next));
        }
        let following = cadence.next(next).expect("the calendar goes on");
        prop_assert!(following > next);
        prop_assert!(following.duration_since(next) <= period(&cadence));
        let first = cadence.start_on(cadence.begin).expect("in range");
        prop_assert!(next >= first);
    }

    #[test]
    fn days_start_when_the_clock_shows_it(cadence in cadences(), second in 1_700_000_000_i64..2_000_000_000) {
        prop_assume!(!matches!(cadence.every, Every::Hours(_)));
        let next = cadence.next(Timestamp::from_second(second).expect("in range")).expect("comes");
        let shown = cadence.time_zone.to_datetime(next);
        let late = shown.time().duration_since(cadence.at);
        // Only where that hour is left out is it another one.
        let is_jump = cadence.time_zone.to_ambiguous_zoned(shown.date().to_datetime(cadence.at)).is_ambiguous();
        prop_assert!(late.is_zero() || (is_jump && late == SignedDuration::from_hours(1)), "{shown}");
        prop_assert!(cadence.is_on(shown.date()));
    }
}
