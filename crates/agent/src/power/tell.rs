//! What the users of the device are told.

use guardhouse_model::Timestamp;
use jiff::tz::TimeZone;

use super::rules::Scheduled;

/// A moment as people at this device read it.
pub(super) fn moment(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// What is written to their terminals. `reason` says why the device restarts or is switched off, as a sentence.
pub(super) fn warning(scheduled: &Scheduled, reason: &str) -> String {
    let Scheduled { time, latest, may_cancel, .. } = scheduled;
    let verb = if scheduled.restart { "restarts" } else { "is switched off" };
    let mut lines = vec![format!("{reason} This computer {verb} at {}. Save your work.", moment(*time))];
    if latest > time {
        lines.push(format!(
            "To put it off, until {} at most: guardhouse-agent power postpone 1h",
            moment(*latest)
        ));
    }
    if *may_cancel {
        lines.push("To cancel it: guardhouse-agent power cancel".to_owned());
    }
    lines.join("\n")
}
