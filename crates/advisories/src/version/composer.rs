//! Composer's order: `Composer\Semver`'s normal form, compared as PHP's `version_compare` does. Branches (`dev-main`) have
//! no order and are no versions here.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A stability with its numbers, then `dev`: `-beta.2`, `RC1`, `pl3`, `-dev`.
const MODIFIER: &str = r"[._-]?(?:(stable|beta|b|RC|alpha|a|patch|pl|p)((?:[.-]?[0-9]+)*)?)?([.-]?dev)?";

static CLASSICAL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"v?([0-9]{1,5})(\.[0-9]+)?(\.[0-9]+)?(\.[0-9]+)?"));
static DATED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"v?([0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3})?)"));
/// A branch with a number: `2.x-dev`.
static BRANCH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?i)v?([0-9]+)(?:\.([0-9]+|[x*]))?(?:\.([0-9]+|[x*]))?(?:\.([0-9]+|[x*]))?[.-]?dev$")
        .expect("a literal that is a pattern")
});

fn pattern(numbers: &str) -> Regex {
    Regex::new(&format!("^(?i){numbers}{MODIFIER}$")).expect("a literal that is a pattern")
}

/// What stands for `x` in a branch.
const ANY: i64 = 9_999_999;

/// The parts of the normal form.
#[derive(Clone, Debug)]
pub(super) struct Version(Vec<Part>);

/// In their order, with the end of a version between `Candidate` and `Number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    /// PHP's numbers end at the largest of C's `long`.
    Number(i64),
    Patch,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = match text.split_once('+') {
            Some((_, "")) => return None,
            Some((text, build)) if !text.contains(',') && !build.contains(char::is_whitespace) => text,
            _ => text,
        };
        let parts = if let Some(found) = CLASSICAL.captures(text) {
            let numbers = (1..=4).map(|group| Part::number(group_of(&found, group).trim_start_matches('.')));
            with_modifier(numbers.collect(), &found, 5)
        } else if let Some(found) = DATED.captures(text) {
            let numbers = group_of(&found, 1).split(['.', ':', '-']).map(Part::number);
            with_modifier(numbers.collect(), &found, 2)
        } else {
            let found = BRANCH.captures(text)?;
            let numbers = (1..=4).map(|group| match group_of(&found, group) {
                "" | "x" | "X" | "*" => Part::Number(ANY),
                digits => Part::number(digits),
            });
            numbers.chain([Part::Dev]).collect()
        };
        Some(Self(parts))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        (0..self.0.len().max(other.0.len()))
            .map(|index| self.part(index).cmp(&other.part(index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    fn part(&self, index: usize) -> Part {
        self.0.get(index).copied().unwrap_or(Part::End)
    }
}

impl Part {
    fn number(digits: &str) -> Self {
        // Only digits are asked for: what does not fit is too large; nothing at all is a zero.
        Self::Number(if digits.is_empty() { 0 } else { digits.parse().unwrap_or(i64::MAX) })
    }
}

/// Adds the stability, its numbers, and `dev`, which are the groups from `group` on.
fn with_modifier(mut parts: Vec<Part>, found: &Captures<'_>, group: usize) -> Vec<Part> {
    let stability = match group_of(found, group).to_ascii_lowercase().as_str() {
        "alpha" | "a" => Some(Part::Alpha),
        "beta" | "b" => Some(Part::Beta),
        "rc" => Some(Part::Candidate),
        "patch" | "pl" | "p" => Some(Part::Patch),
        // What follows `stable` does not count, not even `dev`.
        "stable" => return parts,
        _ => None,
    };
    if let Some(stability) = stability {
        parts.push(stability);
        let numbers = group_of(found, group + 1).split(['.', '-']).filter(|digits| !digits.is_empty());
        parts.extend(numbers.map(Part::number));
    }
    if !group_of(found, group + 2).is_empty() {
        parts.push(Part::Dev);
    }
    parts
}

fn group_of<'a>(found: &Captures<'a>, group: usize) -> &'a str {
    found.get(group).map_or("", |found| found.as_str())
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Composer;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_as_composer() {
        assert_ascending(
            Composer,
            &[
                "1.0.0-dev",
                "1.0.0-alpha-dev",
                "1.0.0-alpha",
                "1.0.0-alpha1",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0-RC1-dev",
                "1.0-RC1",
                "1.0.0",
                "1.0.0-patch1",
                "1.0.0-pl2",
                "1.0.0.1",
                "1.0.x-dev",
                "1.9",
                "1.10",
                "1.x-dev",
                "2.0",
                "20200101",
                "20200101120000",
            ],
        );
        assert_equal(Composer, &["1", "1.0", "v1.0.0", "1.0.0.0", "1.0.0-stable", "1.0.0+build", " 1.0 "]);
        assert_equal(Composer, &["1.0.0-beta1", "1.0.0b1", "1.0.0_BETA.1", "1.0beta-1"]);
        assert_equal(Composer, &["2020-01-02", "2020:01:02", "2020-01:02"]);
    }

    #[test]
    fn refuses_what_has_no_order() {
        assert_refused(
            Composer,
            &[
                "",
                "dev-main",
                "master",
                "1.0.0.0.0",
                "1.0-foo",
                "1.0.0-1",
                "a",
                "1.0 2.0",
                "1.0+",
                "1234567890123456789012",
            ],
        );
    }
}
