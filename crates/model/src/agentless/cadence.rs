//! When a schedule starts.
//!
//! A cadence is counted from the day on which it begins. Days and weeks start when a clock shows a time: where the clock
//! is put forward over it, as much later as the clock jumped; where it shows it twice, the first time. Hours really pass,
//! whatever clocks show.

use jiff::{
    SignedDuration, Timestamp, ToSpan as _, Unit,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

/// Most hours, days and weeks that a cadence counts.
pub const LONGEST: (u32, u32, u32) = (1_000, 366, 52);

/// How many days are looked at: the longest cadence, the week in which it begins, and a day that a time zone left out.
const DAYS_AHEAD: usize = 366 + 7 + 3;

/// How often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Every {
    /// Every so many hours.
    Hours(u32),
    /// Every so many days.
    Days(u32),
    /// On days of the week, every so many weeks, which begin on Monday.
    Weeks {
        /// How many.
        weeks: u32,
        /// On which days; empty: on the day of the week on which it begins.
        days: Vec<Weekday>,
    },
}

/// How often, when, and by whose clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Cadence {
    /// How often.
    pub every: Every,
    /// When on a day; of hours, on the first one.
    pub at: Time,
    /// On whose clock.
    pub time_zone: TimeZone,
    /// The first day.
    pub begin: Date,
}

impl Cadence {
    /// The first start behind `after`. However many starts were missed until then, it is one.
    ///
    /// `None`: there is none before the end of the calendar.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self.every {
            Every::Hours(hours) => self.next_hour(i64::from(hours.max(1)), after),
            Every::Days(_) | Every::Weeks { .. } => self.next_day(after),
        }
    }

    fn next_hour(&self, hours: i64, after: Timestamp) -> Option<Timestamp> {
        let first = self.start_on(self.begin)?;
        if first > after {
            return Some(first);
        }
        let step = hours * 3_600;
        let steps = after.duration_since(first).as_secs() / step + 1;
        first.checked_add(SignedDuration::from_secs(steps * step)).ok()
    }

    fn next_day(&self, after: Timestamp) -> Option<Timestamp> {
        // One day more: the start of the day before may have been put off into the day by a jump of the clock.
        let day = self.time_zone.to_datetime(after).date().saturating_sub(1.day());
        let days = day.max(self.begin).series(1.day()).take(DAYS_AHEAD);
        days.filter(|day| self.is_on(*day)).filter_map(|day| self.start_on(day)).find(|start| *start > after)
    }

    fn is_on(&self, day: Date) -> bool {
        match &self.every {
            Every::Hours(_) => true,
            Every::Days(days) => distance(self.begin, day) % i64::from((*days).max(1)) == 0,
            Every::Weeks { weeks, days } => {
                let is_day = match days.as_slice() {
                    [] => day.weekday() == self.begin.weekday(),
                    days => days.contains(&day.weekday()),
                };
                let apart = distance(monday(self.begin), monday(day)) / 7;
                is_day && apart % i64::from((*weeks).max(1)) == 0
            }
        }
    }

    fn start_on(&self, day: Date) -> Option<Timestamp> {
        self.time_zone.to_timestamp(day.to_datetime(self.at)).ok()
    }
}

/// How many days lie between two.
fn distance(from: Date, to: Date) -> i64 {
    from.until((Unit::Day, to)).map_or(0, |span| span.get_days().into())
}

/// The Monday of a week.
fn monday(day: Date) -> Date {
    day.saturating_sub(i32::from(day.weekday().to_monday_zero_offset()).days())
}

#[cfg(test)]
mod tests;
