//! What a report means for whoever started the scan: the exit code of `guardhouse scan`.

use guardhouse_advisories::SeverityLevel;

use crate::model::Report;

/// How a scan ended that could be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing that was asked about.
    Passed,
    /// There is a finding that counts, of the level that was asked about or worse.
    Vulnerable,
    /// Something was not scanned or not compared, and that was asked about.
    Incomplete,
}

impl Outcome {
    /// The exit code: 0, 1, 4.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Vulnerable => 1,
            Self::Incomplete => 4,
        }
    }
}

/// Decides: findings first, then what is missing. `fail_on` is the level from which on findings fail a scan;
/// [`SeverityLevel::Unknown`] takes every finding. A finding of unknown severity fails no other level.
#[must_use]
pub fn outcome(report: &Report, fail_on: Option<SeverityLevel>, fail_on_incomplete: bool) -> Outcome {
    if fail_on.is_some_and(|level| worst(report).is_some_and(|worst| worst >= level)) {
        Outcome::Vulnerable
    } else if fail_on_incomplete && is_incomplete(report) {
        Outcome::Incomplete
    } else {
        Outcome::Passed
    }
}

/// The worst level of the findings that count, those that are not suppressed; `None` when there is none.
#[must_use]
pub fn worst(report: &Report) -> Option<SeverityLevel> {
    let counted = report.findings.iter().filter(|finding| finding.finding.suppressed.is_none());
    counted.map(|finding| finding.finding.severity.level).max()
}

/// Whether something was not scanned or not compared with advisories.
#[must_use]
pub fn is_incomplete(report: &Report) -> bool {
    !report.problems.is_empty()
}
