use super::*;
use crate::testing::{File, names, read};

#[test]
fn everything_that_a_package_tells() {
    let bytes = b"C:Q1a=\nP:libcrypto3\nV:3.3.1-r3\nA:x86_64\nS:1\nI:2\nT:Crypto\nU:https://openssl.org\nL:Apache-2.0\n\
        o:openssl\nm:Someone <someone@example.org>\nt:1718035891\nc:fac3\nD:so:libc.musl-x86_64.so.1\n\
        F:lib\nM:0:0:755\nR:libcrypto.so.3\na:0:0:755\nZ:Q1b=\n\nP:musl\nV:1.2.5-r0\nF:lib\nR:A:v\n\n";
    let outcome = read(&INSTALLED, "/lib/apk/db/installed", File { bytes, ..File::default() });
    assert_eq!(outcome.error, "");
    let source =
        |name: &str, version: &str| Some(SourcePackage { name: name.into(), version: version.into() });
    let first = Package {
        kind: Kind::Apk,
        name: "libcrypto3".into(),
        version: "3.3.1-r3".into(),
        architecture: "x86_64".into(),
        source: source("openssl", "3.3.1-r3"),
        licences: vec!["Apache-2.0".into()],
        vendor: "Someone <someone@example.org>".into(),
        ..Package::default()
    };
    let second = Package {
        kind: Kind::Apk,
        name: "musl".into(),
        version: "1.2.5-r0".into(),
        source: source("musl", "1.2.5-r0"),
        ..Package::default()
    };
    assert_eq!(outcome.packages, [first, second]);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_the_rest_is_kept() {
    let (found, error) = names(&INSTALLED, b"P:a\nV:1\n\nP:b\n\nP:c\nV:2\n\n");
    assert_eq!(
        (found, error.as_str()),
        (vec!["a 1".into(), "c 2".into()], "stanza from line 4: no V: (version)")
    );
    let (found, error) = names(&INSTALLED, b"P:a\nV:1\n\nP:b\nV:2.0");
    assert_eq!(
        (found, error.as_str()),
        (vec!["a 1".into()], "line 5: the file ends in the middle of a line")
    );
}
