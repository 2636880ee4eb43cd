//! An advisory, as the store keeps it.

use crate::{Affected, Severity};

/// How many references are kept of one advisory.
const MOST_REFERENCES: usize = 10;

/// How many other ids are kept of one advisory: those of a distribution name every vulnerability that an update fixes.
const MOST_ALIASES: usize = 400;

/// The longest summary, in letters.
const LONGEST_SUMMARY: usize = 200;

/// An advisory without the packages that it is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advisory {
    /// Its id.
    pub id: String,
    /// Other ids of the same vulnerability, or of all that it is about.
    pub aliases: Vec<String>,
    /// What it is about, in a line.
    pub summary: String,
    /// How bad it is.
    pub severity: Severity,
    /// Pages about it, best first.
    pub references: Vec<String>,
}

/// A package that an advisory is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AffectedPackage {
    /// Its ecosystem, normalised.
    pub ecosystem: String,
    /// Its name, normalised.
    pub name: String,
    /// Which of its versions.
    pub affected: Affected,
}

impl Advisory {
    /// Within the bounds of what is kept: no empty, repeated or own id, and not more of anything than anybody reads.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        self.aliases.retain(|alias| !alias.is_empty() && *alias != self.id);
        self.aliases.sort_unstable();
        self.aliases.dedup();
        self.aliases.truncate(MOST_ALIASES);
        self.references.retain(|reference| !reference.is_empty());
        self.references.truncate(MOST_REFERENCES);
        self.summary = line(&self.summary);
        self
    }
}

/// The first sentence of a text, on one line.
#[must_use]
pub fn line(text: &str) -> String {
    let mut words = text.split_whitespace();
    let mut line = words.next().unwrap_or_default().to_owned();
    for word in words {
        let ends = line.ends_with('.') && line.chars().count() > 40;
        if ends || line.chars().count().saturating_add(word.chars().count()) > LONGEST_SUMMARY {
            if !ends {
                line.push('…');
            }
            break;
        }
        line.push(' ');
        line.push_str(word);
    }
    if line.chars().count() > LONGEST_SUMMARY.saturating_add(1) {
        line = line.chars().take(LONGEST_SUMMARY).chain(['…']).collect();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_a_line() {
        for (text, expected) in [
            ("", ""),
            ("  one\n two\t three ", "one two three"),
            ("In e.g. this. And more.", "In e.g. this. And more."),
            (
                "A flaw was found in the way that a thing works. It can be used to do other things.",
                "A flaw was found in the way that a thing works.",
            ),
        ] {
            assert_eq!(line(text), expected);
        }
        assert_eq!(line(&"word ".repeat(100)).chars().count(), 200);
        assert_eq!(line(&"x".repeat(1000)).chars().count(), 201);
    }

    #[test]
    fn ids_are_tidy() {
        let advisory = Advisory {
            id: "A".to_owned(),
            aliases: ["C", "B", "A", "", "C"].map(str::to_owned).to_vec(),
            ..Advisory::default()
        };
        assert_eq!(advisory.tidied().aliases, ["B", "C"]);
    }
}
