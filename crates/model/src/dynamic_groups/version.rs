//! Versions and their order.
//!
//! A version is read as a row of numbers and words; whatever else stands between them only separates. Numbers compare
//! as numbers, words as folded texts. At one place,
//!
//! 1. `~` and the words of a pre-release (`alpha`, `beta`, `dev`, `pre`, `preview`, `rc`, `snapshot`) come before
//! 2. the end of the version, before
//! 3. other words, before
//! 4. numbers.
//!
//! Zeros at the end of a row of numbers do not count: `1.2` is `1.2.0`. So
//! `1.0~rc1 < 1.0-alpha < 1.0-rc2 < 1.0 < 1.0a < 1.0.1 < 1.2 = 1.2.0 < 1.10`.

use serde::{Deserialize, Serialize};

use super::text::{Folded, LONGEST_TEXT};

/// Words that say that the release is yet to come.
const PRE_RELEASE: [&str; 7] = ["alpha", "beta", "dev", "pre", "preview", "rc", "snapshot"];

const BEFORE_THE_END: u8 = 1;
const END: u8 = 2;
const WORD: u8 = 3;
const NUMBER: u8 = 4;

/// A version in a form whose bytes are in the order of versions. Empty: not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionKey(Vec<u8>);

impl VersionKey {
    /// Reads a version, of which 256 characters count. A text without a digit or a letter tells nothing.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut key = Vec::new();
        // Zeros that count only if another number follows.
        let mut zeros = 0;
        for part in parts(Folded::new(text).as_str()) {
            if part.starts_with(|first: char| first.is_ascii_digit()) {
                match part.trim_start_matches('0') {
                    "" => zeros += 1,
                    digits => {
                        (0..std::mem::take(&mut zeros)).for_each(|_| number(&mut key, ""));
                        number(&mut key, digits);
                    }
                }
                continue;
            }
            zeros = 0;
            let is_early = part == "~" || PRE_RELEASE.contains(&part);
            key.push(if is_early { BEFORE_THE_END } else { WORD });
            key.extend(part.bytes().filter(|byte| *byte != b'~'));
            key.push(0);
        }
        if key.is_empty() && !text.contains(char::is_alphanumeric) {
            return Self::default();
        }
        key.push(END);
        Self(key)
    }

    /// A key that was made before.
    #[must_use]
    pub fn kept(key: Vec<u8>) -> Self {
        Self(key)
    }

    /// The bytes, which compare as the versions do.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A number without zeros at its front. Of two, the one with more digits is greater; as bytes, too.
fn number(key: &mut Vec<u8>, digits: &str) {
    key.push(NUMBER);
    let length = u16::try_from(digits.len()).expect("a text that was cut");
    key.extend(length.to_be_bytes());
    key.extend(digits.bytes());
}

/// The numbers, words and tildes of a version.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let end = text.char_indices().nth(LONGEST_TEXT).map_or(text.len(), |(at, _)| at);
    let mut rest = &text[..end];
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|letter: char| kind(letter).is_none());
        let first = kind(rest.chars().next()?)?;
        // Two tildes are two parts.
        let length = match first {
            Kind::Tilde => 1,
            _ => rest.find(|letter| kind(letter) != Some(first)).unwrap_or(rest.len()),
        };
        let (part, after) = rest.split_at(length);
        rest = after;
        Some(part)
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Digit,
    Letter,
    Tilde,
}

fn kind(letter: char) -> Option<Kind> {
    match letter {
        '~' => Some(Kind::Tilde),
        '0'..='9' => Some(Kind::Digit),
        letter if letter.is_alphanumeric() => Some(Kind::Letter),
        _ => None,
    }
}

/// A version that a condition compares with. It stays as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    written: String,
    key: VersionKey,
}

/// What is wrong with a version of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// There is nothing in it to compare.
    #[error("is not a version; digits or letters are needed, as in \"10.2.3\"")]
    Empty,
    /// It has this many characters.
    #[error("has {0} characters; at most {LONGEST_TEXT} are allowed")]
    TooLong(usize),
}

impl Version {
    /// Checks a version.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(written: &str) -> Result<Self, VersionError> {
        let length = written.chars().count();
        if length > LONGEST_TEXT {
            return Err(VersionError::TooLong(length));
        }
        let key = VersionKey::new(written);
        if key.is_empty() {
            return Err(VersionError::Empty);
        }
        Ok(Self { written: written.to_owned(), key })
    }

    /// As its author wrote it.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// As it is compared.
    #[must_use]
    pub fn key(&self) -> &VersionKey {
        &self.key
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(written: String) -> Result<Self, VersionError> {
        Self::new(&written)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.written
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_have_an_order() {
        let ascending = [
            "0~1",
            "0",
            "0.1",
            "0.9",
            "0.10",
            "1~~",
            "1.0~rc1",
            "1.0-alpha",
            "1.0-alpha.1",
            "1.0-beta",
            "1.0rc2",
            "1.0",
            "1.0a",
            "1.0b",
            "1.0-final",
            "1.0.1",
            "1.0.1.4",
            "1.2",
            "1.2 build 7",
            "1.2.0.9",
            "1.10",
            "2",
            "10.0.19045",
            "10.0.22000",
            "99999999999999999999999",
            "100000000000000000000000",
        ];
        for pair in ascending.windows(2) {
            assert!(VersionKey::new(pair[0]) < VersionKey::new(pair[1]), "{} < {}", pair[0], pair[1]);
        }
        for (one, other) in
            [("1.2", "1.2.0"), ("01.002", "1.2"), ("1.2-RC1", "1.2.0rc1"), ("0.0", "0"), ("1_0", "1")]
        {
            assert_eq!(VersionKey::new(one), VersionKey::new(other), "{one} = {other}");
        }
        assert!(VersionKey::new("v1.2") < VersionKey::new("1.2"), "a word is no number");
    }

    #[test]
    fn a_text_without_digits_or_letters_is_not_known() {
        for text in ["", " ", "-", "..."] {
            assert!(VersionKey::new(text).is_empty(), "{text:?}");
            assert_eq!(Version::new(text), Err(VersionError::Empty));
        }
        assert!(!VersionKey::new("0").is_empty());
        assert_eq!(Version::new(&"1".repeat(257)), Err(VersionError::TooLong(257)));
    }

    proptest! {
        #[test]
        fn numbers_compare_as_numbers(a in any::<[u32; 3]>(), b in any::<[u32; 3]>()) {
            let key = |[x, y, z]: [u32; 3]| VersionKey::new(&format!("{x}.{y}.{z}"));
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = VersionKey::new(&text);
        }
    }
}
