//! The JSON of Debian's security tracker, also with facts from this machine's own changelogs.

use std::{cmp::Ordering, fs::File, io::Read as _, path::Path};

use flate2::read::MultiGzDecoder;
use guardhouse_advisories::{SeverityLevel, version::compare};
use guardhouse_packages::Kind;
use serde_json::json;

use crate::support::{Place, built, package};

#[test]
fn each_release_has_its_own_state() {
    let tracker = json!({
        "openssl": {
            "CVE-2024-1": {
                "description": "A long story about a flaw in the way that a thing works. It has more sentences.",
                "debianbug": 7,
                "scope": "remote",
                "releases": {
                    "bookworm": {
                        "status": "resolved", "fixed_version": "3.0.11-1~deb12u2", "urgency": "not yet assigned",
                        "repositories": {"bookworm": "3.0.11-1~deb12u2"},
                    },
                    "bullseye": {
                        "status": "open", "urgency": "low", "nodsa": "Minor issue", "nodsa_reason": "postponed",
                        "repositories": {"bullseye": "1.1.1w-0+deb11u1"},
                    },
                    "trixie": {"status": "resolved", "fixed_version": "0", "urgency": "unimportant"},
                    "sid": {"status": "undetermined", "urgency": "not yet assigned"},
                    "buster": {"status": "open", "urgency": "unimportant"},
                    "stretch": {"status": "open", "urgency": "end-of-life"},
                    "sarge": {"status": "open", "urgency": "low"},
                },
            },
            "CVE-2024-2": {"releases": {"bookworm": {"status": "gone"}}},
            "CVE-2024-3": {"releases": 7},
            "CVE-2024-4": {"releases": {"bookworm": {"status": "resolved"}}},
        },
        "zlib": {"CVE-2024-1": {"releases": {"bookworm": {"status": "open", "urgency": "high"}}}},
    });
    let place = Place::new();
    let summary = place.import("debian", tracker.to_string().as_bytes());
    assert_eq!((summary.source.advisories, summary.source.packages, summary.source.skipped), (1, 5, 4));
    assert_eq!(summary.source.ecosystems, ["Debian:10", "Debian:11", "Debian:12", "Debian:9"]);
    assert_eq!(summary.source.format, "debian-tracker");
    let told: Vec<String> = summary.skipped.iter().map(ToString::to_string).collect();
    for said in [
        "\"sarge\" is no release that is known",
        "debian (openssl, CVE-2024-2, bookworm): \"gone\" is no status",
        "debian (openssl, CVE-2024-3): invalid type",
        "resolved, but without a fixed_version",
    ] {
        assert!(told.iter().any(|told| told.contains(said)), "{said}: {told:?}");
    }

    let libssl = |version| built(Kind::Deb, "libssl3", version, "openssl");
    assert_eq!(place.found(&libssl("3.0.11-1~deb12u1"), "Debian:12"), ["CVE-2024-1 3.0.11-1~deb12u2"]);
    assert!(place.found(&libssl("3.0.11-1~deb12u2"), "Debian:12").is_empty());
    assert_eq!(place.found(&libssl("1.1.1w-0+deb11u1"), "Debian:11"), ["CVE-2024-1 -"]);
    for system in ["Debian:13", "Debian:sid"] {
        assert!(place.found(&libssl("1.0"), system).is_empty(), "{system}");
    }
    assert_eq!(place.found(&package(Kind::Deb, "zlib", "1.2"), "Debian:12"), ["CVE-2024-1 -"]);

    let of = |system| place.findings(&libssl("1.0"), system).pop().expect(system);
    assert_eq!(
        of("Debian:11").summary,
        "A long story about a flaw in the way that a thing works. (no DSA, postponed: Minor issue)"
    );
    assert_eq!(of("Debian:11").severity.level, SeverityLevel::Low);
    assert_eq!(of("Debian:10").severity.level, SeverityLevel::Negligible);
    assert_eq!(of("Debian:9").severity.word, "end-of-life");
    assert_eq!(of("Debian:12").references, ["https://security-tracker.debian.org/tracker/CVE-2024-1"]);
}

#[test]
fn a_tracker_that_breaks_off_keeps_what_was_read() {
    let text = r#"{"a": {"CVE-2024-1": {"releases": {"bookworm": {"status": "open"}}}, "CVE-2024-2": {"rel"#;
    let summary = Place::new().import("debian", text.as_bytes());
    assert_eq!((summary.source.advisories, summary.source.skipped), (1, 1));
}

/// A version of a package, the one before it, and a vulnerability that it fixes.
struct Fact {
    package: String,
    before: String,
    fixed: String,
    cve: String,
}

/// What the changelog of an installed package says.
fn fact(changelog: &Path) -> Option<Fact> {
    let mut text = String::new();
    MultiGzDecoder::new(File::open(changelog).ok()?).take(1 << 22).read_to_string(&mut text).ok()?;
    // `openssl (3.0.11-1~deb12u2) bookworm-security; urgency=medium`
    let heading = |line: &str| {
        let (name, rest) = line.split_once(" (")?;
        let (version, _) = rest.split_once(") ")?;
        let is_heading = name.bytes().all(|byte| byte.is_ascii_graphic()) && line.contains("; urgency=");
        is_heading.then(|| (name.to_owned(), version.to_owned()))
    };
    let mut entry: Option<(String, String)> = None;
    let mut found: Option<Fact> = None;
    for line in text.lines() {
        if let Some((name, version)) = heading(line) {
            match found {
                Some(fact) if fact.package == name => return Some(Fact { before: version, ..fact }),
                _ => entry = Some((name, version)),
            }
        } else if found.is_none()
            && let Some((_, rest)) = line.split_once("CVE-20")
            && let Some((name, version)) = &entry
        {
            let digits: String =
                rest.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '-').collect();
            let cve = format!("CVE-20{}", digits.trim_end_matches('-'));
            let (package, fixed) = (name.clone(), version.clone());
            found = Some(Fact { package, before: String::new(), fixed, cve });
        }
    }
    None
}

#[test]
fn changelogs_of_this_machine_agree() {
    let folders = std::fs::read_dir("/usr/share/doc").into_iter().flatten().flatten();
    let mut facts: Vec<Fact> =
        folders.filter_map(|folder| fact(&folder.path().join("changelog.Debian.gz"))).collect();
    facts.sort_by(|one, other| (&one.package, &one.fixed).cmp(&(&other.package, &other.fixed)));
    // Branches of a package are mixed in some changelogs.
    facts.retain(|fact| compare(Kind::Deb, &fact.before, &fact.fixed).is_ok_and(Ordering::is_lt));
    facts.dedup_by(|one, other| one.package == other.package);
    if facts.is_empty() {
        println!("SKIPPED: no changelog in /usr/share/doc names a CVE");
        return;
    }
    let mut tracker = serde_json::Map::new();
    for Fact { package, fixed, cve, .. } in &facts {
        let release =
            json!({"bookworm": {"status": "resolved", "fixed_version": fixed, "urgency": "medium"}});
        tracker.insert(package.clone(), json!({cve: {"releases": release}}));
    }
    let place = Place::with(&serde_json::Value::Object(tracker).to_string());
    for Fact { package, before, fixed, cve } in &facts {
        let at = |version| place.found(&built(Kind::Deb, "some-binary", version, package), "Debian:12");
        assert_eq!(at(before), [format!("{cve} {fixed}")], "{package} {before}");
        assert!(at(fixed).is_empty(), "{package} {fixed}");
    }
    println!("{} changelogs", facts.len());
}
