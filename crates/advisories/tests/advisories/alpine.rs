//! Alpine's secdb.

use guardhouse_packages::Kind;
use serde_json::json;

use crate::support::{Place, built, package};

#[test]
fn a_fix_is_for_what_is_built_from_the_package() {
    let database = json!({
        "apkurl": "{{urlprefix}}/{{distroversion}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk",
        "archs": ["x86_64"],
        "reponame": "main",
        "urlprefix": "https://dl-cdn.alpinelinux.org/alpine",
        "distroversion": "v3.20",
        "packages": [
            {"pkg": {"name": "openssl", "secfixes": {
                "3.3.1-r1": ["CVE-2024-5535"],
                "3.3.2-r0": ["CVE-2024-6119 XSA-1", "CVE-2024-5535"],
                "0": ["CVE-2022-1292"],
            }}},
            {"pkg": {"name": "busybox", "secfixes": {"1.36.1-r29": ["CVE-2024-5535"]}}},
            {"pkg": {"name": "empty", "secfixes": null}},
            {"pkg": {"secfixes": {}}},
        ],
    });
    let place = Place::new();
    let summary = place.import("alpine", database.to_string().as_bytes());
    assert_eq!((summary.source.advisories, summary.source.packages, summary.source.skipped), (2, 2, 1));
    assert_eq!(summary.source.ecosystems, ["Alpine:v3.20"]);
    assert_eq!(summary.source.format, "alpine-secdb");
    assert_eq!(summary.left_out.get("not affected, by the secdb"), Some(&1));

    let libssl = |version| built(Kind::Apk, "libssl3", version, "openssl");
    // What was fixed a second time was not fixed before.
    assert_eq!(
        place.found(&libssl("3.3.1-r1"), "Alpine:v3.20"),
        ["CVE-2024-5535 3.3.2-r0", "CVE-2024-6119 3.3.2-r0"]
    );
    assert!(place.found(&libssl("3.3.2-r0"), "Alpine:v3.20").is_empty());
    assert!(place.found(&libssl("3.3.1-r1"), "Alpine:v3.19").is_empty());
    assert_eq!(
        place.found(&package(Kind::Apk, "busybox", "1.36.1-r28"), "Alpine:v3.20"),
        ["CVE-2024-5535 1.36.1-r29"]
    );
    let finding = place.findings(&libssl("3.3.1-r1"), "Alpine:v3.20").pop().expect("two");
    assert_eq!(
        (finding.affected_name.as_str(), finding.aliases.as_slice()),
        ("openssl", &["XSA-1".to_owned()][..])
    );
}

#[test]
fn wolfi_names_what_is_built() {
    let database = json!({
        "apkurl": "{{urlprefix}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk",
        "archs": ["x86_64"],
        "reponame": "os",
        "urlprefix": "https://packages.wolfi.dev",
        "packages": [{"pkg": {"name": "libcurl", "secfixes": {"8.5.0-r0": ["CVE-2023-46218"]}}}],
    });
    let place = Place::with(&database.to_string());
    let libcurl = built(Kind::Apk, "libcurl", "8.4.0-r0", "curl");
    assert_eq!(place.found(&libcurl, "Wolfi"), ["CVE-2023-46218 8.5.0-r0"]);
}
