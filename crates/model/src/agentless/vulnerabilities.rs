//! How vulnerable packages are sorted, in the words of the public API.

/// What a vulnerability is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VulnerabilityKind {
    /// A package of a Linux system.
    Cve = 1,
    /// A patch of Windows that is missing.
    Sys = 2,
    /// A package of a language.
    Sca = 3,
}

impl VulnerabilityKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cve, Self::Sys, Self::Sca];

    /// The word of the public API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cve => "cve",
            Self::Sys => "sys",
            Self::Sca => "sca",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The kind with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i32 == number)
    }
}

/// How soon a vulnerability is to be mended. The most urgent is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Necessity {
    /// As soon as possible.
    Asap = 1,
    /// Later.
    Later = 2,
    /// It need not be.
    Nntf = 3,
}

impl Necessity {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Asap, Self::Later, Self::Nntf];

    /// Of a severity in the words of the reports of scans: `critical` and `high` as soon as possible, `medium` later. What
    /// is low, negligible or not known can wait.
    #[must_use]
    pub fn of_severity(word: &str) -> Self {
        match word {
            "critical" | "high" => Self::Asap,
            "medium" => Self::Later,
            _ => Self::Nntf,
        }
    }

    /// The word of the public API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Asap => "asap",
            Self::Later => "later",
            Self::Nntf => "nntf",
        }
    }

    /// The necessity with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|necessity| necessity.word() == word)
    }

    /// The necessity with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|necessity| *necessity as i32 == number)
    }
}

/// The target types of the assets that a word of the parameter `ScanRange` stands for; `None`: there is no such word.
/// Images and containers of the container product are never scanned here, so that no asset is in their range.
#[must_use]
pub fn target_types(scan_range: &str) -> Option<&'static [i32]> {
    match scan_range {
        "agentless" => Some(&[1, 2]),
        "ecs_snapshot" => Some(&[3]),
        "ecs_image" => Some(&[4]),
        "image" | "container" => Some(&[]),
        _ => None,
    }
}

/// What lists of findings call an asset of this target type: a snapshot or an image, of a server or of the user.
#[must_use]
pub fn target_word(target_type: i32) -> &'static str {
    match target_type {
        2 | 4 => "ECS_IMAGE",
        _ => "ECS_SNAPSHOT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_have_their_necessity() {
        let table = [
            ("critical", Necessity::Asap),
            ("high", Necessity::Asap),
            ("medium", Necessity::Later),
            ("low", Necessity::Nntf),
            ("negligible", Necessity::Nntf),
            ("unknown", Necessity::Nntf),
            ("", Necessity::Nntf),
        ];
        for (severity, necessity) in table {
            assert_eq!(Necessity::of_severity(severity), necessity, "{severity}");
        }
        assert!(Necessity::Asap < Necessity::Later && Necessity::Later < Necessity::Nntf);
    }

    #[test]
    fn words_and_numbers_name_what_they_stand_for() {
        for kind in VulnerabilityKind::ALL {
            assert_eq!(VulnerabilityKind::named(kind.word()), Some(kind));
            assert_eq!(VulnerabilityKind::numbered(kind as i32), Some(kind));
        }
        for necessity in Necessity::ALL {
            assert_eq!(Necessity::named(necessity.word()), Some(necessity));
            assert_eq!(Necessity::numbered(necessity as i32), Some(necessity));
        }
        assert_eq!((VulnerabilityKind::named("CVE"), VulnerabilityKind::numbered(0)), (None, None));
        assert_eq!((Necessity::named(""), Necessity::numbered(4)), (None, None));
    }

    #[test]
    fn ranges_have_their_target_types() {
        let table: [(&str, Option<&[i32]>); 6] = [
            ("agentless", Some(&[1, 2])),
            ("ecs_snapshot", Some(&[3])),
            ("ecs_image", Some(&[4])),
            ("image", Some(&[])),
            ("container", Some(&[])),
            ("disk", None),
        ];
        for (word, types) in table {
            assert_eq!(target_types(word), types, "{word}");
        }
        let words = [1, 2, 3, 4].map(target_word);
        assert_eq!(words, ["ECS_SNAPSHOT", "ECS_IMAGE", "ECS_SNAPSHOT", "ECS_IMAGE"]);
    }
}
