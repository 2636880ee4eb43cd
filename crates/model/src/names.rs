//! Names that people and devices give.

/// Longest name, in characters.
pub const LONGEST: usize = 255;

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing in it to read.
    #[error("is empty; a name is needed")]
    Empty,
    /// It has this many characters.
    #[error("has {0} characters; at most {LONGEST} are allowed")]
    TooLong(usize),
    /// Not every character can be printed.
    #[error("holds a control character; use printable text")]
    NotPrintable,
}

/// Checks a name: needed, bounded, printable.
///
/// # Errors
/// What is wrong with it.
pub fn check(name: &str) -> Result<(), NameError> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        Err(NameError::Empty)
    } else if length > LONGEST {
        Err(NameError::TooLong(length))
    } else if name.chars().any(char::is_control) {
        Err(NameError::NotPrintable)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_needed_bounded_and_printable() {
        for good in ["a", "Lost & found", "日本語", &"x".repeat(255)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, wrong) in [
            ("", NameError::Empty),
            ("   ", NameError::Empty),
            ("a\nb", NameError::NotPrintable),
            ("a\0b", NameError::NotPrintable),
            (&"x".repeat(256), NameError::TooLong(256)),
        ] {
            assert_eq!(check(bad), Err(wrong), "{bad:?}");
        }
    }
}
