//! Alpine's order, that of apk-tools 2.14 and 3: `1.2.3b_rc1_p2~hash-r4`. Numbers, a letter, suffixes with numbers, the
//! hash of a commit, the revision of the package.

use std::cmp::Ordering;

use super::number;

/// The parts of a version in the order in which they are compared.
#[derive(Clone, Debug)]
pub(super) struct Version(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    /// The first number, compared by value.
    First(String),
    /// A number after a point.
    Number(String),
    Letter(u8),
    Suffix(Suffix),
    SuffixNumber(String),
    Commit(String),
    Revision(String),
}

/// In their order; those before `Cvs` make a version older than it is without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Suffix {
    Alpha,
    Beta,
    Pre,
    Rc,
    Cvs,
    Svn,
    Git,
    Hg,
    P,
}

/// The end of a version, among the ranks of what the other version may have in its place.
const END: u8 = 1;

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (first, mut rest) = number_at(text)?;
        let mut parts = vec![Part::First(first)];
        while let Some(after) = rest.strip_prefix('.') {
            let (digits, after) = number_at(after)?;
            parts.push(Part::Number(digits));
            rest = after;
        }
        if let Some(letter) = rest.bytes().next().filter(u8::is_ascii_lowercase) {
            parts.push(Part::Letter(letter));
            rest = rest.get(1..)?;
        }
        while let Some(after) = rest.strip_prefix('_') {
            let (word, after) = split_while(after, |byte| byte.is_ascii_lowercase());
            parts.push(Part::Suffix(Suffix::named(word)?));
            let (digits, after) = number::split(after);
            if !digits.is_empty() {
                parts.push(Part::SuffixNumber(digits.to_owned()));
            }
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('~') {
            let (hash, after) = split_while(after, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if hash.is_empty() {
                return None;
            }
            parts.push(Part::Commit(hash.to_owned()));
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("-r") {
            let (digits, after) = number_at(after)?;
            parts.push(Part::Revision(digits));
            rest = after;
        }
        rest.is_empty().then_some(Self(parts))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (self.0.iter(), other.0.iter());
        loop {
            let order = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (Some(left), Some(right)) => left.compare(right),
                (Some(left), None) => left.rank().cmp(&END),
                (None, Some(right)) => END.cmp(&right.rank()),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl Part {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            // A leading zero makes it a fraction, compared as text.
            (Self::Number(left), Self::Number(right)) if left.starts_with('0') || right.starts_with('0') => {
                left.cmp(right)
            }
            (Self::First(left), Self::First(right))
            | (Self::Number(left), Self::Number(right))
            | (Self::SuffixNumber(left), Self::SuffixNumber(right))
            | (Self::Revision(left), Self::Revision(right)) => number::compare(left, right),
            (Self::Letter(left), Self::Letter(right)) => left.cmp(right),
            (Self::Suffix(left), Self::Suffix(right)) => left.cmp(right),
            (Self::Commit(left), Self::Commit(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// How new a version is by having such a part where another one has a different part, or ends.
    fn rank(&self) -> u8 {
        match self {
            Self::Suffix(suffix) if *suffix < Suffix::Cvs => 0,
            Self::Revision(_) => 2,
            Self::Commit(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Suffix(_) => 5,
            Self::Letter(_) => 6,
            Self::Number(_) => 7,
            Self::First(_) => 8,
        }
    }
}

impl Suffix {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "alpha" => Self::Alpha,
            "beta" => Self::Beta,
            "pre" => Self::Pre,
            "rc" => Self::Rc,
            "cvs" => Self::Cvs,
            "svn" => Self::Svn,
            "git" => Self::Git,
            "hg" => Self::Hg,
            "p" => Self::P,
            _ => return None,
        })
    }
}

fn number_at(text: &str) -> Option<(String, &str)> {
    let (digits, rest) = number::split(text);
    (!digits.is_empty()).then(|| (digits.to_owned(), rest))
}

fn split_while(text: &str, wanted: impl Fn(u8) -> bool) -> (&str, &str) {
    // What is not wanted begins at a character, since everything wanted is ASCII.
    text.split_at(text.bytes().position(|byte| !wanted(byte)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::Kind::Apk;

    use super::super::{assert_ascending, assert_equal, assert_refused};

    #[test]
    fn orders_as_apk() {
        assert_ascending(
            Apk,
            &[
                "1.2_alpha",
                "1.2_alpha1",
                "1.2_alpha2",
                "1.2_beta1",
                "1.2_pre1",
                "1.2_rc1",
                "1.2_rc1-r1",
                "1.2",
                "1.2-r0",
                "1.2-r9",
                "1.2-r10",
                "1.2~1a2b",
                "1.2~1b2b-r1",
                "1.2_cvs1",
                "1.2_svn1",
                "1.2_git20240101",
                "1.2_hg1",
                "1.2_p",
                "1.2_p-r1",
                "1.2_p1",
                "1.2_p1_p1",
                "1.2a",
                "1.2b-r1",
                "1.2.0",
                "1.2.1",
                "1.3",
                "1.10",
            ],
        );
        assert_ascending(Apk, &["1.1.1k-r0", "1.1.1l-r8", "1.1.1w-r1", "3.0.8-r0", "3.1.4-r5"]);
        // A suffix without a number ends where the other one goes on.
        assert_ascending(Apk, &["9.2_p1_rc1-r0", "9.2_p1-r0", "9.2_p2-r0"]);
        assert_ascending(Apk, &["1.0", "1.007", "1.01", "1.1", "1.9", "1.10"]);
    }

    #[test]
    fn knows_equal_versions() {
        assert_equal(Apk, &["01.2-r1", "1.2-r1", "1.2-r01"]);
    }

    #[test]
    fn refuses_what_apk_refuses() {
        assert_refused(
            Apk,
            &[
                "",
                "a1",
                "1.",
                "1..2",
                "1.2ab",
                "1.2a.1",
                "1.2_foo1",
                "1.2_",
                "1.2-1",
                "1.2-r",
                "1.2-r1-r1",
                "1.2~",
                "1.2~xyz",
            ],
        );
        assert_refused(Apk, &["1.2A", "1.2 ", "1.2\u{e9}", "1.2_\u{e9}", "1.2-r1~1a"]);
    }
}
