use std::time::Duration;

use guardhouse_advisories::{Severity, SeverityLevel};
use guardhouse_image::{
    FilePath,
    tree::Os,
    volume::{Reason, Refusal},
};
use guardhouse_scan::{Spot, supervisor::Death};

use super::*;

/// Finds what a package is named after: `high` has a finding of that level; `unclear` cannot be compared.
struct ByName;

impl Judge for ByName {
    fn ecosystem(&self, os: &Os) -> String {
        format!("{}:{}", os.id, os.version)
    }

    fn sources(&self) -> Result<Vec<AdvisorySource>, StoreError> {
        Ok(Vec::new())
    }

    fn covers(&self, kind: Kind, ecosystem: &str) -> bool {
        kind == Kind::Deb && ecosystem == "debian:12"
    }

    fn judge(&mut self, package: &Package, _path: &str, _ecosystem: &str) -> Result<Judgement, StoreError> {
        let level = match package.name.as_str() {
            "critical" => SeverityLevel::Critical,
            "low" => SeverityLevel::Low,
            "unclear" => {
                let not_compared = vec!["unclear has no version".to_owned()];
                return Ok(Judgement { findings: Vec::new(), not_compared });
            }
            _ => return Ok(Judgement::default()),
        };
        let finding = Finding {
            advisory: format!("A-{}", package.name),
            aliases: Vec::new(),
            source: "test".to_owned(),
            summary: String::new(),
            severity: Severity { level, ..Severity::default() },
            fixed: None,
            affected_name: String::new(),
            compared_version: package.version.clone(),
            references: Vec::new(),
            suppressed: None,
        };
        Ok(Judgement { findings: vec![finding], not_compared: Vec::new() })
    }
}

fn opened(assembler: &mut Assembler) {
    assembler.take(Event::Opened { kind: "raw".into(), size: 4096, notes: vec!["a note".into()] });
    let os = Os { id: "debian".into(), version: "12".into(), ..Os::default() };
    let system = |place: &str, os| Event::System { place: place.into(), os, notes: Vec::new() };
    assembler.take(system("partition 1", Some(os)));
    assembler.take(system("partition 2", None));
}

fn package(system: usize, name: &str, path: &str) -> Event {
    let package = Package { name: name.into(), version: "1".into(), ..Package::default() };
    Event::Package { system, path: FilePath::new(path.as_bytes()), format: "dpkg-status".into(), package }
}

fn report(assembler: Assembler) -> Report {
    let now = Timestamp::UNIX_EPOCH;
    assembler.finish(&[Project::Vul], &mut ByName, now, || now).expect("a report")
}

fn problems(report: &Report) -> Vec<(ProblemKind, &str, &str)> {
    report.problems.iter().map(|problem| (problem.kind, &*problem.place, &*problem.message)).collect()
}

#[test]
fn packages_are_sorted_and_findings_lead_to_them() {
    let mut assembler = Assembler::new("disk.img");
    opened(&mut assembler);
    for (name, path) in [("zlib", "/b"), ("low", "/a"), ("critical", "/a"), ("low", "/a"), ("zlib", "/a")] {
        assembler.take(package(0, name, path));
    }
    assembler.take(Event::Done { files: 3, bytes: 2, bytes_read: 1 });
    let report = report(assembler);
    let packages = &report.systems[0].packages;
    let listed: Vec<_> =
        packages.iter().map(|found| format!("{} {}", found.package.name, found.path)).collect();
    assert_eq!(listed, ["critical /a", "low /a", "zlib /a", "zlib /b"]);
    assert_eq!(packages[0].purl, "pkg:deb/debian/critical@1?distro=debian-12");
    let found: Vec<_> = report.findings.iter().map(|found| (found.system, found.package)).collect();
    assert_eq!(found, [(0, 0), (0, 1)]);
    assert_eq!(report.totals, Totals { files: 3, bytes: 2, bytes_read: 1 });
    assert_eq!(report.problems, []);
    assert_eq!(report.systems[0].ecosystem, "debian:12");
    assert_eq!(report.systems[1].ecosystem, "");
    assert_eq!((&*report.target.kind, report.target.size), ("raw", 4096));
    assert_eq!(report.target.notes, ["a note"]);
}

#[test]
fn what_dpkg_installed_is_left_to_the_advisories_of_the_distribution() {
    let python = |system, path: &str| {
        let package =
            Package { kind: Kind::Pypi, name: "critical".into(), version: "1".into(), ..Package::default() };
        let path = FilePath::new(path.as_bytes());
        Event::Package { system, path, format: "python-metadata".into(), package }
    };
    let mut assembler = Assembler::new("disk.img");
    opened(&mut assembler);
    let (debians, users) = (
        "/usr/lib/python3/dist-packages/critical-1.egg-info/PKG-INFO",
        "/usr/local/lib/python3.11/dist-packages/critical-1.dist-info/METADATA",
    );
    for event in [python(0, debians), python(0, users), python(1, debians), package(0, "low", "/status")] {
        assembler.take(event);
    }
    let report = report(assembler);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|found| {
            let path = &report.systems[found.system].packages[found.package].path;
            let by = found.finding.suppressed.as_ref().map(|suppressed| suppressed.by.as_str());
            (found.system, path.as_str(), by)
        })
        .collect();
    // The other system has no package database: its folder may be anyone's.
    assert_eq!(
        found,
        [(0, users, None), (1, debians, None), (0, "/status", None), (0, debians, Some("dpkg"))]
    );
}

#[test]
fn what_is_missing_is_a_problem() {
    let mut assembler = Assembler::new("disk.img");
    opened(&mut assembler);
    let refusal =
        Refusal { reason: Reason::Encrypted, what: "LUKS2".into(), detail: "only its key opens it".into() };
    let (place, content) = ("partition 3".to_owned(), "LUKS2".to_owned());
    assembler.take(Event::Volume { place, size: 1, content, refusal: Some(refusal), notes: Vec::new() });
    assembler.take(package(0, "unclear", "/a"));
    assembler.take(package(1, "zlib", "/b"));
    assembler.take(package(7, "zlib", "/b"));
    let path = Some(FilePath::new(b"/bad"));
    assembler.take(Event::Problem {
        kind: Trouble::Limit,
        system: Some(1),
        path,
        message: "too much".into(),
    });
    let killer = Spot { system: Some(0), path: FilePath::new(b"/x"), doing: "language packages".into() };
    let cause = "SIGSEGV".to_owned();
    let deaths = vec![Death { cause: cause.clone(), killer: Some(killer) }, Death { cause, killer: None }];
    assembler.end(&Ended { outcome: Outcome::OutOfTime(Duration::from_secs(3)), deaths });
    let report = report(assembler);
    assert_eq!(
        problems(&report),
        [
            (ProblemKind::ScannerDied, "disk.img", "it took longer than 3s"),
            (
                ProblemKind::ScannerDied,
                "disk.img",
                "the scanner told a package of system 7, which does not exist"
            ),
            (
                ProblemKind::ScannerDied,
                "partition 1: /x",
                "the scanner died of it (language packages), so it was not read: SIGSEGV"
            ),
            (ProblemKind::VolumeRefused, "partition 3", "LUKS2: only its key opens it"),
            (ProblemKind::Limit, "partition 2: /bad", "too much"),
            (ProblemKind::NotAVersion, "partition 1: /a", "unclear has no version"),
            (
                ProblemKind::NoAdvisories,
                "partition 2",
                "no advisories about deb packages of a system that is not known: 1 packages were not compared; \
                 see guardhouse advisories import"
            ),
        ]
    );
    assert!(!report.volumes[0].scanned);
}
