//! Spans of time in rules: `14d`.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// A span of time: whole seconds, at least one and at most ten years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Age(u32);

/// What is wrong with a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    /// It is none.
    #[error("is not a span of time: a whole number and s, m, h, d or w, as in \"14d\"")]
    NotASpan,
    /// It is too short or too long.
    #[error("is out of range; use 1s to 3650d")]
    OutOfRange,
}

/// Ten years, in seconds.
const LONGEST_AGE: u32 = 3_650 * 86_400;

impl Age {
    /// Reads a whole number and its unit: `90s`, `15m`, `12h`, `14d`, `2w`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, AgeError> {
        let unit = text.chars().last().ok_or(AgeError::NotASpan)?;
        let factor: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return Err(AgeError::NotASpan),
        };
        let digits = text.trim_end_matches(unit);
        if digits.is_empty()
            || !digits.bytes().all(|byte| byte.is_ascii_digit())
            || digits.len() + 1 != text.len()
        {
            return Err(AgeError::NotASpan);
        }
        let number: u64 = digits.parse().map_err(|_| AgeError::OutOfRange)?;
        let seconds = number.checked_mul(factor).and_then(|seconds| u32::try_from(seconds).ok());
        Self::try_from(seconds.ok_or(AgeError::OutOfRange)?)
    }

    /// The span.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl TryFrom<u32> for Age {
    type Error = AgeError;

    fn try_from(seconds: u32) -> Result<Self, AgeError> {
        if (1..=LONGEST_AGE).contains(&seconds) { Ok(Self(seconds)) } else { Err(AgeError::OutOfRange) }
    }
}

impl From<Age> for u32 {
    fn from(age: Age) -> Self {
        age.0
    }
}

/// In the largest unit that leaves no rest.
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
        let (factor, unit) =
            units.into_iter().find(|(factor, _)| self.0.is_multiple_of(*factor)).unwrap_or((1, 's'));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_have_a_unit() {
        for (text, seconds, shown) in
            [("90s", 90, "90s"), ("15m", 900, "15m"), ("24h", 86_400, "1d"), ("2w", 14 * 86_400, "14d")]
        {
            let age = Age::new(text).expect(text);
            assert_eq!((u32::from(age), age.to_string().as_str()), (seconds, shown));
        }
        for wrong in ["", "d", "14", "1.5d", "-1d", "1dd", "+1d", "1é", "d1"] {
            assert_eq!(Age::new(wrong), Err(AgeError::NotASpan), "{wrong}");
        }
        for wrong in ["0s", "3651d", "99999999999999999999999d"] {
            assert_eq!(Age::new(wrong), Err(AgeError::OutOfRange), "{wrong}");
        }
    }
}
