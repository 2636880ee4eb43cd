//! Two versions of any kind: the kind is the first byte, the versions are lines.
#![no_main]

use std::cmp::Ordering;

use guardhouse_advisories::version::Version;
use guardhouse_packages::Kind;
use libfuzzer_sys::fuzz_target;

const KINDS: [Kind; 11] = [
    Kind::Deb,
    Kind::Rpm,
    Kind::Apk,
    Kind::Cargo,
    Kind::Npm,
    Kind::Pypi,
    Kind::Golang,
    Kind::Maven,
    Kind::Gem,
    Kind::Composer,
    Kind::Nuget,
];

fuzz_target!(|input: (u8, &str)| {
    let (kind, text) = input;
    let Some(kind) = KINDS.get(usize::from(kind)) else { return };
    let (left, right) = text.split_once('\n').unwrap_or((text, text));
    if let (Ok(left), Ok(right)) = (Version::parse(*kind, left), Version::parse(*kind, right)) {
        assert_eq!(left.partial_cmp(&left), Some(Ordering::Equal));
        assert_eq!(left.partial_cmp(&right), right.partial_cmp(&left).map(Ordering::reverse));
    }
});
