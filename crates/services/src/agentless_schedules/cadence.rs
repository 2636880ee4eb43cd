//! Cadences, read and checked.

use guardhouse_contract::{
    FieldViolation,
    scans::{Cadence, cadence::Unit},
    settings::maintenance_window::Day,
};
use guardhouse_model::{
    Timestamp,
    agentless::cadence::{self, Every, LONGEST},
};
use jiff::{
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

/// Longest name of a time zone, in bytes: none is longer.
const LONGEST_ZONE: usize = 64;

/// Reads a cadence, and writes into it what it leaves out: a count of 1, UTC, today.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(
    cadence: &mut Cadence,
    field: &str,
    now: Timestamp,
) -> Result<cadence::Cadence, Vec<FieldViolation>> {
    let mut wrong = Vec::new();
    let mut fail = |name: &str, description: String| {
        wrong.push(FieldViolation::new(format!("{field}.{name}"), description));
    };
    if cadence.count == 0 {
        cadence.count = 1;
    }
    if cadence.time_zone.is_empty() {
        "UTC".clone_into(&mut cadence.time_zone);
    }
    let time_zone = zone(&cadence.time_zone);
    if time_zone.is_none() {
        let name = &cadence.time_zone;
        let needed =
            "UTC or a name that the time zone database of the server knows, such as Europe/Vienna, is needed";
        fail("timeZone", format!("is {name:?}; {needed}"));
    }
    let time_zone = time_zone.unwrap_or(TimeZone::UTC);
    if cadence.first_day.is_empty() {
        cadence.first_day = time_zone.to_datetime(now).date().to_string();
    }
    let begin = day(&cadence.first_day);
    if begin.is_none() {
        fail("firstDay", format!("is {:?}; a day like 2026-11-23 is needed", cadence.first_day));
    }
    let at = clock(&cadence.start);
    if at.is_none() {
        fail("start", format!("is {:?}; HH:MM from 00:00 to 23:59 is needed", cadence.start));
    }
    let every = every(cadence, &mut fail);
    match (every, at, begin) {
        (Some(every), Some(at), Some(begin)) if wrong.is_empty() => {
            Ok(cadence::Cadence { every, at, time_zone, begin })
        }
        _ => Err(wrong),
    }
}

fn every(cadence: &Cadence, fail: &mut impl FnMut(&str, String)) -> Option<Every> {
    let unit = Unit::try_from(cadence.unit).unwrap_or(Unit::Unspecified);
    let days: Vec<Option<Weekday>> = cadence.days.iter().map(|number| weekday(*number)).collect();
    for (index, _) in days.iter().enumerate().filter(|(_, day)| day.is_none()) {
        fail(&format!("days[{index}]"), "is no day; DAY_MONDAY to DAY_SUNDAY are".to_owned());
    }
    if unit != Unit::Weeks && !days.is_empty() {
        fail("days", "is for weeks; leave it out, or count WEEKS".to_owned());
    }
    let (longest, name) = match unit {
        Unit::Unspecified => {
            fail("unit", "is missing; HOURS, DAYS or WEEKS is needed".to_owned());
            return None;
        }
        Unit::Hours => (LONGEST.0, "hours"),
        Unit::Days => (LONGEST.1, "days"),
        Unit::Weeks => (LONGEST.2, "weeks"),
    };
    if cadence.count > longest {
        fail("count", format!("is {}; 1 to {longest} {name} are possible", cadence.count));
    }
    Some(match unit {
        Unit::Hours => Every::Hours(cadence.count),
        Unit::Weeks => Every::Weeks { weeks: cadence.count, days: days.into_iter().flatten().collect() },
        _ => Every::Days(cadence.count),
    })
}

/// The time zone of this name, as the database of this machine has it.
fn zone(name: &str) -> Option<TimeZone> {
    match name {
        "UTC" => Some(TimeZone::UTC),
        name if name.len() > LONGEST_ZONE => None,
        name => TimeZone::get(name).ok(),
    }
}

/// Reads `YYYY-MM-DD`.
fn day(text: &str) -> Option<Date> {
    text.parse().ok().filter(|day: &Date| day.to_string() == text)
}

/// Reads `HH:MM`.
fn clock(text: &str) -> Option<Time> {
    let time: Time = text.parse().ok()?;
    (time.strftime("%H:%M").to_string() == text).then_some(time)
}

fn weekday(number: i32) -> Option<Weekday> {
    match Day::try_from(number).ok()? {
        Day::Unspecified => None,
        day => Weekday::from_monday_one_offset(i8::try_from(day as i32).ok()?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T23:30:00Z".parse().expect("a moment")
    }

    fn daily() -> Cadence {
        Cadence { unit: Unit::Days as i32, start: "03:00".to_owned(), ..Default::default() }
    }

    #[test]
    fn what_is_left_out_is_filled_in() {
        let mut cadence = daily();
        let read = read(&mut cadence, "cadence", now()).expect("is right");
        let filled = (cadence.count, cadence.time_zone.as_str(), cadence.first_day.as_str());
        assert_eq!(filled, (1, "UTC", "2026-11-23"));
        assert_eq!(read.next(now()), Some("2026-11-24T03:00:00Z".parse().expect("a moment")));
    }

    #[test]
    fn days_of_the_week_are_those_of_the_calendar() {
        let days = vec![Day::Monday as i32, Day::Sunday as i32];
        let mut weekly = Cadence { unit: Unit::Weeks as i32, days, ..daily() };
        let read = read(&mut weekly, "cadence", now()).expect("is right");
        assert_eq!(read.every, Every::Weeks { weeks: 1, days: vec![Weekday::Monday, Weekday::Sunday] });
    }

    #[test]
    fn what_is_wrong_is_named() {
        let table: [(Cadence, &[&str]); 9] = [
            (Cadence::default(), &["cadence.start", "cadence.unit"]),
            (Cadence { unit: 9, ..daily() }, &["cadence.unit"]),
            (Cadence { start: "24:00".into(), ..daily() }, &["cadence.start"]),
            (Cadence { start: "3:00".into(), ..daily() }, &["cadence.start"]),
            (Cadence { start: "03:00:30".into(), ..daily() }, &["cadence.start"]),
            (Cadence { count: 367, ..daily() }, &["cadence.count"]),
            (Cadence { days: vec![1], ..daily() }, &["cadence.days"]),
            (Cadence { days: vec![1, 8], unit: Unit::Weeks as i32, ..daily() }, &["cadence.days[1]"]),
            (
                Cadence { time_zone: "Nowhere/City".into(), first_day: "2026-02-30".into(), ..daily() },
                &["cadence.timeZone", "cadence.firstDay"],
            ),
        ];
        for (mut cadence, expected) in table {
            let wrong = read(&mut cadence, "cadence", now()).expect_err("is wrong");
            let fields: Vec<String> = wrong.into_iter().map(|violation| violation.field).collect();
            assert_eq!(fields, expected, "{cadence:?}");
        }
    }
}
