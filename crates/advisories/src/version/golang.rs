//! Go's order: that of modules, which is Semantic Versioning with an optional `v`, and that of the toolchain and its
//! standard library (`go1.21rc2`), which advisories write as if it were a module (`1.21.0-rc.2`).

use semver::{BuildMetadata, Prerelease, Version};

use super::number;

/// The first version of Go whose first release ends in `.0`; `go1.21` is since then older than its own candidates.
const FIRST_WITH_ZERO: u64 = 21;

/// Reads the version of a module (`v1.2.3`, `1.2.3+incompatible`, `0.0.0-20240101000000-0123456789ab`) or of Go
/// (`go1.20.3`, `1.21rc2`).
pub(super) fn parse(text: &str) -> Option<Version> {
    match text.strip_prefix("go") {
        // What follows a hyphen, a plus or a space is its builder's: `go1.22.1-fips`, `go1.22.1 X:boringcrypto`.
        Some(toolchain) => self::toolchain(toolchain.split(['-', '+', ' ']).next()?, true),
        None => module(text.strip_prefix('v').unwrap_or(text)).or_else(|| toolchain(text, false)),
    }
}

/// A module's version. Missing numbers are zeros, but before a hyphen or a plus there are all three.
fn module(text: &str) -> Option<Version> {
    if text.contains(['-', '+']) {
        return Version::parse(text).ok();
    }
    let missing = match text.matches('.').count() {
        0 => ".0.0",
        1 => ".0",
        _ => "",
    };
    Version::parse(&format!("{text}{missing}")).ok()
}

/// Go's own: two or three numbers, or two and a kind of candidate with its number.
fn toolchain(text: &str, named: bool) -> Option<Version> {
    let (numbers, candidate) =
        text.split_at(text.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(text.len()));
    let mut numbers = numbers.split('.').map(number_without_zeros);
    let major = numbers.next()??;
    let (minor, patch) = (numbers.next(), numbers.next());
    if numbers.next().is_some() {
        return None;
    }
    let (minor, patch) = (minor.unwrap_or(Some(0))?, patch.map_or(Some(None), |patch| patch.map(Some))?);
    let pre = if candidate.is_empty() {
        // The language version, older than its candidates: the `-0` that advisories write for it.
        let is_language = named && patch.is_none() && (major, minor) >= (1, FIRST_WITH_ZERO);
        if is_language { Prerelease::new("0").ok()? } else { Prerelease::EMPTY }
    } else {
        let digits = ["alpha", "beta", "rc"].iter().find_map(|kind| candidate.strip_prefix(kind))?;
        let kind = candidate.strip_suffix(digits)?;
        Prerelease::new(&format!("{kind}.{}", number_without_zeros(digits)?)).ok()?
    };
    Some(Version { major, minor, patch: patch.unwrap_or(0), pre, build: BuildMetadata::EMPTY })
}

fn number_without_zeros(digits: &str) -> Option<u64> {
    let is_padded = digits.len() > 1 && digits.starts_with('0');
    if number::is(digits) && !is_padded { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Golang;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_modules() {
        assert_ascending(
            Golang,
            &[
                "v0.0.0-20190101000000-abcdefabcdef",
                "0.0.0-20240101000000-000000000000",
                "0.0.1",
                "1.2.3-0.20240101000000-0123456789ab",
                "v1.2.3-pre",
                "v1.2.3-pre.0.20240101000000-0123456789ab",
                "1.2.3",
                "1.10.0",
                "v2.0.0+incompatible",
            ],
        );
        assert_equal(Golang, &["1.2.0", "v1.2.0", "v1.2", "1.2.0+incompatible"]);
    }

    #[test]
    fn orders_toolchains() {
        assert_ascending(
            Golang,
            &[
                "go1.20beta1",
                "1.20rc1",
                "1.20rc2",
                "go1.20",
                "go1.20.3",
                "go1.20.10",
                "go1.21",
                "1.21rc2",
                "1.21rc10",
                "go1.21.0",
                "go1.22.1-fips",
            ],
        );
        assert_equal(Golang, &["go1.21rc2", "1.21.0-rc.2"]);
        assert_equal(Golang, &["go1.21", "1.21.0-0"]);
        assert_equal(Golang, &["go1.22.1", "1.22.1", "go1.22.1 X:boringcrypto", "go1.22.1+auto"]);
    }

    #[test]
    fn refuses_the_rest() {
        assert_refused(
            Golang,
            &[
                "",
                "(devel)",
                "go",
                "v",
                "go1.x",
                "1.2.3.4",
                "1.21foo1",
                "1.21rc1x",
                "devel go1.22-abc",
                "v1.2-pre",
                "01.2.3",
            ],
        );
    }
}
