//! Two versions of any kind: a line each for the kind, the one and the other.
#![no_main]

use std::cmp::Ordering;

use guardhouse_advisories::version::Version;
use guardhouse_packages::Kind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let (kind, left, right) = (lines.next(), lines.next(), lines.next());
    let Some(kind) = Kind::ALL.into_iter().find(|known| kind == Some(known.as_str())) else { return };
    let version = |text: Option<&str>| Version::parse(kind, text.unwrap_or_default());
    if let (Ok(left), Ok(right)) = (version(left), version(right)) {
        assert_eq!(left.partial_cmp(&left), Some(Ordering::Equal));
        assert_eq!(left.partial_cmp(&right), right.partial_cmp(&left).map(Ordering::reverse));
    }
});
