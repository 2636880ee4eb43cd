//! What the scans of many assets found together: a line for each, and their sums.
//!
//! The report of an asset may be large, and there may be thousands of them. Of each no more is read than a `Digest`, and
//! no more is kept than its line.

pub mod html;

use std::io::{self, Read, Write};

use guardhouse_advisories::SeverityLevel;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    json,
    model::{ProjectReport, SCHEMA_VERSION},
    view::LEVELS,
};

/// What the scans of a task found together. Its JSON form is an interface, as that of [`crate::Report`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskReport {
    schema_version: u32,
    tool_version: String,
    task: Task,
    totals: TaskTotals,
    projects: Vec<ProjectReport>,
    assets: Vec<AssetLine>,
}

/// Which task it was.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Identifies it.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// When it was asked for.
    pub started: Timestamp,
    /// When the last of its scans was over.
    pub ended: Option<Timestamp>,
}

/// How the scan of an asset ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ending {
    /// There is a result.
    Done,
    /// It could not be scanned.
    Failed,
    /// It took longer than it may.
    TimedOut,
    /// Somebody ended it.
    Cancelled,
}

/// An asset, how its scan ended, and what was found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetLine {
    /// The asset.
    pub instance_id: String,
    /// Its name in its location.
    pub name: String,
    /// Identifies its scan.
    pub scan: String,
    /// How the scan ended.
    pub ending: Ending,
    /// Why there is no result, in a sentence; empty where there is one.
    pub reason: String,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// How many bytes were read.
    pub bytes_read: u64,
    /// What was found; absent: there is no result, or it is not kept any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
}

/// What was found, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The systems that were recognised.
    pub systems: Vec<String>,
    /// How many packages there are.
    pub packages: usize,
    /// The vulnerabilities.
    pub vulnerabilities: Vulnerabilities,
    /// How many places were not scanned, or not wholly.
    pub problems: usize,
    /// Whether nothing was compared, because there were no advisories.
    pub not_compared: bool,
}

/// How many vulnerabilities there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vulnerabilities {
    /// That count, of every level.
    pub total: usize,
    /// That count, by level.
    #[serde(flatten)]
    pub levels: Levels,
    /// That count and have a fixed version.
    pub fixable: usize,
    /// That do not count.
    pub suppressed: usize,
}

/// Vulnerabilities by their level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "they are the levels")]
pub struct Levels {
    pub critical: usize,
    pub high: usize,
    pub medium: usize,
    pub low: usize,
    pub negligible: usize,
    pub unknown: usize,
}

/// Sums over all assets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskTotals {
    /// All assets.
    pub assets: usize,
    /// Those with a result.
    pub done: usize,
    /// Those that could not be scanned.
    pub failed: usize,
    /// Those that took too long.
    pub timed_out: usize,
    /// Those that somebody ended.
    pub cancelled: usize,
    /// Those with a vulnerability that counts.
    pub vulnerable: usize,
    /// Those that were not scanned wholly.
    pub with_problems: usize,
    /// The vulnerabilities of all.
    pub vulnerabilities: Vulnerabilities,
    /// How many bytes were read.
    pub bytes_read: u64,
}

impl TaskReport {
    /// The report of a task without assets so far. `projects` are what there is to look for, and whether it was run.
    #[must_use]
    pub fn new(tool_version: &str, task: Task, projects: Vec<ProjectReport>) -> Self {
        let (schema_version, tool_version) = (SCHEMA_VERSION, tool_version.to_owned());
        Self {
            schema_version,
            tool_version,
            task,
            totals: TaskTotals::default(),
            projects,
            assets: Vec::new(),
        }
    }

    /// Adds an asset.
    pub fn add(&mut self, line: AssetLine) {
        let totals = &mut self.totals;
        totals.assets += 1;
        *match line.ending {
            Ending::Done => &mut totals.done,
            Ending::Failed => &mut totals.failed,
            Ending::TimedOut => &mut totals.timed_out,
            Ending::Cancelled => &mut totals.cancelled,
        } += 1;
        totals.bytes_read = totals.bytes_read.saturating_add(line.bytes_read);
        if let Some(found) = &line.found {
            totals.vulnerable += usize::from(found.vulnerabilities.total > 0);
            totals.with_problems += usize::from(found.problems > 0);
            totals.vulnerabilities.add(&found.vulnerabilities);
        }
        self.assets.push(line);
    }

    /// Writes the report as JSON.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::document(self, out)
    }
}

impl Vulnerabilities {
    fn add(&mut self, other: &Self) {
        self.total += other.total;
        self.fixable += other.fixable;
        self.suppressed += other.suppressed;
        for level in LEVELS {
            *self.levels.of_mut(level) += other.levels.of(level);
        }
    }

    fn count(&mut self, finding: &FindingDigest) {
        if finding.suppressed.is_some() {
            self.suppressed += 1;
            return;
        }
        self.total += 1;
        self.fixable += usize::from(finding.fixed.is_some());
        *self.levels.of_mut(finding.severity.level) += 1;
    }
}

impl Levels {
    /// How many are of a level.
    #[must_use]
    pub fn of(&self, level: SeverityLevel) -> usize {
        let mut copy = self.clone();
        *copy.of_mut(level)
    }

    fn of_mut(&mut self, level: SeverityLevel) -> &mut usize {
        match level {
            SeverityLevel::Critical => &mut self.critical,
            SeverityLevel::High => &mut self.high,
            SeverityLevel::Medium => &mut self.medium,
            SeverityLevel::Low => &mut self.low,
            SeverityLevel::Negligible => &mut self.negligible,
            SeverityLevel::Unknown => &mut self.unknown,
        }
    }
}

/// What is read of the JSON of a [`crate::Report`] to make a line of it: no texts but those that the line shows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Digest {
    #[serde(default)]
    projects: Vec<ProjectReport>,
    systems: Vec<SystemDigest>,
    findings: Vec<FindingDigest>,
    problems: Vec<IgnoredAny>,
    advisories: Vec<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SystemDigest {
    os_id: String,
    os_name: String,
    packages: Vec<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct FindingDigest {
    severity: SeverityDigest,
    fixed: Option<IgnoredAny>,
    suppressed: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct SeverityDigest {
    level: SeverityLevel,
}

/// Reads what a line shows out of the JSON of the report of an asset, and which projects were run.
///
/// # Errors
/// What `input` says, or it is no report.
pub fn digest(input: impl Read) -> io::Result<(Found, Vec<ProjectReport>)> {
    let digest: Digest = serde_json::from_reader(io::BufReader::new(input))?;
    let mut found = Found {
        packages: digest.systems.iter().map(|system| system.packages.len()).sum(),
        problems: digest.problems.len(),
        not_compared: digest.advisories.is_empty(),
        ..Found::default()
    };
    for SystemDigest { os_id, os_name, .. } in digest.systems {
        found.systems.extend([os_name, os_id].into_iter().find(|name| !name.is_empty()));
    }
    for finding in &digest.findings {
        found.vulnerabilities.count(finding);
    }
    Ok((found, digest.projects))
}

#[cfg(test)]
mod tests;
