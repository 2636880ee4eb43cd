//! Maintenance windows: when a device may do what disturbs its user.
//!
//! A window opens on days of the week, when a clock shows its start, and stays open for a length of time that really
//! passes. Where the clock is put forward over the start, the window opens as much later as the clock jumped; where
//! it shows the start twice, it opens the first time.

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

/// How many days behind today the next day of a window may lie: a week, one for the night that a window reaches into,
/// and one for a time zone that leaves a day out.
const DAYS_AHEAD: i32 = 9;

/// A part of the week that comes again every week.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The days on which it opens; empty: every day.
    pub days: Vec<Weekday>,
    /// When it opens.
    pub start: Time,
    /// How long it stays open.
    pub duration: SignedDuration,
    /// Whose clock `start` is read on; `None`: the device's.
    pub time_zone: Option<TimeZone>,
}

/// What windows say at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// A window is open.
    Open,
    /// All are closed; the next one opens then.
    OpensAt(Timestamp),
    /// None will ever open.
    Never,
}

/// What `windows` say at `now`, where the device's own clock is that of `local`.
#[must_use]
pub fn next_opening(windows: &[Window], now: Timestamp, local: &TimeZone) -> Opening {
    let mut next = None;
    for (opens, closes) in windows.iter().flat_map(|window| openings(window, now, local)) {
        if opens > now {
            next = Some(next.map_or(opens, |other: Timestamp| other.min(opens)));
        } else if now < closes {
            return Opening::Open;
        }
    }
    next.map_or(Opening::Never, Opening::OpensAt)
}

/// When a window opens and closes around `now`: every time that can still be open, and at least one that is to come.
fn openings<'a>(
    window: &'a Window,
    now: Timestamp,
    local: &'a TimeZone,
) -> impl Iterator<Item = (Timestamp, Timestamp)> + 'a {
    let zone = window.time_zone.as_ref().unwrap_or(local);
    let earliest = now.saturating_sub(window.duration).unwrap_or(Timestamp::MIN);
    let day_of = |moment: Timestamp| zone.to_datetime(moment).date();
    // One day more: the start of the day before may have been put off into the day by a jump of the clock.
    let first = day_of(earliest).saturating_sub(1.day());
    let last = day_of(now).saturating_add(DAYS_AHEAD.days());
    let on = |day: &Date| window.days.is_empty() || window.days.contains(&day.weekday());
    first.series(1.day()).take_while(move |day| *day <= last).filter(on).filter_map(move |day| {
        let opens = zone.to_timestamp(day.to_datetime(window.start)).ok()?;
        Some((opens, opens.saturating_add(window.duration).unwrap_or(Timestamp::MAX)))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(days: &[Weekday], start: &str, minutes: i64) -> Window {
        Window {
            days: days.to_vec(),
            start: start.parse().expect("a time"),
            duration: SignedDuration::from_mins(minutes),
            time_zone: None,
        }
    }

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

    #[test]
    fn windows_open_and_close() {
        use Weekday::{Friday, Monday, Sunday, Thursday};
        // 2026-11-26 is a Thursday; Vienna is an hour ahead of UTC.
        let (daily, weekly) = (window(&[], "22:00", 60), window(&[Monday, Friday], "22:00", 60));
        let night = window(&[Thursday], "23:00", 24 * 60);
        let utc = Window { time_zone: Some(TimeZone::UTC), ..daily.clone() };
        let opens = |moment: &str| Opening::OpensAt(at(moment));
        let table = [
            ("before", vec![daily.clone()], "2026-11-26T20:59:59Z", opens("2026-11-26T21:00:00Z")),
            ("its first moment", vec![daily.clone()], "2026-11-26T21:00:00Z", Opening::Open),
            ("its last moment", vec![daily.clone()], "2026-11-26T21:59:59Z", Opening::Open),
            ("its end", vec![daily.clone()], "2026-11-26T22:00:00Z", opens("2026-11-27T21:00:00Z")),
            ("by another clock", vec![utc], "2026-11-26T21:30:00Z", opens("2026-11-26T22:00:00Z")),
            ("not today", vec![weekly.clone()], "2026-11-26T21:30:00Z", opens("2026-11-27T21:00:00Z")),
            ("over the weekend", vec![weekly], "2026-11-28T12:00:00Z", opens("2026-11-30T21:00:00Z")),
            ("over midnight", vec![night.clone()], "2026-11-27T21:59:59Z", Opening::Open),
            ("a week later", vec![night.clone()], "2026-11-27T22:00:00Z", opens("2026-12-03T22:00:00Z")),
            (
                "the first of several",
                vec![night, window(&[Sunday], "01:00", 60)],
                "2026-11-28T12:00:00Z",
                opens("2026-11-29T00:00:00Z"),
            ),
            ("none", vec![], "2026-11-28T12:00:00Z", Opening::Never),
        ];
        for (name, windows, now, expected) in table {
            assert_eq!(next_opening(&windows, at(now), &vienna()), expected, "{name}");
        }
    }

    #[test]
    fn clocks_that_jump() {
        let opens = |moment: &str| Opening::OpensAt(at(moment));
        let early = [window(&[], "02:30", 60)];
        let table = [
            // On 2026-03-29 the clock goes from 02:00 to 03:00: half past two is half past three.
            ("forward, before", "2026-03-29T00:59:00Z", opens("2026-03-29T01:30:00Z")),
            ("forward, open", "2026-03-29T02:29:59Z", Opening::Open),
            ("forward, after", "2026-03-29T02:30:00Z", opens("2026-03-30T00:30:00Z")),
            // On 2026-10-25 it goes from 03:00 back to 02:00: the first half past two counts.
            ("back, before", "2026-10-25T00:00:00Z", opens("2026-10-25T00:30:00Z")),
            ("back, open", "2026-10-25T01:29:59Z", Opening::Open),
            ("back, the second time", "2026-10-25T01:30:00Z", opens("2026-10-26T01:30:00Z")),
        ];
        for (name, now, expected) in table {
            assert_eq!(next_opening(&early, at(now), &vienna()), expected, "{name}");
        }
        // An hour that is open when the clock goes back is an hour all the same.
        let late = [window(&[], "01:30", 60)];
        assert_eq!(next_opening(&late, at("2026-10-25T00:29:59Z"), &vienna()), Opening::Open);
        assert_ne!(next_opening(&late, at("2026-10-25T00:30:00Z"), &vienna()), Opening::Open);
    }

    fn windows() -> impl Strategy<Value = Vec<Window>> {
        let day = (0_i8..7).prop_map(|day| Weekday::from_monday_zero_offset(day).expect("a day"));
        let zones = prop::sample::select(vec![
            None,
            Some(TimeZone::UTC),
            Some(vienna()),
            Some(zone("<+14>-14")),
            Some(zone("<-12>12")),
        ]);
        let window = (prop::collection::vec(day, 0..3), 0_i8..24, 0_i8..60, 1_i64..=24 * 60, zones).prop_map(
            |(days, hour, minute, minutes, time_zone)| Window {
                days,
                start: Time::constant(hour, minute, 0, 0),
                duration: SignedDuration::from_mins(minutes),
                time_zone,
            },
        );
        prop::collection::vec(window, 1..4)
    }

    proptest! {
        #[test]
        fn what_is_said_of_the_future_comes_true(windows in windows(), second in 1_700_000_000_i64..1_900_000_000) {
            let now = Timestamp::from_second(second).expect("in range");
            let local = vienna();
            match next_opening(&windows, now, &local) {
                Opening::Open => {}
                Opening::Never => prop_assert!(false, "every window opens again"),
                Opening::OpensAt(opens) => {
                    prop_assert!(opens > now);
                    prop_assert!(opens.duration_since(now) <= SignedDuration::from_hours(8 * 24));
                    prop_assert_eq!(next_opening(&windows, opens, &local), Opening::Open);
                    // Nothing opens in between.
                    let just_before = opens - SignedDuration::from_nanos(1);
                    let middle = now + opens.duration_since(now) / 2;
                    for moment in [just_before, middle] {
                        prop_assert_eq!(next_opening(&windows, moment, &local), Opening::OpensAt(opens));
                    }
                }
            }
        }
    }
}
