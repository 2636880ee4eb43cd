//! npm's order: Semantic Versioning, read as loosely as `node-semver` does in its loose mode; and with missing numbers
//! taken as zeros, as advisories have them (`0`, `1.2`). The oracle is the `semver` that npm brings along.

use semver::{BuildMetadata, Prerelease, Version};

use super::number;

/// The largest number of JavaScript that is exact.
const LARGEST: u64 = (1 << 53) - 1;

/// Reads a version: `v1.2.3`, `=1.2.3`, `1.2.3beta`, `1.02.3-04`, `1.2`.
pub(super) fn parse(text: &str) -> Option<Version> {
    let text = text.trim();
    let text = text
        .trim_start_matches(|character: char| matches!(character, 'v' | '=') || character.is_whitespace());
    let text = match text.split_once('+') {
        Some((text, build)) => build.split('.').all(is_identifier).then_some(text)?,
        None => text,
    };
    let (numbers, rest) = numbers(text)?;
    let [major, minor, patch] = numbers;
    // A hyphen on its own is an identifier.
    let pre = match rest.strip_prefix('-').filter(|rest| !rest.is_empty()).and_then(prerelease) {
        Some(pre) => pre,
        None => prerelease(rest)?,
    };
    Some(Version { major, minor, patch, pre, build: BuildMetadata::EMPTY })
}

/// One to three numbers, and what comes after them. Only after all three may follow something without a hyphen.
fn numbers(text: &str) -> Option<([u64; 3], &str)> {
    let mut numbers = [0; 3];
    let mut rest = text;
    for (index, place) in numbers.iter_mut().enumerate() {
        if index > 0 {
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() || rest.starts_with('-') => break,
                None => return None,
            }
        }
        let (digits, after) = number::split(rest);
        *place = digits.parse().ok().filter(|number| *number <= LARGEST)?;
        rest = after;
    }
    Some((numbers, rest))
}

/// Identifiers between points; those that are numbers may begin with zeros.
fn prerelease(text: &str) -> Option<Prerelease> {
    if text.is_empty() {
        return Some(Prerelease::EMPTY);
    }
    let strict: Vec<&str> = text
        .split('.')
        .map(|identifier| match number::strip(identifier) {
            _ if !number::is(identifier) => identifier,
            "" => "0",
            stripped => stripped,
        })
        .collect();
    Prerelease::new(&strict.join(".")).ok()
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Npm;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_by_precedence() {
        assert_ascending(
            Npm,
            &[
                "0",
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0",
                "1.0.1",
                "2",
            ],
        );
    }

    #[test]
    fn reads_loosely() {
        assert_equal(Npm, &["1.2.0", "v1.2.0", "=v1.2.0", " 1.2.0 ", "1.2", "01.02.00", "1.2.0+build"]);
        assert_equal(Npm, &["1.2.3-beta.1", "1.2.3beta.1", "1.2.3-beta.01"]);
        assert_ascending(Npm, &["1.2.3-", "1.2.3"]);
    }

    #[test]
    fn refuses_what_npm_refuses() {
        assert_refused(
            Npm,
            &[
                "",
                "v",
                "latest",
                "1.2.3.4",
                "1.x",
                "1..2",
                "1.2.3-a..b",
                "1.2.3+",
                "1.2beta",
                "9007199254740992.0.0",
            ],
        );
        assert_refused(Npm, &["git+https://example.org/a.git", "file:../a", "^1.2.3", "1.2.3 || 2"]);
    }
}
