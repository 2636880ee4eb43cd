//! From what the scanner tells to the report. Pure: events and advisories in, a report out.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use guardhouse_advisories::{Finding, StoreError, distribution};
use guardhouse_model::Timestamp;
use guardhouse_packages::{Kind, Package, purl::purl};
use guardhouse_report::{
    AdvisorySource, FoundPackage, Problem, ProblemKind, Report, ReportedFinding, SystemReport, TargetReport,
    Totals, VolumeReport, model::SCHEMA_VERSION,
};
use guardhouse_scan::{
    Event, Project, Trouble,
    supervisor::{Ended, Outcome},
};

use crate::projects;

/// What is known about packages.
pub trait Judge {
    /// Which advisories fit a system; empty when none do.
    fn ecosystem(&self, os: &guardhouse_image::tree::Os) -> String;

    /// The advisories that there are.
    fn sources(&self) -> Result<Vec<AdvisorySource>, StoreError>;

    /// Whether there are any about packages of this kind, on a system of this ecosystem.
    fn covers(&self, kind: Kind, ecosystem: &str) -> bool;

    /// What they say of a package in a file.
    fn judge(&mut self, package: &Package, path: &str, ecosystem: &str) -> Result<Judgement, StoreError>;
}

/// What advisories say of a package.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// The vulnerabilities that it has; suppressed ones say why.
    pub findings: Vec<Finding>,
    /// What could not be compared, as sentences.
    pub not_compared: Vec<String>,
}

/// Puts a report together.
#[derive(Debug)]
pub struct Assembler {
    target: TargetReport,
    is_open: bool,
    volumes: Vec<VolumeReport>,
    systems: Vec<System>,
    problems: BTreeSet<Problem>,
    totals: Totals,
}

#[derive(Debug)]
struct System {
    place: String,
    os: Option<guardhouse_image::tree::Os>,
    notes: Vec<String>,
    packages: Vec<(Package, String, String)>,
}

impl Assembler {
    /// For a target, as the user named it.
    pub fn new(target: &str) -> Self {
        Self {
            target: TargetReport { name: target.to_owned(), kind: String::new(), size: 0, notes: Vec::new() },
            is_open: false,
            volumes: Vec::new(),
            systems: Vec::new(),
            problems: BTreeSet::new(),
            totals: Totals::default(),
        }
    }

    /// Whether the target could be opened.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Takes what the scanner tells.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Opened { kind, size, notes } => {
                self.is_open = true;
                (self.target.kind, self.target.size, self.target.notes) = (kind, size, notes);
            }
            Event::Volume { place, size, content, refusal, notes } => {
                let scanned = refusal.is_none();
                if let Some(refusal) = refusal {
                    self.problem(ProblemKind::VolumeRefused, place.clone(), refusal.to_string());
                }
                self.volumes.push(VolumeReport { place, size, content, scanned, notes });
            }
            Event::System { place, os, notes } => {
                self.systems.push(System { place, os, notes, packages: Vec::new() });
            }
            Event::Package { system, path, format, package } => match self.systems.get_mut(system) {
                Some(system) => system.packages.push((package, path.to_string(), format)),
                None => self.problem(
                    ProblemKind::ScannerDied,
                    self.target.name.clone(),
                    format!("the scanner told a package of system {system}, which does not exist"),
                ),
            },
            Event::Problem { kind, system, path, message } => {
                let place = self.place(system, path.map(|path| path.to_string()));
                self.problem(problem_kind(kind), place, message);
            }
            Event::Progress { .. } | Event::Walked { .. } => {}
            Event::Done { files, bytes, bytes_read } => self.totals = Totals { files, bytes, bytes_read },
        }
    }

    /// Takes a sentence for whoever reads the report.
    pub fn note(&mut self, note: String) {
        self.target.notes.push(note);
    }

    /// Takes how the scan ended.
    pub fn end(&mut self, ended: &Ended) {
        for death in &ended.deaths {
            // Without a killer, files of several threads were read again, one by one: nothing is missing.
            let Some(killer) = &death.killer else { continue };
            let place = self.place(killer.system, Some(killer.path.to_string()));
            let message =
                format!("the scanner died of it ({}), so it was not read: {}", killer.doing, death.cause);
            self.problem(ProblemKind::ScannerDied, place, message);
        }
        match &ended.outcome {
            // Of what was stopped there is no report.
            Outcome::Complete | Outcome::Stopped => {}
            Outcome::NotOpened(why) | Outcome::GivenUp(why) => {
                self.problem(ProblemKind::ScannerDied, self.target.name.clone(), why.clone());
            }
            Outcome::OutOfTime(total) => {
                let why = format!("it took longer than {total:?}");
                self.problem(ProblemKind::ScannerDied, self.target.name.clone(), why);
            }
        }
    }

    /// Compares with the advisories what was found of these projects.
    ///
    /// # Errors
    /// The advisories cannot be read.
    pub fn finish(
        mut self,
        run: &[Project],
        judge: &mut dyn Judge,
        started: Timestamp,
        ended: impl FnOnce() -> Timestamp,
    ) -> Result<Report, StoreError> {
        let mut systems = Vec::new();
        let mut findings = Vec::new();
        for system in std::mem::take(&mut self.systems) {
            let system = system_report(system, judge);
            let number = systems.len();
            let managers = managers(&system, judge);
            for (index, found) in system.packages.iter().enumerate() {
                let judgement = judge.judge(&found.package, &found.path, &system.ecosystem)?;
                for mut finding in judgement.findings {
                    if finding.suppressed.is_none() {
                        finding.suppressed =
                            distribution::suppression(&managers, &found.package, &found.path);
                    }
                    findings.push(ReportedFinding { system: number, package: index, finding });
                }
                for message in judgement.not_compared {
                    self.problem(ProblemKind::NotAVersion, join(&system.place, Some(&found.path)), message);
                }
            }
            for message in uncovered(&system, judge) {
                self.problem(ProblemKind::NoAdvisories, system.place.clone(), message);
            }
            systems.push(system);
        }
        findings.sort_by(worst_first);
        Ok(Report {
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            started,
            ended: ended(),
            target: self.target,
            projects: projects(run),
            volumes: self.volumes,
            systems,
            findings,
            problems: self.problems.into_iter().collect(),
            advisories: judge.sources()?,
            totals: self.totals,
        })
    }

    fn problem(&mut self, kind: ProblemKind, place: String, message: String) {
        self.problems.insert(Problem { kind, place, message });
    }

    fn place(&self, system: Option<usize>, path: Option<String>) -> String {
        let system = system.and_then(|system| self.systems.get(system));
        join(system.map_or(self.target.name.as_str(), |system| &system.place), path.as_deref())
    }
}

fn join(place: &str, path: Option<&str>) -> String {
    path.map_or_else(|| place.to_owned(), |path| format!("{place}: {path}"))
}

fn problem_kind(kind: Trouble) -> ProblemKind {
    match kind {
        Trouble::Unreadable | Trouble::Panicked => ProblemKind::Unreadable,
        Trouble::Malformed => ProblemKind::Malformed,
        Trouble::Limit => ProblemKind::Limit,
    }
}

fn system_report(system: System, judge: &dyn Judge) -> SystemReport {
    let ecosystem = system.os.as_ref().map(|os| judge.ecosystem(os)).unwrap_or_default();
    let os = system.os.unwrap_or_default();
    let found = |(package, path, format): (Package, String, String)| FoundPackage {
        purl: purl(&package, &os.id, &os.version),
        package,
        path,
        format,
    };
    let mut packages: Vec<_> = system.packages.into_iter().map(found).collect();
    let order = |found: &FoundPackage| {
        (found.package.kind, found.package.name.clone(), found.package.version.clone(), found.path.clone())
    };
    packages.sort_by_cached_key(order);
    packages.dedup();
    SystemReport {
        place: system.place,
        os_id: os.id,
        os_version: os.version,
        os_name: os.name,
        ecosystem,
        packages,
        notes: system.notes,
    }
}

/// The package managers of a system whose advisories are there: without them, nothing but upstream's could tell.
fn managers(system: &SystemReport, judge: &dyn Judge) -> Vec<Kind> {
    let kinds: BTreeSet<_> = system.packages.iter().map(|found| found.package.kind).collect();
    kinds.into_iter().filter(|kind| kind.is_system() && judge.covers(*kind, &system.ecosystem)).collect()
}

/// Kinds of packages of a system that there are no advisories about, as sentences.
fn uncovered(system: &SystemReport, judge: &dyn Judge) -> Vec<String> {
    let kinds: BTreeSet<_> = system.packages.iter().map(|found| found.package.kind).collect();
    let sentence = |kind: Kind| {
        let count = system.packages.iter().filter(|found| found.package.kind == kind).count();
        let about = match (kind.is_system(), system.ecosystem.as_str()) {
            (true, "") => format!("{kind} packages of a system that is not known"),
            (true, ecosystem) => format!("{kind} packages of {ecosystem}"),
            (false, _) => format!("{kind} packages"),
        };
        format!(
            "no advisories about {about}: {count} packages were not compared; see guardhouse advisories import"
        )
    };
    kinds.into_iter().filter(|&kind| !judge.covers(kind, &system.ecosystem)).map(sentence).collect()
}

/// What counts before what is suppressed; then by level and score; then by package and advisory.
fn worst_first(a: &ReportedFinding, b: &ReportedFinding) -> std::cmp::Ordering {
    let rank = |reported: &ReportedFinding| {
        (reported.finding.suppressed.is_some(), std::cmp::Reverse(reported.finding.severity.level))
    };
    let score = |reported: &ReportedFinding| reported.finding.severity.score.unwrap_or_default();
    rank(a)
        .cmp(&rank(b))
        .then_with(|| score(b).total_cmp(&score(a)))
        .then_with(|| (a.system, a.package).cmp(&(b.system, b.package)))
        .then_with(|| a.finding.advisory.cmp(&b.finding.advisory))
}
