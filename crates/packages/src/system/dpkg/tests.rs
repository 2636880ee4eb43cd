use std::process::Command;

use super::*;
use crate::testing::{File, names, read};

const STANZA: &str = "Package: libssl3\nStatus: install ok installed\nPriority: optional\n\
    Maintainer: Debian OpenSSL Team <x@example.org>\nArchitecture: amd64\nMulti-Arch: same\n\
    Source: openssl (3.0.11-1~deb12u2)\nVersion: 3.0.11-1~deb12u2+b1\nDepends: libc6 (>= 2.34)\n\
    Conffiles:\n /etc/x 0123\n Version: 9\nDescription: Secure Sockets Layer\n Package: none\n\n";

#[test]
fn everything_that_a_stanza_tells() {
    let bytes = STANZA.as_bytes();
    let outcome = read(&STATUS, "/var/lib/dpkg/status", File { bytes, ..File::default() });
    assert_eq!(outcome.error, "");
    let source = SourcePackage { name: "openssl".into(), version: "3.0.11-1~deb12u2".into() };
    let expected = Package {
        name: "libssl3".into(),
        version: "3.0.11-1~deb12u2+b1".into(),
        architecture: "amd64".into(),
        source: Some(source),
        vendor: "Debian OpenSSL Team <x@example.org>".into(),
        ..Package::default()
    };
    assert_eq!(outcome.packages, [expected]);
}

#[test]
fn only_what_has_files_on_the_disk() {
    let states = [
        ("install ok installed", true),
        ("hold ok installed", true),
        ("install ok half-configured", true),
        ("install ok half-installed", true),
        ("install ok unpacked", true),
        ("install ok triggers-awaited", true),
        ("install reinstreq triggers-pending", true),
        ("deinstall ok config-files", false),
        ("unknown ok not-installed", false),
    ];
    for (state, there) in states {
        let (found, error) =
            names(&STATUS, format!("Package: a\nStatus: {state}\nVersion: 1\n\n").as_bytes());
        assert_eq!((found.len(), error.as_str()), (usize::from(there), ""), "{state}");
    }
    // A package that was removed may have no version.
    assert_eq!(
        names(&STATUS, b"Package: a\nStatus: deinstall ok not-installed\n\n"),
        (vec![], String::new())
    );
}

#[test]
fn a_source_has_the_version_of_the_package_unless_it_tells_another() {
    let table = [
        ("", "a", "1-2"),
        ("Source: b\n", "b", "1-2"),
        ("Source: b (0.9)\n", "b", "0.9"),
        ("source:b(0.9)\n", "b", "0.9"),
        ("Source: b (0.9\n", "b", "0.9"),
    ];
    for (field, name, version) in table {
        let bytes = format!("Package: a\nVersion: 1-2\nStatus: install ok installed\n{field}\n");
        let outcome = read(&STATUS, "/x", File { bytes: bytes.as_bytes(), ..File::default() });
        let source = outcome.packages.first().and_then(|package| package.source.clone()).expect("a package");
        assert_eq!((source.name.as_str(), source.version.as_str()), (name, version), "{field:?}");
    }
}

#[test]
fn a_signed_kernel_is_of_the_source_that_was_compiled() {
    let table = [
        ("linux-signed-amd64 (6.1.170+3)", "linux", "6.1.170-3"),
        ("linux-signed-6.1-arm64 (6.1.170+3)", "linux-6.1", "6.1.170-3"),
        ("linux-signed", "linux", "6.1.170-3"),
        ("linux-signed-hwe-6.8", "linux-hwe-6.8", "6.1.170-3"),
        ("linux-signedness (1)", "linux-signedness", "1"),
        ("linux-meta (1)", "linux-meta", "1"),
    ];
    for (field, name, version) in table {
        let bytes = format!(
            "Package: linux-image-6.1.0-47-amd64\nVersion: 6.1.170-3\nStatus: install ok installed\nSource: {field}\n\n"
        );
        let outcome = read(&STATUS, "/x", File { bytes: bytes.as_bytes(), ..File::default() });
        let source = outcome.packages.first().and_then(|package| package.source.clone()).expect("a package");
        assert_eq!((source.name.as_str(), source.version.as_str()), (name, version), "{field:?}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_the_rest_is_kept() {
    let good = "Package: a\nStatus: install ok installed\nVersion: 1\n\n";
    let table = [
        (
            format!("{good}Package: b\nStatus: install ok installed\n\n{good}"),
            2,
            "stanza from line 5: no Version",
        ),
        (format!("{good}Package: b\nVersion: 1\n\n"), 1, "stanza from line 5: no Status"),
        (
            format!("{good}Package: b\nVersion: 1\nStatus: installed\n"),
            1,
            "stanza from line 5: a status is three words",
        ),
        (
            format!("{good}Package: b\nStatus: install ok installed\nVersi"),
            1,
            "line 7: the file ends in the middle",
        ),
        // What the lines before tell is whole.
        (
            format!("{good}Package: b\nVersion: 1\nStatus: install ok installed\nDescr"),
            2,
            "line 8: the file ends in the",
        ),
    ];
    for (bytes, found, message) in table {
        let (packages, error) = names(&STATUS, bytes.as_bytes());
        assert_eq!(packages.len(), found, "{bytes}");
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_folder_of_single_packages() {
    let stanza =
        "Package: base-files\nVersion: 12.4+deb12u7\nArchitecture: amd64\nDescription: no end of line";
    assert_eq!(
        names(&STATUS_FOLDER, stanza.as_bytes()),
        (vec!["base-files 12.4+deb12u7".to_owned()], String::new())
    );
    let sums = "8d0bb0a8a8ba7e7ea8ac5c2d5dbb3e2e  usr/share/doc/a\n";
    assert_eq!(names(&STATUS_FOLDER, sums.as_bytes()), (vec![], String::new()));
}

#[test]
fn claims_databases_wherever_they_are() {
    let claimed = |format: &Format, path: &str| {
        (format.claims)(&Claim { path: path.as_bytes(), size: 1, executable: false })
    };
    assert!(claimed(&STATUS, "/var/lib/dpkg/status"));
    assert!(claimed(&STATUS, "/srv/chroot/var/lib/dpkg/status"));
    assert!(!claimed(&STATUS, "/var/lib/dpkg/status-old"));
    assert!(!claimed(&STATUS, "/srv/my-var/lib/dpkg/statuses"));
    assert!(claimed(&STATUS_FOLDER, "/var/lib/dpkg/status.d/libc6"));
    assert!(claimed(&STATUS_FOLDER, "/var/lib/dpkg/status.d/bGliYzY="));
    assert!(!claimed(&STATUS_FOLDER, "/var/lib/dpkg/status.d/libc6.md5sums"));
}

#[test]
fn lines_longer_than_the_buffer_do_not_end_it() {
    let long = "x".repeat(700_000);
    let bytes = format!(
        "Package: a\nDescription: {long}\nStatus: install ok installed\nVersion: 1\n\nPackage: {long}"
    );
    assert_eq!(names(&STATUS, bytes.as_bytes()).0, ["a 1"]);
    let bytes = format!("Package: a\nVersion: {long}\nStatus: install ok installed\n\n");
    assert_eq!(names(&STATUS, bytes.as_bytes()).0, [format!("a {}", "x".repeat(4096))]);
}

/// On a Debian, with what is installed there.
#[test]
fn as_dpkg_query_lists_this_machine() {
    let columns = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n";
    let output = Command::new("dpkg-query").args(["-W", "-f", columns]).output();
    let Some((output, bytes)) = output.ok().zip(std::fs::read("/var/lib/dpkg/status").ok()) else {
        println!("SKIPPED: this is no Debian");
        return;
    };
    let output = String::from_utf8(output.stdout).expect("text");
    let gone = |line: &str| line.starts_with("config-files\t") || line.starts_with("not-installed\t");
    // Signed kernels are told as of another source than dpkg tells.
    let is_kernel = |line: &str| line.starts_with("linux-");
    let mut expected: Vec<&str> = output
        .lines()
        .filter(|line| !gone(line))
        .filter_map(|line| line.split_once('\t'))
        .map(|pair| pair.1)
        .filter(|line| !is_kernel(line))
        .collect();
    expected.sort_unstable();
    let outcome = read(&STATUS, "/var/lib/dpkg/status", File { bytes: &bytes, ..File::default() });
    let mut found: Vec<String> = outcome
        .packages
        .into_iter()
        .map(|package| {
            let source = package.source.expect("a source");
            [package.name, package.version, package.architecture, source.name, source.version].join("\t")
        })
        .filter(|line| !is_kernel(line))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(outcome.error, "");
}
