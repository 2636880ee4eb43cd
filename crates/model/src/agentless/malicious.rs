//! Malicious files: what they are called, and what people decide about them.

/// In which language names are given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Chinese, which the public API has where nothing is said.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The language with this word of the public API; empty: Chinese.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "" | "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }
}

/// How urgent a malicious file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MaliciousLevel {
    /// Certainly bad.
    Serious = 1,
    /// Probably bad.
    Suspicious = 2,
    /// To be known.
    Remind = 3,
}

impl MaliciousLevel {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Serious, Self::Suspicious, Self::Remind];

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
            Self::Serious => "serious",
            Self::Suspicious => "suspicious",
            Self::Remind => "remind",
        }
    }
}

/// What kind of malicious file it is: each is looked for by another project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaliciousType {
    /// A page of a web server that carries out orders.
    WebShell = 1,
    /// A program.
    Software = 2,
    /// A script.
    Script = 3,
}

impl MaliciousType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WebShell, Self::Software, Self::Script];

    /// The type with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i32 == number)
    }

    /// The type with this name, in either language.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let languages = [Language::Chinese, Language::English];
        Self::ALL.into_iter().find(|kind| languages.iter().any(|language| kind.name(*language) == name))
    }

    /// Its name in the public API.
    #[must_use]
    pub fn name(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::WebShell, _) => "WebShell",
            (Self::Software, Language::English) => "Malicious Software",
            (Self::Software, Language::Chinese) => "恶意软件",
            (Self::Script, Language::English) => "Malicious Script",
            (Self::Script, Language::Chinese) => "恶意脚本",
        }
    }
}

/// What became of a malicious file that was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Handling {
    /// Nothing yet: it counts.
    #[default]
    Open = 0,
    /// Somebody saw to it.
    Handled = 1,
    /// It is good, and so is every equal one.
    Whitelisted = 2,
    /// This one does not matter.
    Ignored = 3,
    /// It was taken for bad by mistake.
    Misjudged = 4,
}

impl Handling {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Handled, Self::Whitelisted, Self::Ignored, Self::Misjudged];

    /// The handling with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|handling| *handling as i32 == number)
    }
}

/// What somebody does about a malicious file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaliciousOperation {
    /// Says that it is good, and so is every equal one that is found later.
    AddWhitelist,
    /// Takes that back.
    OffWhitelist,
    /// Says that it was seen to.
    OfflineHandled,
    /// Says that it was taken for bad by mistake.
    MarkMisInfo,
    /// Says that this one does not matter.
    Ignore,
}

impl MaliciousOperation {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AddWhitelist, Self::OffWhitelist, Self::OfflineHandled, Self::MarkMisInfo, Self::Ignore];

    /// The operation with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.word() == word)
    }

    /// The word of the public API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AddWhitelist => "addWhitelist",
            Self::OffWhitelist => "offWhitelist",
            Self::OfflineHandled => "offline_handled",
            Self::MarkMisInfo => "mark_mis_info",
            Self::Ignore => "ignore",
        }
    }

    /// What becomes of a file.
    #[must_use]
    pub fn leads_to(self) -> Handling {
        match self {
            Self::AddWhitelist => Handling::Whitelisted,
            Self::OffWhitelist => Handling::Open,
            Self::OfflineHandled => Handling::Handled,
            Self::MarkMisInfo => Handling::Misjudged,
            Self::Ignore => Handling::Ignored,
        }
    }

    /// Whether it changes a file of which this has become: nothing leaves the whitelist that is not on it, and nothing is
    /// done twice.
    #[must_use]
    pub fn changes(self, handling: Handling) -> bool {
        match self {
            Self::OffWhitelist => handling == Handling::Whitelisted,
            _ => handling != self.leads_to(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_name_their_values() {
        for level in MaliciousLevel::ALL {
            assert_eq!(MaliciousLevel::numbered(level as i32), Some(level));
            assert_eq!(MaliciousLevel::named(level.word()), Some(level));
        }
        for kind in MaliciousType::ALL {
            assert_eq!(MaliciousType::numbered(kind as i32), Some(kind));
            for language in [Language::Chinese, Language::English] {
                assert_eq!(MaliciousType::named(kind.name(language)), Some(kind));
            }
        }
        for handling in Handling::ALL {
            assert_eq!(Handling::numbered(handling as i32), Some(handling));
        }
        for operation in MaliciousOperation::ALL {
            assert_eq!(MaliciousOperation::named(operation.word()), Some(operation));
        }
        assert_eq!((MaliciousLevel::named("high"), MaliciousType::named("")), (None, None));
        assert_eq!((Handling::numbered(5), MaliciousOperation::named("ADDWHITELIST")), (None, None));
        assert_eq!((Language::named(""), Language::named("de")), (Some(Language::Chinese), None));
    }

    #[test]
    fn an_operation_changes_what_it_can() {
        use Handling::{Handled, Ignored, Misjudged, Open, Whitelisted};
        let table = [
            (MaliciousOperation::AddWhitelist, [Open, Handled, Ignored, Misjudged].as_slice()),
            (MaliciousOperation::OffWhitelist, &[Whitelisted]),
            (MaliciousOperation::OfflineHandled, &[Open, Whitelisted, Ignored, Misjudged]),
            (MaliciousOperation::MarkMisInfo, &[Open, Handled, Whitelisted, Ignored]),
            (MaliciousOperation::Ignore, &[Open, Handled, Whitelisted, Misjudged]),
        ];
        for (operation, changed) in table {
            let found: Vec<_> =
                Handling::ALL.into_iter().filter(|handling| operation.changes(*handling)).collect();
            assert_eq!(found, changed, "{operation:?}");
            assert!(!operation.changes(operation.leads_to()), "{operation:?} twice");
        }
    }
}
