//! RustSec's advisory database.

use std::fs;

use guardhouse_advisories::SeverityLevel;
use guardhouse_packages::Kind;

use crate::support::{Place, package};

fn document(id: &str, package: &str, more: &str, versions: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2026-01-02\"\n{more}\n\n\
         [versions]\n{versions}\n```\n\n# A title\n\nWords.\n"
    )
}

#[test]
fn a_folder_of_documents_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    let vector = "cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H\"\naliases = [\"CVE-2026-1\"]";
    write(
        "crates/a/RUSTSEC-2026-0001.md",
        &document("RUSTSEC-2026-0001", "a", vector, "patched = [\">= 1.2.3\"]\nunaffected = [\"< 1.0.0\"]"),
    );
    write(
        "crates/a/RUSTSEC-2026-0002.md",
        &document("RUSTSEC-2026-0002", "a", "informational = \"unsound\"", "patched = []"),
    );
    write(
        "crates/b/RUSTSEC-2026-0003.md",
        &document("RUSTSEC-2026-0003", "b", "informational = \"unmaintained\"", "patched = []"),
    );
    write(
        "crates/b/RUSTSEC-2026-0004.md",
        &document("RUSTSEC-2026-0004", "b", "withdrawn = \"2026-02-01\"", "patched = []"),
    );
    write("rust/std/CVE-2026-2.md", &document("CVE-2026-2", "std", "", "patched = [\">= 1.80\"]"));
    write("crates/c/RUSTSEC-2026-0005.md", &document("RUSTSEC-2026-0005", "c", "", "patched = [\"newest\"]"));
    write("crates/c/RUSTSEC-2026-0006.md", "```toml\n[advisory]\nid = \n```\n");
    write("README.md", "# What this is\n");
    write(".git/crates/a/RUSTSEC-2026-0009.md", &document("RUSTSEC-2026-0009", "a", "", "patched = []"));

    let place = Place::new();
    let summary = place.import_path(folder.path());
    assert_eq!((summary.source.advisories, summary.source.skipped), (2, 2));
    assert_eq!(summary.source.format, "rustsec");
    assert_eq!(summary.source.newest.map(|time| time.to_string()).as_deref(), Some("2026-01-02T00:00:00Z"));
    let left_out: Vec<&str> = summary.left_out.keys().copied().collect();
    assert_eq!(
        left_out,
        [
            "about Rust's own tools, not about a crate",
            "no vulnerability: unmaintained, or a notice",
            "withdrawn"
        ]
    );
    for (version, expected) in [
        ("0.9.0", &["RUSTSEC-2026-0002 -"][..]),
        ("1.0.0", &["RUSTSEC-2026-0001 1.2.3", "RUSTSEC-2026-0002 -"]),
        ("1.2.3-rc.1", &["RUSTSEC-2026-0001 1.2.3", "RUSTSEC-2026-0002 -"]),
        ("1.2.3", &["RUSTSEC-2026-0002 -"]),
    ] {
        assert_eq!(place.found(&package(Kind::Cargo, "a", version), ""), expected, "{version}");
    }
    let findings = place.findings(&package(Kind::Cargo, "a", "1.0.0"), "");
    let levels: Vec<SeverityLevel> = findings.iter().map(|finding| finding.severity.level).collect();
    assert_eq!(levels, [SeverityLevel::High, SeverityLevel::Unknown]);
    assert_eq!(findings.first().map(|finding| finding.summary.as_str()), Some("A title"));
}
