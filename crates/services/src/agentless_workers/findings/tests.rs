use std::collections::BTreeSet;

use guardhouse_advisories::{Severity, SeverityLevel};
use guardhouse_report::view::Counts;

use super::*;

/// A report with everything that there is to report, as the command writes it.
const GOLDEN: &str = include_str!("../../../../report/tests/forms/golden/report.json");

fn golden() -> Report {
    serde_json::from_str(GOLDEN).expect("the report of a scan")
}

fn named<'a>(found: &'a [NewVulnerability], name: &str) -> &'a NewVulnerability {
    found.iter().find(|vulnerability| vulnerability.name == name).expect(name)
}

/// What was found, without the order.
fn sorted(found: &[NewVulnerability]) -> Vec<&NewVulnerability> {
    let mut found: Vec<_> = found.iter().collect();
    found.sort_by_key(|vulnerability| vulnerability.finding);
    found
}

#[test]
fn every_finding_that_counts_is_a_row() {
    let report = golden();
    let (found, platform) = of(&report);
    let counts = counts(&found);
    let counted = Counts::of(report.findings.iter().map(|reported| &reported.finding));
    assert!(counted.suppressed > 0, "{counted:?}");
    assert_eq!(found.len(), counted.counted);
    assert_eq!(usize::try_from(counts.cve + counts.sca).expect("few"), counted.counted);
    assert_eq!((counts.sys, counts.baseline, counts.malicious, counts.sensitive), (0, 0, 0, 0));
    let fixable = found.iter().filter(|vulnerability| !vulnerability.fixed.is_empty()).count();
    assert_eq!(fixable, counted.fixable);
    let ids: BTreeSet<_> = found.iter().map(|vulnerability| vulnerability.finding).collect();
    assert_eq!(ids.len(), found.len(), "each has an id of its own");
    assert_eq!(platform, "Debian");
}

#[test]
fn rows_say_what_the_report_says() {
    let (found, _) = of(&golden());
    let log4j = named(&found, "CVE-2021-44228");
    let expected = NewVulnerability {
        finding: log4j.finding,
        kind: VulnerabilityKind::Sca,
        name: "CVE-2021-44228".to_owned(),
        alias: "Remote code injection in Log4j".to_owned(),
        related: "CVE-2021-44228".to_owned(),
        necessity: Necessity::Asap,
        score: Some(100),
        package: "org.apache.logging.log4j:log4j-core".to_owned(),
        package_kind: "maven".to_owned(),
        version: "2.14.1".to_owned(),
        fixed: "2.15.0".to_owned(),
        path: "/srv/app/shop.war!/WEB-INF/lib/log4j-core-2.14.1.jar".to_owned(),
        os: "debian".to_owned(),
        os_release: "12".to_owned(),
    };
    assert_eq!(log4j, &expected);
    let openssl = named(&found, "CVE-2023-5678");
    assert_eq!(
        (openssl.kind, openssl.necessity, openssl.score),
        (VulnerabilityKind::Cve, Necessity::Later, Some(53))
    );
    assert_eq!(openssl.alias, "DSA-5678-1", "what has no summary is called by its advisory");
    let unknown = named(&found, "RUSTSEC-2099-0001");
    assert_eq!((unknown.related.as_str(), unknown.score, unknown.necessity), ("", None, Necessity::Nntf));
}

#[test]
fn an_advisory_about_several_keeps_its_own_name() {
    let mut report = golden();
    let first = report.findings.first_mut().expect("a finding");
    let cves = ["CVE-2024-1", "CVE-2024-2", "GHSA-1"].map(str::to_owned);
    (first.finding.advisory, first.finding.aliases) = ("RHSA-2024:1".to_owned(), cves.to_vec());
    let (found, _) = of(&report);
    assert_eq!(named(&found, "RHSA-2024:1").related, "CVE-2024-1,CVE-2024-2");
}

#[test]
fn a_finding_is_known_again_after_an_update_that_mends_nothing() {
    let before = golden();
    let mut after = golden();
    for package in after.systems.iter_mut().flat_map(|system| &mut system.packages) {
        package.package.version.push_str("-updated");
    }
    after.findings.reverse();
    let ids =
        |report| of(report).0.iter().map(|vulnerability| vulnerability.finding).collect::<BTreeSet<_>>();
    assert_eq!(ids(&before), ids(&after));
}

#[test]
fn packages_that_differ_in_their_version_alone_are_told_apart() {
    let mut report = golden();
    let system = report.systems.first_mut().expect("a system");
    let mut second = system.packages.first().expect("a package").clone();
    second.package.version = "9".to_owned();
    let at = system.packages.len();
    system.packages.push(second);
    let mut again = report.findings.first().expect("a finding").clone();
    again.package = at;
    report.findings.push(again);
    let (found, _) = of(&report);
    let ids: BTreeSet<_> = found.iter().map(|vulnerability| vulnerability.finding).collect();
    assert_eq!(ids.len(), found.len());
    assert_eq!(sorted(&found), sorted(&of(&report).0), "and are each time the same");
}

#[test]
fn hostile_texts_fit_into_the_databases() {
    let mut report = golden();
    let first = report.findings.first_mut().expect("a finding");
    first.finding.advisory = "\0é".repeat(3_000);
    first.finding.aliases.clear();
    first.finding.severity =
        Severity { level: SeverityLevel::High, score: Some(f64::INFINITY), ..Severity::default() };
    let (found, _) = of(&report);
    assert!(found.iter().all(|vulnerability| vulnerability.name.len() <= LONGEST_NAME));
    assert!(found.iter().all(|vulnerability| !format!("{vulnerability:?}").contains("\\0")));
    assert!(found.iter().any(|vulnerability| vulnerability.score == Some(100)));
}

#[test]
fn the_system_with_most_packages_names_the_platform() {
    let table = [
        ("debian", "Debian"),
        ("centos", "CentOS"),
        ("rhel", "Red Hat"),
        ("opensuse-leap", "openSUSE"),
        ("ubuntu", "Ubuntu"),
        ("éos", "Éos"),
        ("", ""),
    ];
    for (id, name) in table {
        let mut report = golden();
        report.systems.truncate(1);
        for system in &mut report.systems {
            system.os_id = id.to_owned();
        }
        assert_eq!(of(&report).1, name, "{id}");
    }
    let mut report = golden();
    let mut rescue = report.systems.first().expect("a system").clone();
    rescue.packages.clear();
    rescue.os_id = "alpine".to_owned();
    report.systems.insert(0, rescue);
    report.findings.clear();
    assert_eq!(of(&report).1, "Debian");
}
