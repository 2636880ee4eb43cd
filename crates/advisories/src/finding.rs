//! What advisories say of a package.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A package that is vulnerable, by one advisory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The advisory, by its own id: `DSA-5678-1`, `CVE-2024-1234`, `GHSA-…`, `RUSTSEC-2024-0001`.
    pub advisory: String,
    /// Other ids of the same vulnerability, sorted; the CVE id among them.
    pub aliases: Vec<String>,
    /// Whose advisory: the name of the source as it was imported.
    pub source: String,
    /// What it is about, in a line; empty when the source has none.
    pub summary: String,
    /// How bad it is.
    pub severity: Severity,
    /// The first version in which it is fixed, of those above the installed one; `None` when there is no fix.
    pub fixed: Option<String>,
    /// The name that the advisory is about, where it is not that of the package: the source package.
    pub affected_name: String,
    /// The version that was compared: that of the source package, where the advisory is about it.
    pub compared_version: String,
    /// Pages about it, best first.
    pub references: Vec<String>,
    /// Why it is not counted; `None` when it is.
    pub suppressed: Option<Suppression>,
}

/// How bad a vulnerability is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Severity {
    /// In a word.
    pub level: SeverityLevel,
    /// The base score by CVSS, 0.0 to 10.0; `None` when there is no vector.
    pub score: Option<f64>,
    /// The CVSS vector as the source has it; empty without one.
    pub vector: String,
    /// The source's own word, where it has no vector: `unimportant`, `Important`.
    pub word: String,
}

/// CVSS's qualitative scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SeverityLevel {
    /// The source says nothing that tells.
    #[default]
    Unknown,
    /// 0.0; Debian's `unimportant`.
    Negligible,
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 to 10.0.
    Critical,
}

impl SeverityLevel {
    /// All of them, the lowest first.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Negligible, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for SeverityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for SeverityLevel {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|level| level.word() == word);
        found.ok_or_else(|| format!("{word:?} is none of {}", Self::ALL.map(Self::word).join(", ")))
    }
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suppression {
    /// What says so: the file of the VEX statement or of the ignoring rule.
    pub by: String,
    /// `not_affected`, `fixed`, or `ignored`.
    pub status: String,
    /// The reason that stands there.
    pub reason: String,
}
