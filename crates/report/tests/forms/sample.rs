//! Reports to write.

use guardhouse_advisories::{Finding, Severity, SeverityLevel, Suppression};
use guardhouse_packages::{Kind, Origin, Package, SourcePackage};
use guardhouse_report::model::SCHEMA_VERSION;
use guardhouse_report::{
    AdvisorySource, FoundPackage, Problem, ProblemKind, ProjectReport, Report, ReportedFinding, SystemReport,
    TargetReport, Totals, VolumeReport,
};
use jiff::Timestamp;

/// What an image may have for a name: an escape sequence, markup, quotes, controls, a change of direction.
const HOSTILE: &str = "evil\u{1b}[2J<script>alert('1')</script>\"&\u{202e}\u{9b}31m\n\u{200b}\\";

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// Nothing but the target.
fn empty() -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        tool_version: "0.1.0".to_owned(),
        started: moment("2026-11-22T10:00:00.123Z"),
        ended: moment("2026-11-22T10:00:01.456Z"),
        target: TargetReport {
            name: "disk.qcow2".to_owned(),
            kind: "qcow2".to_owned(),
            size: 8 << 30,
            notes: Vec::new(),
        },
        projects: vec![project("binary", false), project("vul", true), project("webshell", false)],
        volumes: Vec::new(),
        systems: Vec::new(),
        findings: Vec::new(),
        problems: Vec::new(),
        advisories: Vec::new(),
        totals: Totals { files: 20_012, bytes: 414_000_000, bytes_read: 123_456_789 },
    }
}

fn project(name: &str, run: bool) -> ProjectReport {
    ProjectReport { name: name.to_owned(), run }
}

/// A package, no advisories.
pub fn nothing_compared() -> Report {
    Report {
        systems: vec![system(vec![package(
            Kind::Deb,
            "openssl",
            "3.0.11-1~deb12u2",
            "/var/lib/dpkg/status",
        )])],
        ..empty()
    }
}

/// A package that no advisory is about.
pub fn clean() -> Report {
    Report { advisories: vec![source("debian", 40_000)], ..nothing_compared() }
}

/// Everything that there is to write, and hostile texts wherever an image has one.
pub fn everything() -> Report {
    let mut openssl = package(Kind::Deb, "libssl3", "3.0.11-1~deb12u2", "/var/lib/dpkg/status");
    openssl.package.source =
        Some(SourcePackage { name: "openssl".to_owned(), version: "3.0.11-1~deb12u2".to_owned() });
    openssl.package.architecture = "amd64".to_owned();
    openssl.package.licences = vec!["Apache-2.0".to_owned()];
    openssl.package.vendor = "Debian OpenSSL Team <pkg-openssl-devel@example.org>".to_owned();
    let mut log4j =
        package(Kind::Maven, "org.apache.logging.log4j:log4j-core", "2.14.1", "/srv/app/shop.war");
    log4j.package.inside = vec!["WEB-INF/lib/log4j-core-2.14.1.jar".to_owned()];
    log4j.package.licences = vec!["Apache-2.0 OR MIT".to_owned()];
    let mut ripgrep = package(Kind::Cargo, "ripgrep", "13.0.0", "/usr/local/bin/rg");
    ripgrep.package.origin = Origin::Embedded;
    ripgrep.package.licences = vec!["MIT".to_owned(), "BSD-ish".to_owned()];
    let mut hostile = package(
        Kind::Npm,
        HOSTILE,
        "1.0.0-\u{1b}]0;x\u{7}",
        "/srv/app/node_modules/a b%/\\u{1b}/package.json",
    );
    hostile.package.vendor = "Evil (Corp)\n".to_owned();
    hostile.package.licences = vec![HOSTILE.to_owned(), "GPL-2.0-only".to_owned()];
    hostile.package.origin = Origin::Locked;
    let mut module = package(Kind::Rpm, "nodejs", "1:18.19.0-1.module", "/var/lib/rpm/rpmdb.sqlite");
    module.package.module = "nodejs:18:8090020240110:rhel9".to_owned();
    let unnamed = SystemReport {
        place: format!("partition 3 {HOSTILE}"),
        os_id: String::new(),
        os_version: String::new(),
        os_name: String::new(),
        ecosystem: String::new(),
        packages: vec![module],
        notes: vec!["belongs to no system".to_owned()],
    };
    let read = format!("also read: base.qcow2 {HOSTILE}");
    Report {
        target: TargetReport { notes: vec![read], ..empty().target },
        volumes: vec![
            volume("partition 1", "ext4", true, &["a journal with 12 blocks was replayed in memory"]),
            volume("partition 2", "LUKS2", false, &[]),
            volume("partition 3", "xfs", true, &[]),
        ],
        systems: vec![system(vec![openssl, log4j, ripgrep, hostile]), unnamed],
        findings: findings(),
        problems: problems(),
        advisories: vec![source("debian", 40_000), source("osv-npm <mirror>", 1)],
        ..empty()
    }
}

fn findings() -> Vec<ReportedFinding> {
    let log4j = Finding {
        aliases: vec!["CVE-2021-44228".to_owned()],
        summary: "Remote code injection in Log4j".to_owned(),
        fixed: Some("2.15.0".to_owned()),
        references: vec![
            "https://logging.apache.org/security.html".to_owned(),
            "javascript:alert(1)".to_owned(),
        ],
        ..finding(
            "GHSA-jfh8-c2jp-5v3q",
            "osv",
            SeverityLevel::Critical,
            Some((10.0, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H")),
        )
    };
    let openssl = Finding {
        aliases: vec!["CVE-2023-5678".to_owned()],
        fixed: Some("3.0.13-1~deb12u1".to_owned()),
        affected_name: "openssl".to_owned(),
        compared_version: "3.0.11-1~deb12u2".to_owned(),
        references: vec!["https://security-tracker.debian.org/tracker/CVE-2023-5678".to_owned()],
        ..finding(
            "DSA-5678-1",
            "debian",
            SeverityLevel::Medium,
            Some((5.3, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L")),
        )
    };
    let unimportant = Finding {
        severity: Severity {
            level: SeverityLevel::Negligible,
            word: "unimportant".to_owned(),
            ..Severity::default()
        },
        ..finding("CVE-2007-5686", "debian", SeverityLevel::Negligible, None)
    };
    let unknown = finding("RUSTSEC-2099-0001", "rustsec", SeverityLevel::Unknown, None);
    let hostile = Finding {
        summary: HOSTILE.to_owned(),
        aliases: vec![HOSTILE.to_owned()],
        fixed: Some("<b>2</b>\u{1b}[1m".to_owned()),
        references: vec!["https://example.org/\"><script>".to_owned()],
        ..finding(
            "CVE-<img src=x onerror=\"alert(1)\">\u{1b}",
            HOSTILE,
            SeverityLevel::High,
            Some((7.5, "AV:N/AC:L/Au:N/C:P/I:P/A:P")),
        )
    };
    let suppressed = |advisory: &str, status: &str| Finding {
        suppressed: Some(Suppression {
            by: "vex/<openvex>.json".to_owned(),
            status: status.to_owned(),
            reason: "the code is not in the execution path".to_owned(),
        }),
        ..finding(
            advisory,
            "debian",
            SeverityLevel::High,
            Some((7.8, "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N")),
        )
    };
    [
        (0, 0, openssl.clone()),
        (0, 0, suppressed("CVE-2024-0001", "not_affected")),
        (0, 0, suppressed("CVE-2024-0002", "fixed")),
        (0, 0, suppressed("CVE-2024-0003", "ignored")),
        (0, 0, unimportant),
        (0, 1, log4j),
        (0, 2, unknown),
        (0, 3, hostile),
        (1, 0, openssl),
    ]
    .map(|(system, package, finding)| ReportedFinding { system, package, finding })
    .to_vec()
}

fn finding(advisory: &str, source: &str, level: SeverityLevel, cvss: Option<(f64, &str)>) -> Finding {
    Finding {
        advisory: advisory.to_owned(),
        aliases: Vec::new(),
        source: source.to_owned(),
        summary: String::new(),
        severity: Severity {
            level,
            score: cvss.map(|(score, _)| score),
            vector: cvss.map_or_else(String::new, |(_, vector)| vector.to_owned()),
            word: String::new(),
        },
        fixed: None,
        affected_name: String::new(),
        compared_version: String::new(),
        references: Vec::new(),
        suppressed: None,
    }
}

fn problems() -> Vec<Problem> {
    let problem = |kind, place: &str, message: &str| Problem {
        kind,
        place: place.to_owned(),
        message: message.to_owned(),
    };
    vec![
        problem(
            ProblemKind::VolumeRefused,
            "partition 2",
            "encrypted (LUKS2): pass an image that was decrypted",
        ),
        problem(
            ProblemKind::Limit,
            "partition 1:/srv/a.jar",
            "archives in archives are read to a depth of 8",
        ),
        problem(ProblemKind::NotAVersion, HOSTILE, "\"latest\" is no version of npm"),
        problem(ProblemKind::ScannerDied, "", "killed by SIGKILL after 2.0 GiB of memory"),
        problem(ProblemKind::NoAdvisories, "partition 3", "no advisories for rpm of an unknown system"),
        problem(ProblemKind::Unreadable, "partition 1:/lost+found", "checksum of an inode"),
        problem(ProblemKind::Malformed, "partition 1:/srv/package-lock.json", "line 3: <expected> a value"),
    ]
}

fn package(kind: Kind, name: &str, version: &str, path: &str) -> FoundPackage {
    FoundPackage {
        package: Package { kind, name: name.to_owned(), version: version.to_owned(), ..Package::default() },
        purl: if name == HOSTILE {
            "pkg:npm/evil@1.0.0".to_owned()
        } else {
            format!("pkg:{kind}/{name}@{version}")
        },
        path: path.to_owned(),
        format: "dpkg-status".to_owned(),
    }
}

fn system(packages: Vec<FoundPackage>) -> SystemReport {
    SystemReport {
        place: "partition 1".to_owned(),
        os_id: "debian".to_owned(),
        os_version: "12".to_owned(),
        os_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        ecosystem: "Debian:12".to_owned(),
        packages,
        notes: Vec::new(),
    }
}

fn volume(place: &str, content: &str, scanned: bool, notes: &[&str]) -> VolumeReport {
    VolumeReport {
        place: place.to_owned(),
        size: 1 << 30,
        content: content.to_owned(),
        scanned,
        notes: notes.iter().map(|note| (*note).to_owned()).collect(),
    }
}

fn source(name: &str, count: u64) -> AdvisorySource {
    AdvisorySource {
        name: name.to_owned(),
        imported: moment("2026-11-20T08:00:00Z"),
        newest: Some(moment("2026-11-19T00:00:00Z")),
        count,
    }
}
