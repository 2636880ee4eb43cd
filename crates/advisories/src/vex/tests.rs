use guardhouse_packages::{Kind, SourcePackage};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Severity;

fn libssl() -> Package {
    Package {
        kind: Kind::Deb,
        name: "libssl3".to_owned(),
        version: "3.0.11-1".to_owned(),
        architecture: "amd64".to_owned(),
        source: Some(SourcePackage { name: "openssl".to_owned(), version: "3.0.11-1".to_owned() }),
        ..Package::default()
    }
}

fn finding(advisory: &str, aliases: &[&str]) -> Finding {
    Finding {
        advisory: advisory.to_owned(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        source: String::new(),
        summary: String::new(),
        severity: Severity::default(),
        fixed: None,
        affected_name: "openssl".to_owned(),
        compared_version: String::new(),
        references: vec![],
        suppressed: None,
    }
}

fn read(document: &Value) -> Vex {
    let mut vex = Vex::default();
    vex.read("a.json", document.to_string().as_bytes()).expect("a VEX document");
    vex
}

fn told(vex: &Vex, finding: &Finding, system: &str) -> String {
    vex.suppression(finding, &libssl(), system).map_or_else(
        || "counts".to_owned(),
        |found| format!("{} {}: {}", found.by, found.status, found.reason),
    )
}

fn openvex(statements: &Value) -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/1",
        "author": "ann",
        "timestamp": "2026-01-01T00:00:00Z",
        "version": 1,
        "statements": statements,
    })
}

#[test]
fn openvex_says_what_does_not_count() {
    let statement = |vulnerability: Value, product: Value, status: &str| {
        json!({
            "vulnerability": vulnerability,
            "products": [product],
            "status": status,
            "justification": "vulnerable_code_not_present",
            "impact_statement": "built without it",
        })
    };
    let named = json!({"name": "CVE-2024-1"});
    let package = json!({"@id": "pkg:deb/debian/openssl"});
    let reason = "a.json not_affected: vulnerable_code_not_present: built without it";
    let image = json!({
        "@id": "pkg:oci/web?repository_url=example.com",
        "subcomponents": [{"@id": "pkg:deb/debian/libssl3"}],
    });
    for (statement, expected) in [
        (statement(named.clone(), package.clone(), "not_affected"), reason),
        (statement(json!("CVE-2024-1"), json!("pkg:deb/debian/openssl"), "not_affected"), reason),
        (
            statement(json!({"name": "GHSA-z", "aliases": ["CVE-2024-1"]}), package.clone(), "not_affected"),
            reason,
        ),
        (
            statement(named.clone(), package.clone(), "fixed"),
            "a.json fixed: vulnerable_code_not_present: built without it",
        ),
        (statement(named.clone(), package.clone(), "affected"), "counts"),
        (statement(named.clone(), package.clone(), "under_investigation"), "counts"),
        (statement(json!({"name": "CVE-2024-2"}), package, "not_affected"), "counts"),
        (statement(named.clone(), json!({"@id": "pkg:deb/debian/curl"}), "not_affected"), "counts"),
        (
            statement(
                named.clone(),
                json!({"identifiers": {"purl": "pkg:deb/debian/libssl3"}}),
                "not_affected",
            ),
            reason,
        ),
        (statement(named.clone(), image, "not_affected"), reason),
        (statement(named, json!({"@id": "pkg:deb/debian/openssl@3.0.9-1"}), "not_affected"), "counts"),
    ] {
        let vex = read(&openvex(&json!([statement])));
        assert_eq!(
            told(&vex, &finding("DEBIAN-CVE-2024-1", &["CVE-2024-1"]), "Debian:12"),
            expected,
            "{statement}"
        );
        assert_eq!(vex.notes(), Vec::<String>::new());
    }
}

#[test]
fn what_is_stated_last_counts() {
    let statement = |status: &str, time: &str| {
        json!({
            "vulnerability": {"name": "CVE-2024-1"},
            "products": [{"@id": "pkg:deb/debian/openssl"}],
            "status": status,
            "timestamp": time,
        })
    };
    let (early, late) = ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z");
    for (statements, suppressed) in [
        (json!([statement("not_affected", early), statement("affected", late)]), false),
        (json!([statement("affected", late), statement("not_affected", early)]), false),
        (json!([statement("affected", early), statement("fixed", late)]), true),
        (json!([statement("affected", early), statement("fixed", early)]), true),
    ] {
        let found =
            read(&openvex(&statements)).suppression(&finding("CVE-2024-1", &[]), &libssl(), "Debian:12");
        assert_eq!(found.is_some(), suppressed, "{statements}");
    }
}

#[test]
fn an_update_for_several_does_not_count_when_none_of_them_does() {
    let statement = |id: &str, status: &str| json!({"vulnerability": {"name": id}, "products": ["pkg:deb/debian/openssl"], "status": status});
    let update = finding("DSA-1-1", &["CVE-2024-1", "CVE-2024-2"]);
    for (statements, suppressed) in [
        (json!([statement("CVE-2024-1", "fixed")]), false),
        (json!([statement("CVE-2024-1", "fixed"), statement("CVE-2024-2", "affected")]), false),
        (json!([statement("CVE-2024-1", "fixed"), statement("CVE-2024-2", "not_affected")]), true),
        (json!([statement("DSA-1-1", "fixed")]), true),
    ] {
        let found = read(&openvex(&statements)).suppression(&update, &libssl(), "Debian:12");
        assert_eq!(found.is_some(), suppressed, "{statements}");
    }
}

#[test]
fn csaf_is_limited_to_the_release_that_it_names() {
    let document = json!({
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "tracking": {"current_release_date": "2026-01-01T00:00:00+00:00"},
        },
        "product_tree": {
            "branches": [{"category": "vendor", "branches": [
                {"category": "product_name", "product": {
                    "product_id": "debian12",
                    "product_identification_helper": {"cpe": "cpe:/o:debian:debian_linux:12"},
                }},
                {"category": "product_name", "product": {"product_id": "something"}},
                {"category": "product_version", "product": {
                    "product_id": "openssl",
                    "product_identification_helper": {"purl": "pkg:deb/debian/openssl?arch=source"},
                }},
                {"category": "product_version_range", "name": "vers:deb/>=4", "product": {
                    "product_id": "newer",
                    "product_identification_helper": {"purl": "pkg:deb/debian/openssl?arch=source"},
                }},
            ]}],
            "relationships": [
                {
                    "category": "default_component_of",
                    "full_product_name": {"product_id": "debian12:openssl"},
                    "product_reference": "openssl",
                    "relates_to_product_reference": "debian12",
                },
                {
                    "category": "default_component_of",
                    "full_product_name": {"product_id": "something:openssl"},
                    "product_reference": "openssl",
                    "relates_to_product_reference": "something",
                },
            ],
        },
        "vulnerabilities": [
            {
                "cve": "CVE-2024-1",
                "product_status": {"known_not_affected": ["debian12:openssl"], "fixed": ["something:openssl"]},
                "flags": [{"label": "component_not_present", "product_ids": ["debian12:openssl"]}],
                "threats": [{"category": "impact", "details": "not built", "product_ids": ["debian12:openssl"]}],
            },
            {"cve": "CVE-2024-2", "product_status": {"fixed": ["something:openssl"]}},
            {"cve": "CVE-2024-3", "product_status": {"fixed": ["openssl"]}},
            {"cve": "CVE-2024-4", "product_status": {"fixed": ["newer"]}},
        ],
    });
    let vex = read(&document);
    let of = |id: &str, system: &str| told(&vex, &finding(id, &[]), system);
    assert_eq!(of("CVE-2024-1", "Debian:12"), "a.json not_affected: component_not_present: not built");
    assert_eq!(of("CVE-2024-1", "Debian:11"), "counts");
    assert_eq!(of("CVE-2024-2", "Debian:12"), "counts");
    assert_eq!(of("CVE-2024-3", "Debian:11"), "a.json fixed: ");
    assert_eq!(of("CVE-2024-4", "Debian:12"), "counts");
    assert_eq!(vex.notes().len(), 3, "{:?}", vex.notes());
}

#[test]
fn cyclonedx_refers_to_components() {
    let document = |reference: &str, state: &str| {
        json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "components": [{
                "bom-ref": "outer",
                "components": [{"bom-ref": "ssl-1", "purl": "pkg:deb/debian/libssl3@3.0.11-1"}],
            }],
            "vulnerabilities": [{
                "id": "CVE-2024-1",
                "analysis": {"state": state, "justification": "code_not_reachable", "detail": "see ticket 7"},
                "affects": [{"ref": reference}],
            }],
        })
    };
    let reason = "a.json not_affected: code_not_reachable: see ticket 7";
    for (reference, state, expected) in [
        ("ssl-1", "not_affected", reason),
        ("ssl-1", "false_positive", reason),
        ("pkg:deb/debian/openssl", "not_affected", reason),
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#ssl-1", "not_affected", reason),
        (
            "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Adeb%2Fdebian%2Flibssl3",
            "not_affected",
            reason,
        ),
        ("ssl-1", "resolved", "a.json fixed: code_not_reachable: see ticket 7"),
        ("ssl-1", "exploitable", "counts"),
        ("ssl-1", "in_triage", "counts"),
        ("elsewhere", "not_affected", "counts"),
    ] {
        let vex = read(&document(reference, state));
        assert_eq!(told(&vex, &finding("CVE-2024-1", &[]), "Debian:12"), expected, "{reference} {state}");
        assert_eq!(vex.notes().len(), usize::from(reference == "elsewhere"));
    }
}

#[test]
fn what_is_no_vex_is_refused_with_a_reason() {
    let deep = "[".repeat(100_000);
    for (text, said) in [
        ("", "not valid JSON"),
        (deep.as_str(), "not valid JSON"),
        ("{}", "OpenVEX has"),
        (r#"{"statements": 7}"#, "is not a list"),
        (r#"{"statements": [{"status": "perhaps"}]}"#, "statements[0]: \"perhaps\" is no status"),
        (r#"{"statements": [{"status": "fixed"}]}"#, "\"vulnerability\" names none"),
        (r#"{"bomFormat": "CycloneDX"}"#, "\"vulnerabilities\" is missing"),
        (r#"{"document": {"csaf_version": "2.0"}}"#, "\"vulnerabilities\" is missing"),
    ] {
        let error = Vex::default().read("a.json", text.as_bytes()).expect_err("refused");
        let error = error.to_string();
        assert!(error.contains(said), "{error}");
    }
}

proptest! {
    #[test]
    fn hostile_files_end(file in crate::hostile::file("vex")) {
        fuzzing(&file);
    }
}
