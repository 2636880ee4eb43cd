//! Rules by which findings are ignored: a TOML file that is kept with what it is about.
//!
//! ```toml
//! [[ignore]]
//! advisory = "CVE-2024-1234"
//! package = "linux-libc-dev"
//! path = "srv/test/**"
//! until = 2027-01-31
//! reason = "headers only; no kernel runs here"
//! ```

use guardhouse_packages::Package;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

use crate::{Finding, Suppression, matching::cves};

/// The longest pattern, in bytes.
const LONGEST_PATTERN: usize = 1024;

/// The longest text that a pattern is compared with, in bytes; what is longer fits none.
const LONGEST_TEXT: usize = 64 * 1024;

/// The rules of one file.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    by: String,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    ignore: Vec<toml::Spanned<Entry>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    advisory: Option<String>,
    package: Option<String>,
    path: Option<String>,
    until: Option<toml::value::Datetime>,
    reason: String,
}

#[derive(Clone, Debug)]
struct Rule {
    line: usize,
    advisory: Option<String>,
    package: Option<String>,
    path: Option<String>,
    /// The last day, and the moment after it.
    until: Option<(Date, Timestamp)>,
    reason: String,
}

/// Why a file of rules is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreError {
    /// It is not TOML, or has keys that are not known.
    #[error("{name}: {error}")]
    Toml {
        /// Which file.
        name: String,
        /// What is wrong, with the line.
        error: toml::de::Error,
    },
    /// A rule that cannot be meant.
    #[error("{name}, line {line}: {reason}")]
    Rule {
        /// Which file.
        name: String,
        /// Where the rule begins, counted from 1.
        line: usize,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

impl Rules {
    /// Reads the rules of a file; `name` is what findings tell of it.
    ///
    /// # Errors
    /// It is not TOML, a key is not known, or a rule lacks what it needs.
    pub fn parse(name: &str, text: &str) -> Result<Self, IgnoreError> {
        let file: File =
            toml::from_str(text).map_err(|error| IgnoreError::Toml { name: name.to_owned(), error })?;
        let rules = file.ignore.into_iter().map(|entry| {
            let before = text.get(..entry.span().start).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            let rule = rule(line, entry.into_inner());
            rule.map_err(|reason| IgnoreError::Rule { name: name.to_owned(), line, reason })
        });
        Ok(Self { by: name.to_owned(), rules: rules.collect::<Result<_, _>>()? })
    }

    /// Why a finding about a package at `path` does not count at the moment `now`; `None` when it does. The path is
    /// in the text form of the image's paths, without a slash at its beginning.
    #[must_use]
    pub fn suppression(
        &self,
        finding: &Finding,
        package: &Package,
        path: &str,
        now: Timestamp,
    ) -> Option<Suppression> {
        let fits = |rule: &&Rule| !rule.has_expired(now) && rule.fits(finding, package, path);
        self.rules.iter().find(fits).map(|rule| Suppression {
            by: format!("{}, line {}", self.by, rule.line),
            status: "ignored".to_owned(),
            reason: rule.reason.clone(),
        })
    }

    /// The rules that have expired and suppress nothing any more, as sentences.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Vec<String> {
        let expired = self.rules.iter().filter(|rule| rule.has_expired(now));
        let told = |rule: &Rule| {
            let day = rule.until.map(|(day, _)| day.to_string()).unwrap_or_default();
            format!(
                "{}, line {}: the rule was for until {day} and is not obeyed any more",
                self.by, rule.line
            )
        };
        expired.map(told).collect()
    }
}

fn rule(line: usize, entry: Entry) -> Result<Rule, String> {
    let Entry { advisory, package, path, until, reason } = entry;
    if reason.trim().is_empty() {
        return Err("\"reason\" is empty; it says why the finding does not matter".to_owned());
    }
    if advisory.is_none() && package.is_none() && path.is_none() {
        return Err("a rule for everything is refused; give advisory, package or path".to_owned());
    }
    for (key, value) in [("advisory", &advisory), ("package", &package), ("path", &path)] {
        let Some(value) = value else { continue };
        if value.is_empty() || value.len() > LONGEST_PATTERN {
            return Err(format!("{key:?} has to have 1 to {LONGEST_PATTERN} bytes"));
        }
    }
    let until = match until {
        None => None,
        Some(until) => Some(end_of(&until).ok_or("\"until\" has to be a day: 2027-01-31")?),
    };
    let path = path.map(|path| path.trim_start_matches('/').to_owned());
    Ok(Rule { line, advisory, package, path, until, reason })
}

/// A day without a time of day, and the moment after its end.
fn end_of(until: &toml::value::Datetime) -> Option<(Date, Timestamp)> {
    let date = until.date.filter(|_| until.time.is_none() && until.offset.is_none())?;
    let day = Date::new(
        i16::try_from(date.year).ok()?,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
    );
    let day = day.ok()?;
    Some((day, day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

impl Rule {
    fn has_expired(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|(_, end)| now >= end)
    }

    fn fits(&self, finding: &Finding, package: &Package, path: &str) -> bool {
        let is_advisory = |id: &str| {
            // Of an update for several vulnerabilities, one of them is not the whole.
            let by_alias = cves(finding).len() < 2 && finding.aliases.iter().any(|alias| alias == id);
            finding.advisory == id || by_alias
        };
        let is_package = |pattern: &str| {
            let is = |name: &str| !name.is_empty() && matches(pattern, name);
            is(&package.name) || is(&finding.affected_name)
        };
        self.advisory.as_deref().is_none_or(is_advisory)
            && self.package.as_deref().is_none_or(is_package)
            && self.path.as_deref().is_none_or(|pattern| matches(pattern, path.trim_start_matches('/')))
    }
}

/// Whether a text fits a pattern: `*` is any letters but `/`, `**` any letters, `?` one letter but `/`.
fn matches(pattern: &str, text: &str) -> bool {
    if text.len() > LONGEST_TEXT {
        return false;
    }
    // Which parts of the text the pattern so far fits: the state after each letter, so that time is bounded by the
    // product of both lengths.
    let letters: Vec<char> = text.chars().collect();
    let mut reached = vec![false; letters.len().saturating_add(1)];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    let mut signs = pattern.chars().peekable();
    while let Some(sign) = signs.next() {
        let mut next = vec![false; reached.len()];
        let any = sign == '*';
        let deep = any && signs.next_if_eq(&'*').is_some();
        // `**/` also stands for no folder at all.
        let no_folder = deep && signs.peek() == Some(&'/');
        let mut held = false;
        for (at, was) in reached.iter().copied().enumerate() {
            let letter = letters.get(at).copied();
            if any {
                held = held || was;
                if let Some(place) = next.get_mut(at) {
                    *place = held;
                }
                if letter == Some('/') && !deep {
                    held = false;
                }
            } else if was
                && letter.is_some_and(|letter| letter == sign || (sign == '?' && letter != '/'))
                && let Some(place) = next.get_mut(at.saturating_add(1))
            {
                *place = true;
            }
        }
        if no_folder {
            let _ = signs.next();
            let mut after = reached.clone();
            for (at, held) in next.iter().copied().enumerate() {
                if held
                    && letters.get(at) == Some(&'/')
                    && let Some(place) = after.get_mut(at.saturating_add(1))
                {
                    *place = true;
                }
            }
            next = after;
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests;
