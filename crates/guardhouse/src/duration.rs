//! Durations as people type them: `30s`, `500ms`, `24h`, `1h 30m`, `7d`.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads a duration.
///
/// # Errors
/// What would be right, in words.
pub fn parse(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.trim().parse::<u32>().ok());
    let read = match days {
        Some(days) => Some(SignedDuration::from_hours(24 * i64::from(days))),
        None => text.parse().ok(),
    };
    read.and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| format!("{text:?} is not a duration; write it like 30s, 500ms, 24h or 7d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_type_them() {
        let table = [("0ms", 0), ("500ms", 500), ("30s", 30_000), ("24h", 86_400_000), ("7d", 604_800_000)];
        for (text, millis) in table {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for wrong in ["", "5", "-3s", "tomorrow", "d"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
