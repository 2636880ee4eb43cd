//! Which package an advisory is about.

use guardhouse_advisories::{Matcher, NotCompared};
use guardhouse_packages::{Kind, Package};
use serde_json::{Value, json};

use crate::{
    osv::advisory,
    support::{Place, built, package},
};

fn below(id: &str, ecosystem: &str, name: &str, fixed: &str) -> Value {
    advisory(
        id,
        ecosystem,
        name,
        json!([{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]),
    )
}

#[test]
fn debian_speaks_of_source_packages() {
    let place =
        Place::with(&json!([below("DSA-1-1", "Debian:12", "openssl", "3.0.11-1~deb12u2")]).to_string());
    let libssl = built(Kind::Deb, "libssl3", "3.0.11-1~deb12u1", "openssl");
    assert_eq!(place.found(&libssl, "Debian:12"), ["DSA-1-1 3.0.11-1~deb12u2"]);
    let finding = place.findings(&libssl, "Debian:12").pop().expect("one");
    assert_eq!(finding.affected_name, "openssl");
    // A package of that name that is built from something else is none.
    let other = built(Kind::Deb, "openssl", "1.0", "openssl-compat");
    assert!(place.found(&other, "Debian:12").is_empty());
    for system in ["Debian:11", "Ubuntu:22.04", ""] {
        assert!(place.found(&libssl, system).is_empty(), "{system}");
    }
    // A rebuilt binary package has another version than its source.
    let mut rebuilt = built(Kind::Deb, "libssl3", "3.0.11-1~deb12u2", "openssl");
    rebuilt.version = "3.0.11-1~deb12u2+b1".to_owned();
    assert!(place.found(&rebuilt, "Debian:12").is_empty());
}

#[test]
fn rpms_are_found_by_their_own_name_and_by_their_source() {
    let place = Place::with(
        &json!([
            below("ALSA-1", "AlmaLinux:9", "openssl-libs", "1:3.0.7-25.el9"),
            below("RLSA-1", "Rocky Linux:9", "openssl", "1:3.0.7-25.el9"),
        ])
        .to_string(),
    );
    let mut libs = built(Kind::Rpm, "openssl-libs", "1:3.0.7-24.el9", "openssl");
    // The file name of a source rpm has no epoch.
    if let Some(source) = &mut libs.source {
        source.version = "3.0.7-24.el9".to_owned();
    }
    assert_eq!(place.found(&libs, "AlmaLinux:9"), ["ALSA-1 1:3.0.7-25.el9"]);
    assert_eq!(place.found(&libs, "Rocky Linux:9"), ["RLSA-1 1:3.0.7-25.el9"]);
    let mut fixed = libs.clone();
    fixed.version = "1:3.0.7-25.el9".to_owned();
    if let Some(source) = &mut fixed.source {
        source.version = "3.0.7-25.el9".to_owned();
    }
    assert!(place.found(&fixed, "AlmaLinux:9").is_empty());
    assert!(place.found(&fixed, "Rocky Linux:9").is_empty());
}

#[test]
fn an_advisory_that_names_a_package_does_not_speak_of_it_by_its_source() {
    let place = Place::with(
        &json!({
            "id": "RLSA-2",
            "modified": "2026-01-01T00:00:00Z",
            "affected": [
                below("", "Rocky Linux:8", "perl", "4:5.26.3-419.el8")["affected"][0],
                below("", "Rocky Linux:8", "perl-Errno", "0:1.28-419.el8")["affected"][0],
            ],
        })
        .to_string(),
    );
    // Its source rpm has an epoch, which its own version does not tell.
    let errno = |release: &str| {
        let mut package = built(Kind::Rpm, "perl-Errno", &format!("1.28-{release}"), "perl");
        if let Some(source) = &mut package.source {
            source.version = format!("5.26.3-{release}");
        }
        package
    };
    assert_eq!(place.found(&errno("416.el8"), "Rocky Linux:8"), ["RLSA-2 0:1.28-419.el8"]);
    assert!(place.found(&errno("421.el8"), "Rocky Linux:8").is_empty());
}

#[test]
fn fixes_of_a_module_are_for_its_stream() {
    let mut eighteen = below("RLSA-18", "Rocky Linux:8", "nodejs", "1:18.19.0-1.module+el8.9.0+1+a");
    eighteen["summary"] = json!("Moderate: nodejs:18 security update");
    let twenty = below("RLSA-20", "Rocky Linux:8", "nodejs", "1:20.11.0-1.module+el8.9.0+2+b");
    let place = Place::with(&json!([eighteen, twenty]).to_string());
    let nodejs = |version: &str, module: &str| Package {
        module: module.to_owned(),
        ..package(Kind::Rpm, "nodejs", version)
    };
    for (version, module, expected) in [
        (
            "1:18.18.0-1.module+el8.8.0+1+c",
            "nodejs:18:8080020231013:abc",
            &["RLSA-18 1:18.19.0-1.module+el8.9.0+1+a", "RLSA-20 1:20.11.0-1.module+el8.9.0+2+b"][..],
        ),
        (
            "1:16.20.0-1.module+el8.8.0+1+c",
            "nodejs:16:8080020231013:abc",
            &["RLSA-20 1:20.11.0-1.module+el8.9.0+2+b"],
        ),
        ("1:16.20.0-1.el8", "", &[]),
    ] {
        assert_eq!(place.found(&nodejs(version, module), "Rocky Linux:8"), expected, "{version}");
    }
}

#[test]
fn what_cannot_be_compared_is_told() {
    let place = Place::with(
        &json!([
            below("A-1", "Debian:12", "bash", "5.2.15-2"),
            below("A-2", "Debian:12", "bash", "not a version"),
            below("A-3", "PyPI", "legacy", "2.0"),
        ])
        .to_string(),
    );
    let told = |package: &Package| {
        let told = place.not_compared(package, "Debian:12");
        told.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let by_advisory = told(&package(Kind::Deb, "bash", "5.1"));
    assert_eq!(by_advisory.len(), 1);
    assert!(
        by_advisory.iter().all(|text| text.starts_with("bash was not compared with A-2: \"not a version\""))
    );
    assert_eq!(place.found(&package(Kind::Deb, "bash", "5.1"), "Debian:12"), ["A-1 5.2.15-2"]);

    let without = place.not_compared(&package(Kind::Deb, "bash", ""), "Debian:12");
    assert!(matches!(without.as_slice(), [NotCompared::NoVersion { advisories: 2, .. }]), "{without:?}");
    let bogus = place.not_compared(&package(Kind::Pypi, "legacy", "snapshot of today"), "");
    assert!(matches!(bogus.as_slice(), [NotCompared::Package { advisories: 1, .. }]), "{bogus:?}");
    let long = told(&package(Kind::Deb, "bash", &"9".repeat(100_000)));
    assert!(long.iter().all(|text| text.len() < 300), "{long:?}");
    // Of what no advisory is about, nothing has to be told.
    assert!(place.not_compared(&package(Kind::Pypi, "other", "?"), "").is_empty());
}

#[test]
fn sources_about_one_vulnerability_are_one_finding() {
    let place = Place::new();
    let range = json!([{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]);
    let mut github = advisory("GHSA-a", "PyPI", "a", range.clone());
    github["aliases"] = json!(["CVE-2026-1"]);
    github["severity"] =
        json!([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]);
    let mut python = advisory("PYSEC-2026-1", "PyPI", "a", range);
    python["aliases"] = json!(["CVE-2026-1"]);
    place.import("github", github.to_string().as_bytes());
    place.import("python", python.to_string().as_bytes());
    let findings = place.findings(&package(Kind::Pypi, "a", "1.0"), "");
    assert_eq!(findings.len(), 1);
    let finding = findings.first().expect("one");
    assert_eq!((finding.advisory.as_str(), finding.source.as_str()), ("PYSEC-2026-1", "python"));
    assert_eq!(finding.aliases, ["CVE-2026-1", "GHSA-a"]);
    assert_eq!(finding.severity.score, Some(9.8));
}

#[test]
fn what_there_are_advisories_for_is_known() {
    let place = Place::with(
        &json!([below("A-1", "Debian:12", "bash", "5.2.15-2"), below("A-2", "npm", "a", "1.0.0"),])
            .to_string(),
    );
    let matcher = Matcher::open(&place.store).expect("a store");
    assert!(matcher.covers(Kind::Deb, "Debian:12"));
    assert!(matcher.covers(Kind::Npm, ""));
    assert!(!matcher.covers(Kind::Deb, "Debian:13"));
    assert!(!matcher.covers(Kind::Rpm, "Debian:12"));
    assert!(!matcher.covers(Kind::Deb, ""));
    assert!(!matcher.covers(Kind::Pypi, "Debian:12"));
}
