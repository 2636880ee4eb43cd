//! Texts without regard to case, and patterns of them.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// Longest text and longest pattern of a condition, in characters.
pub const LONGEST_TEXT: usize = 256;

/// Most bytes that a compiled pattern may take: `\w{100}` does not fit, what people write does.
const PATTERN_SIZE: usize = 512 << 10;

/// Deepest nesting of groups in a pattern.
const PATTERN_DEPTH: u32 = 32;

/// A text as it is compared: every character in the one form that stands for its capital and its small letter.
///
/// Characters are folded one by one, whatever stands beside them, so that a part of a text folds to a part of the
/// folded text. Letters with an accent that are written in two ways (one character, or two) stay different.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Folded(String);

impl Folded {
    /// Folds a text. NUL, which not every database can keep, becomes U+FFFD.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let printable = text.chars().map(|letter| if letter == '\0' { '\u{FFFD}' } else { letter });
        Self(printable.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect())
    }

    /// A text that was folded before.
    #[must_use]
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A text that a condition compares with. It keeps the letters that its author chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text {
    written: String,
    folded: Folded,
}

/// What is wrong with a text of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing to compare with.
    #[error("is empty; a text is needed")]
    Empty,
    /// It has this many characters.
    #[error("has {0} characters; at most {LONGEST_TEXT} are allowed")]
    TooLong(usize),
    /// Not every character can be printed.
    #[error("holds a control character; use printable text")]
    NotPrintable,
}

impl Text {
    /// Checks a text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(written: &str) -> Result<Self, TextError> {
        check(written)?;
        Ok(Self { written: written.to_owned(), folded: Folded::new(written) })
    }

    /// As its author wrote it.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// As it is compared.
    #[must_use]
    pub fn folded(&self) -> &str {
        self.folded.as_str()
    }
}

impl TryFrom<String> for Text {
    type Error = TextError;

    fn try_from(written: String) -> Result<Self, TextError> {
        Self::new(&written)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.written
    }
}

fn check(text: &str) -> Result<(), TextError> {
    let length = text.chars().count();
    if length == 0 {
        Err(TextError::Empty)
    } else if length > LONGEST_TEXT {
        Err(TextError::TooLong(length))
    } else if text.chars().any(char::is_control) {
        Err(TextError::NotPrintable)
    } else {
        Ok(())
    }
}

/// A regular expression that a part of a text may match, in time proportional to the text: without look-around and
/// back-references. Letters match in either case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Regex);

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// As a text, too, it is wrong.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It would take too much memory.
    #[error("becomes too large; use smaller repetitions")]
    TooLarge,
    /// It is no regular expression.
    #[error("is not a regular expression: {0}; look-around and back-references are not supported")]
    Syntax(String),
}

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(written: &str) -> Result<Self, PatternError> {
        check(written)?;
        let mut builder = RegexBuilder::new(written);
        builder.case_insensitive(true).size_limit(PATTERN_SIZE).nest_limit(PATTERN_DEPTH);
        builder.build().map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
            // The last line says what is wrong; those before it draw the place.
            other => PatternError::Syntax(
                other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
            ),
        })
    }

    /// As its author wrote it.
    #[must_use]
    pub fn written(&self) -> &str {
        self.0.as_str()
    }

    /// Whether a part of the text matches.
    #[must_use]
    pub fn matches(&self, text: &Folded) -> bool {
        self.0.is_match(text.as_str())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written() == other.written()
    }
}

impl Eq for Pattern {}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(written: String) -> Result<Self, PatternError> {
        Self::new(&written)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.written().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_does_not_count() {
        for (one, other) in [
            ("Debian", "dEBIAN"),
            ("STRASSE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("ΟΔΟΣ", "οδοσ"),
            ("Äpfel", "äPFEL"),
        ] {
            assert_eq!(Folded::new(one), Folded::new(other), "{one} {other}");
        }
        assert_ne!(Folded::new("a"), Folded::new("á"));
        assert_eq!(Folded::new("a\0b").as_str(), "a\u{FFFD}b");
    }

    #[test]
    fn patterns_have_limits() {
        let refusal = |text: &str| Pattern::new(text).expect_err(text);
        assert_eq!(refusal(""), PatternError::Text(TextError::Empty));
        assert_eq!(refusal(&"x".repeat(257)), PatternError::Text(TextError::TooLong(257)));
        assert_eq!(refusal(r"(\w{100}){100}"), PatternError::TooLarge);
        for wrong in ["(", "a(?=b)", r"(a)\1", "[z-a]", &"(".repeat(200)] {
            assert!(matches!(refusal(wrong), PatternError::Syntax(_)), "{wrong}");
        }
        let pattern = Pattern::new(r"^WEB-\d+$").expect("is good");
        assert!(pattern.matches(&Folded::new("Web-12")));
        assert!(!pattern.matches(&Folded::new("web-12b")));
        // A text that makes others backtrack for ever.
        let slow = Pattern::new("(a*)*b").expect("is good");
        assert!(!slow.matches(&Folded::new(&"a".repeat(10_000))));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = Folded::new(&text);
            prop_assert_eq!(&Folded::new(once.as_str()), &once);
        }

        #[test]
        fn a_part_folds_to_a_part(text in any::<String>(), from in any::<prop::sample::Index>()) {
            let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let (before, after) = text.split_at(starts[from.index(starts.len())]);
            let joined = format!("{}{}", Folded::new(before).as_str(), Folded::new(after).as_str());
            let whole = Folded::new(&text);
            prop_assert_eq!(joined.as_str(), whole.as_str());
        }

        #[test]
        fn no_pattern_panics(text in any::<String>()) {
            let _ = Pattern::new(&text);
        }

        #[test]
        fn nothing_that_looks_like_a_pattern_panics(text in r"[a-z(){}\[\]\\*+?|^$.,0-9:<>=!-]{0,60}") {
            let _ = Pattern::new(&text).map(|pattern| pattern.matches(&Folded::new(&text)));
        }
    }
}
