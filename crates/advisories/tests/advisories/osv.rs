//! The OSV format, with the examples of its specification.

use guardhouse_advisories::SeverityLevel;
use guardhouse_packages::Kind;
use serde_json::{Value, json};

use crate::support::{Place, package};

/// An advisory about one package.
pub fn advisory(id: &str, ecosystem: &str, name: &str, ranges: Value) -> Value {
    json!({
        "schema_version": "1.6.0",
        "id": id,
        "modified": "2026-01-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges}],
    })
}

fn affected(place: &Place, kind: Kind, name: &str, versions: &[&str]) -> Vec<bool> {
    versions.iter().map(|version| !place.found(&package(kind, name, version), "").is_empty()).collect()
}

#[test]
fn the_examples_of_the_specification_hold() {
    let git = json!({"type": "GIT", "repo": "https://example.com/a", "events": [{"introduced": "0"}]});
    let text = json!([
        advisory("A-1", "PyPI", "one", json!([{"type": "ECOSYSTEM", "events": [
            {"introduced": "1.0.0"}, {"fixed": "1.0.2"}, {"introduced": "3.0.0"}, {"fixed": "3.2.5"},
        ]}])),
        advisory("A-2", "npm", "two", json!([{"type": "SEMVER", "events": [
            {"introduced": "0"}, {"last_affected": "2.1.214"},
        ]}])),
        advisory("A-3", "Go", "three", json!([git, {"type": "SEMVER", "events": [
            {"introduced": "0"}, {"limit": "1.5.0"},
        ]}])),
        advisory("A-4", "crates.io", "four", json!([
            {"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"fixed": "1.1.0"}]},
            {"type": "SEMVER", "events": [{"introduced": "2.0.0"}, {"fixed": "2.1.0"}]},
        ])),
        {
            "id": "A-5",
            "modified": "2026-01-01T00:00:00Z",
            "affected": [{"package": {"ecosystem": "PyPI", "name": "Five_Of"}, "versions": ["0.5", "0.7"]}],
        },
        advisory("A-6", "Go", "only.commits/six", json!([git])),
    ]);
    let place = Place::with(&text.to_string());
    let one = affected(
        &place,
        Kind::Pypi,
        "one",
        &["0.9", "1.0.0", "1.0.1", "1.0.2", "2.9", "3.0", "3.2.4", "3.2.5"],
    );
    assert_eq!(one, [false, true, true, false, false, true, true, false]);
    assert_eq!(affected(&place, Kind::Npm, "two", &["0.0.1", "2.1.214", "2.1.215"]), [true, true, false]);
    assert_eq!(affected(&place, Kind::Golang, "three", &["1.4.9", "1.5.0"]), [true, false]);
    assert_eq!(affected(&place, Kind::Cargo, "four", &["1.0.5", "1.2.0", "2.0.0"]), [true, false, true]);
    assert_eq!(place.found(&package(Kind::Cargo, "four", "1.0.5"), ""), ["A-4 1.1.0"]);
    assert_eq!(affected(&place, Kind::Pypi, "five-of", &["0.5", "0.5.0", "0.6"]), [true, true, false]);
    assert_eq!(affected(&place, Kind::Golang, "only.commits/six", &["1.0.0"]), [false]);
    // Names are told apart as their registry does, and so are ecosystems.
    assert_eq!(affected(&place, Kind::Npm, "TWO", &["1.0.0"]), [false]);
    assert_eq!(affected(&place, Kind::Pypi, "two", &["1.0.0"]), [false]);
}

#[test]
fn what_an_advisory_says_comes_with_the_finding() {
    let text = json!({
        "id": "GHSA-a",
        "modified": "2026-02-03T04:05:06Z",
        "aliases": ["CVE-2026-1", "GHSA-a"],
        "related": ["CVE-2026-9"],
        "summary": "A flaw\nin a parser",
        "severity": [
            {"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P"},
            {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
        ],
        "affected": [{
            "package": {"ecosystem": "npm", "name": "a"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}],
        }],
        "references": [
            {"type": "WEB", "url": "https://example.com/web"},
            {"type": "ADVISORY", "url": "https://example.com/advisory"},
        ],
        "database_specific": {"severity": "LOW"},
    });
    let place = Place::new();
    let summary = place.import("github", text.to_string().as_bytes());
    assert_eq!(summary.source.newest.map(|time| time.to_string()).as_deref(), Some("2026-02-03T04:05:06Z"));
    let finding = place.findings(&package(Kind::Npm, "a", "1.0.0"), "").pop().expect("a finding");
    assert_eq!(finding.advisory, "GHSA-a");
    assert_eq!(finding.aliases, ["CVE-2026-1"]);
    assert_eq!(finding.source, "github");
    assert_eq!(finding.summary, "A flaw in a parser");
    assert_eq!((finding.severity.level, finding.severity.score), (SeverityLevel::Critical, Some(9.8)));
    assert_eq!(finding.fixed.as_deref(), Some("2.0.0"));
    assert_eq!(finding.references, ["https://example.com/advisory", "https://example.com/web"]);
    assert_eq!((finding.affected_name.as_str(), finding.compared_version.as_str()), ("", "1.0.0"));
}

#[test]
fn words_and_severities_of_packages_count_where_there_is_no_vector() {
    let mut debian = advisory(
        "DEBIAN-CVE-2026-1",
        "Debian:12",
        "a",
        json!([{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]),
    );
    debian["affected"][0]["ecosystem_specific"] = json!({"urgency": "unimportant"});
    let mut github =
        advisory("GHSA-b", "npm", "b", json!([{"type": "SEMVER", "events": [{"introduced": "0"}]}]));
    github["database_specific"] = json!({"severity": "MODERATE"});
    let mut ubuntu = advisory(
        "UBUNTU-CVE-2026-2",
        "Ubuntu:22.04:LTS",
        "c",
        json!([{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]),
    );
    ubuntu["severity"] = json!([{"type": "Ubuntu", "score": "high"}]);
    let place = Place::with(&json!([debian, github, ubuntu]).to_string());
    for (kind, name, system, level) in [
        (Kind::Deb, "a", "Debian:12", SeverityLevel::Negligible),
        (Kind::Npm, "b", "", SeverityLevel::Medium),
        (Kind::Deb, "c", "Ubuntu:22.04", SeverityLevel::High),
    ] {
        let found = place.findings(&package(kind, name, "1.0.0"), system);
        assert_eq!(found.first().expect(name).severity.level, level, "{name}");
    }
    // There is nothing to score in a package that is an attack.
    let mut malware = advisory("MAL-2026-1", "npm", "d", json!([]));
    malware["affected"][0]["versions"] = json!(["1.0.0"]);
    place.import("malware", malware.to_string().as_bytes());
    let found = place.findings(&package(Kind::Npm, "d", "1.0.0"), "");
    assert_eq!(found.first().expect("malware").severity.level, SeverityLevel::Critical);
    // Named by what its distribution calls it, it is found by its CVE.
    assert_eq!(
        place.findings(&package(Kind::Deb, "a", "1"), "Debian:12").first().expect("one").aliases,
        ["CVE-2026-1"]
    );
}

#[test]
fn what_does_not_count_is_left_out_and_counted() {
    let all = json!([{"type": "SEMVER", "events": [{"introduced": "0"}]}]);
    let mut withdrawn = advisory("W-1", "npm", "a", all.clone());
    withdrawn["withdrawn"] = json!("2026-01-01T00:00:00Z");
    let mut unmaintained = advisory("RUSTSEC-2026-0001", "crates.io", "a", all.clone());
    unmaintained["affected"][0]["database_specific"] = json!({"informational": "unmaintained"});
    let mut unsound = advisory("RUSTSEC-2026-0002", "crates.io", "a", all.clone());
    unsound["affected"][0]["database_specific"] = json!({"informational": "unsound"});
    let lines = [
        withdrawn.to_string(),
        unmaintained.to_string(),
        unsound.to_string(),
        advisory("O-1", "OSS-Fuzz", "a", all.clone()).to_string(),
        advisory("P-1", "Ubuntu:Pro:18.04:LTS", "a", all.clone()).to_string(),
        r#"{"id": 7, "modified": "x"}"#.to_owned(),
        r#"{"id": "B-1", "affected": [{"package": "a"}]}"#.to_owned(),
        advisory("RUSTSEC-2026-0002", "crates.io", "b", all).to_string(),
    ];
    let place = Place::new();
    let summary = place.import("lines", lines.join("\n").as_bytes());
    assert_eq!(summary.source.advisories, 2);
    assert_eq!(summary.source.skipped, 2);
    let skipped: Vec<String> = summary.skipped.iter().map(ToString::to_string).collect();
    assert!(skipped.first().is_some_and(|told| told.contains("invalid type: integer `7`")), "{skipped:?}");
    assert!(skipped.get(1).is_some_and(|told| told.contains("lines (B-1)")), "{skipped:?}");
    let left_out: Vec<(&str, u64)> = summary.left_out.into_iter().collect();
    assert_eq!(
        left_out,
        [
            ("a second advisory with the same id", 1),
            ("no vulnerability: unmaintained, or a notice", 1),
            ("of an ecosystem that is not compared", 1),
            ("withdrawn", 1),
        ]
    );
    assert_eq!(place.found(&package(Kind::Cargo, "a", "1.0.0"), ""), ["RUSTSEC-2026-0002 -"]);
    // What Ubuntu only fixes for those who pay is not said of the others.
    assert!(place.found(&package(Kind::Deb, "a", "1"), "Ubuntu:18.04").is_empty());
}
