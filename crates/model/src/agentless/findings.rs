//! Sensitive files and checks of the configuration: how risky they are, and what became of them.

/// How much a sensitive file or a failed check weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskLevel {
    /// Much.
    High = 1,
    /// Somewhat.
    Medium = 2,
    /// Little.
    Low = 3,
}

impl RiskLevel {
    /// All of them, the heaviest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// The level with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|level| *level as i32 == number)
    }

    /// The level with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }

    /// The word of the public API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// What became of a sensitive file that was found, in the numbers of the public API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SensitiveStatus {
    /// Nothing yet: it counts.
    #[default]
    Open = 0,
    /// It may be there.
    Ignored = 1,
    /// It was taken for sensitive by mistake.
    Misjudged = 2,
}

impl SensitiveStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Ignored, Self::Misjudged];

    /// The status with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| *status as i32 == number)
    }
}

/// How a check of the configuration is, in the numbers of the public API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    /// It failed: it counts.
    Failed = 1,
    /// Somebody changed something, and it is to be seen whether that helped.
    Verifying = 2,
    /// It passed, and it always did.
    Passed = 3,
    /// It failed, and does not matter.
    Ignored = 6,
    /// Somebody is about to change something.
    Fixing = 7,
    /// It failed once, and passes.
    Fixed = 8,
}

impl CheckStatus {
    /// All of them, the one that most asks for attention first.
    pub const ALL: [Self; 6] =
        [Self::Failed, Self::Verifying, Self::Fixing, Self::Ignored, Self::Fixed, Self::Passed];

    /// The status with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| *status as i32 == number)
    }

    /// What a check is that passed or failed just now and was `before` when its asset was last scanned.
    #[must_use]
    pub fn found(passed: bool, before: Option<Self>) -> Self {
        match (passed, before) {
            (false, Some(Self::Ignored)) => Self::Ignored,
            (false, _) => Self::Failed,
            (true, None | Some(Self::Passed)) => Self::Passed,
            (true, Some(_)) => Self::Fixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_name_their_values() {
        for level in RiskLevel::ALL {
            assert_eq!(RiskLevel::numbered(level as i32), Some(level));
            assert_eq!(RiskLevel::named(level.word()), Some(level));
        }
        for status in SensitiveStatus::ALL {
            assert_eq!(SensitiveStatus::numbered(status as i32), Some(status));
        }
        for status in CheckStatus::ALL {
            assert_eq!(CheckStatus::numbered(status as i32), Some(status));
        }
        assert_eq!((RiskLevel::numbered(0), RiskLevel::named("HIGH")), (None, None));
        assert_eq!((SensitiveStatus::numbered(3), CheckStatus::numbered(4)), (None, None));
    }

    #[test]
    fn a_check_remembers_that_it_failed() {
        use CheckStatus::{Failed, Fixed, Fixing, Ignored, Passed, Verifying};
        let table = [
            (true, None, Passed),
            (true, Some(Passed), Passed),
            (true, Some(Failed), Fixed),
            (true, Some(Fixed), Fixed),
            (true, Some(Ignored), Fixed),
            (true, Some(Verifying), Fixed),
            (false, None, Failed),
            (false, Some(Passed), Failed),
            (false, Some(Fixed), Failed),
            (false, Some(Fixing), Failed),
            (false, Some(Ignored), Ignored),
        ];
        for (passed, before, expected) in table {
            assert_eq!(CheckStatus::found(passed, before), expected, "{passed} {before:?}");
        }
    }
}
