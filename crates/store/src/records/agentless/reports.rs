//! Reports of tasks and subtasks.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use super::SubtaskLease;

/// A report that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportWanted {
    /// Of a root task, from the reports of its subtasks.
    Task(Uuid),
    /// Of a subtask, from its JSON.
    Subtask(Uuid),
}

/// Who writes parts of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportWriter {
    /// The worker that has the subtask.
    Worker(SubtaskLease),
    /// Who was given the report to make.
    Maker(ReportWanted),
}

impl ReportWriter {
    /// The task or the subtask that the report is of.
    #[must_use]
    pub fn owner(self) -> Uuid {
        match self {
            Self::Worker(lease) => lease.subtask,
            Self::Maker(ReportWanted::Task(owner) | ReportWanted::Subtask(owner)) => owner,
        }
    }
}

/// What is known of assets together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgentlessTotals {
    /// How many assets have a result.
    pub scanned: u64,
    /// How many of them have findings that count.
    pub risky: u64,
    /// Vulnerable packages of Linux systems.
    pub cve: u64,
    /// Missing patches of Windows.
    pub sys: u64,
    /// Vulnerable packages of languages.
    pub sca: u64,
    /// Failed checks of the configuration.
    pub baseline: u64,
    /// Malicious files.
    pub malicious: u64,
    /// Sensitive files.
    pub sensitive: u64,
    /// When the last of them was scanned; `None`: none was.
    pub scan_time: Option<Timestamp>,
}

/// Subtasks of which no result is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MissingResults {
    /// How many have none: they are not over, or not done.
    pub unscanned: u32,
    /// How many were done, and a later scan of the asset took the place of the result, or it expired.
    pub superseded: u32,
}

/// Which document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// The report as JSON.
    Json,
    /// A page for people.
    Html,
}

impl ReportFormat {
    /// As it is kept, and as addresses end.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}
