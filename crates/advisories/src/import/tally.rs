//! What came of an import.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;

use crate::store::Source;

/// How many of the entries that could not be read are named.
const MOST_NAMED: usize = 10;

/// The longest reason that is told, in letters.
const LONGEST_REASON: usize = 300;

/// What came of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The source, as the store has it now.
    pub source: Source,
    /// How many advisories or packages in them were left out on purpose, by the reason: `withdrawn`.
    pub left_out: BTreeMap<&'static str, u64>,
    /// The first of those that could not be read; how many there are, the source tells.
    pub skipped: Vec<Skipped>,
}

/// An entry that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Which file, and which entry of it.
    pub place: String,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// Counts while an import is at work.
#[derive(Debug, Default)]
pub(super) struct Tally {
    formats: BTreeSet<&'static str>,
    newest: Option<Timestamp>,
    left_out: BTreeMap<&'static str, u64>,
    skipped: u64,
    named: Vec<Skipped>,
}

impl Tally {
    pub fn format_is(&mut self, format: &'static str) {
        self.formats.insert(format);
    }

    pub fn changed(&mut self, time: Option<Timestamp>) {
        // Some sources write the beginning of time for "not known".
        self.newest = self.newest.max(time.filter(|time| *time > Timestamp::UNIX_EPOCH));
    }

    pub fn leave_out(&mut self, reason: &'static str) {
        let count = self.left_out.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    pub fn skip(&mut self, place: impl Into<String>, reason: impl fmt::Display) {
        self.skipped = self.skipped.saturating_add(1);
        if self.named.len() < MOST_NAMED {
            let reason = reason.to_string().chars().take(LONGEST_REASON).collect();
            self.named.push(Skipped { place: place.into(), reason });
        }
    }

    /// Whether nothing was recognised.
    pub fn is_void(&self) -> bool {
        self.left_out.is_empty()
    }

    pub fn format(&self) -> String {
        self.formats.iter().copied().collect::<Vec<_>>().join("+")
    }

    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    pub fn into_first(self) -> Option<Skipped> {
        self.named.into_iter().next()
    }

    pub fn into_summary(self, source: Source) -> Summary {
        Summary { source, left_out: self.left_out, skipped: self.named }
    }
}
