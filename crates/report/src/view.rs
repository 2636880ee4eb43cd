//! A report as the forms show it: findings with their packages, worst first, and their number.

use std::cmp::Reverse;

use guardhouse_advisories::{Finding, SeverityLevel};

use crate::model::{FoundPackage, Report, ReportedFinding, SystemReport, TargetReport};

/// A finding with what it is about.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Which of the systems.
    pub system_index: usize,
    /// The system.
    pub system: &'a SystemReport,
    /// Which of its packages.
    pub package_index: usize,
    /// The package.
    pub package: &'a FoundPackage,
    /// What the advisory says.
    pub finding: &'a Finding,
}

impl Row<'_> {
    /// The id of the advisory, with the CVE where it has another name: `DSA-5678-1 (CVE-2023-5678)`.
    #[must_use]
    pub fn advisory(&self) -> String {
        let id = &self.finding.advisory;
        let is_other = |alias: &&String| alias.starts_with("CVE-") && !id.contains(alias.as_str());
        let cve = self.finding.aliases.iter().find(is_other);
        cve.map_or_else(|| id.clone(), |cve| format!("{id} ({cve})"))
    }
}

/// All findings, worst first: those that count, by level, score, system, package, advisory; then the suppressed ones in the
/// same order. A finding about a package that is not in the report is left out; there is none.
#[must_use]
pub fn rows(report: &Report) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> =
        report.findings.iter().filter_map(|reported| row(report, reported)).collect();
    rows.sort_by(|left, right| {
        let score = |row: &Row<'_>| row.finding.severity.score.unwrap_or(-1.0);
        let first = |row: &Row<'_>| (row.finding.suppressed.is_some(), Reverse(row.finding.severity.level));
        first(left)
            .cmp(&first(right))
            .then_with(|| score(right).total_cmp(&score(left)))
            .then_with(|| {
                (left.system_index, left.package_index).cmp(&(right.system_index, right.package_index))
            })
            .then_with(|| left.finding.advisory.cmp(&right.finding.advisory))
    });
    rows
}

fn row<'a>(report: &'a Report, reported: &'a ReportedFinding) -> Option<Row<'a>> {
    let (system_index, package_index) = (reported.system, reported.package);
    let system = report.systems.get(system_index)?;
    let package = system.packages.get(package_index)?;
    Some(Row { system_index, system, package_index, package, finding: &reported.finding })
}

/// Levels, worst first.
pub const LEVELS: [SeverityLevel; 6] = [
    SeverityLevel::Critical,
    SeverityLevel::High,
    SeverityLevel::Medium,
    SeverityLevel::Low,
    SeverityLevel::Negligible,
    SeverityLevel::Unknown,
];

/// How many findings there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// That count.
    pub counted: usize,
    /// That count, by level, in the order of [`LEVELS`].
    pub by_level: [usize; 6],
    /// That count and have a fixed version.
    pub fixable: usize,
    /// That do not count.
    pub suppressed: usize,
}

impl Counts {
    /// Counts.
    #[must_use]
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            if finding.suppressed.is_some() {
                counts.suppressed += 1;
                continue;
            }
            counts.counted += 1;
            counts.fixable += usize::from(finding.fixed.is_some());
            for (level, count) in LEVELS.iter().zip(&mut counts.by_level) {
                *count += usize::from(*level == finding.severity.level);
            }
        }
        counts
    }

    /// `1 critical, 2 high`: the levels that there are.
    #[must_use]
    pub fn levels(&self) -> String {
        let counts = LEVELS.iter().zip(self.by_level).filter(|(_, count)| *count > 0);
        counts.map(|(level, count)| format!("{count} {level}")).collect::<Vec<_>>().join(", ")
    }
}

impl Report {
    /// What was not looked for, as a list of names: `binary, baseline`. `None` when everything was.
    #[must_use]
    pub fn not_run(&self) -> Option<String> {
        let names: Vec<_> = self
            .projects
            .iter()
            .filter(|project| !project.run)
            .map(|project| project.name.as_str())
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

impl TargetReport {
    /// Whether it is the image of a container.
    #[must_use]
    pub fn is_container(&self) -> bool {
        self.kind.starts_with("oci") || self.kind.starts_with("docker")
    }
}

impl SystemReport {
    /// What it is called: the name that it gives itself, or where it is.
    #[must_use]
    pub fn title(&self) -> String {
        match (self.os_name.as_str(), self.os_id.as_str(), self.place.as_str()) {
            ("", "", "") => "the target".to_owned(),
            ("", "", place) => place.to_owned(),
            ("", id, "") => id.to_owned(),
            ("", id, place) => format!("{id} on {place}"),
            (name, _, "") => name.to_owned(),
            (name, _, place) => format!("{name} on {place}"),
        }
    }
}

impl FoundPackage {
    /// Where it was found: the file, and the archives in it.
    #[must_use]
    pub fn evidence(&self) -> String {
        std::iter::once(&self.path).chain(&self.package.inside).cloned().collect::<Vec<_>>().join("!/")
    }
}
