//! Checks that many methods share. Each names the field as the client spells it.

use std::str::FromStr;

use guardhouse_contract::{FieldViolation, Status};

/// Longest display name, in characters.
pub const LONGEST_NAME: usize = 255;

/// Longest description, in characters.
pub const LONGEST_DESCRIPTION: usize = 4_096;

/// Violations found so far in one request.
#[derive(Debug, Default)]
pub struct Checks {
    violations: Vec<FieldViolation>,
}

impl Checks {
    /// Notes that `field` is wrong.
    pub fn fail(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.violations.push(FieldViolation::new(field, description));
    }

    /// Checks a display name: needed, bounded, printable.
    pub fn name(&mut self, field: &str, name: &str) {
        if let Err(description) = check_name(name) {
            self.fail(field, description);
        }
    }

    /// Checks a free text.
    pub fn description(&mut self, field: &str, text: &str) {
        let length = text.chars().count();
        if length > LONGEST_DESCRIPTION {
            self.fail(field, format!("has {length} characters; at most {LONGEST_DESCRIPTION} are kept"));
        }
    }

    /// Reads a uuid that must be there.
    pub fn id<T: FromStr>(&mut self, field: impl Into<String>, text: &str) -> Option<T> {
        match id(field, text) {
            Ok(id) => Some(id),
            Err(violation) => {
                self.violations.push(violation);
                None
            }
        }
    }

    /// Ends the checks.
    ///
    /// # Errors
    /// Everything that was noted, as one status.
    pub fn finish(self) -> Result<(), Status> {
        if self.violations.is_empty() { Ok(()) } else { Err(Status::invalid_fields(self.violations)) }
    }
}

/// Checks a display name: needed, bounded, printable. The error says what is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        Err("is empty; a name is needed".to_owned())
    } else if length > LONGEST_NAME {
        Err(format!("has {length} characters; at most {LONGEST_NAME} are allowed"))
    } else if name.chars().any(char::is_control) {
        Err("holds a control character; use printable text".to_owned())
    } else {
        Ok(())
    }
}

/// Reads a uuid that must be there.
pub fn id<T: FromStr>(field: impl Into<String>, text: &str) -> Result<T, FieldViolation> {
    text.parse().map_err(|_| {
        let wrong = if text.is_empty() { "is missing" } else { "is not a uuid" };
        FieldViolation::new(
            field,
            format!("{wrong}; a uuid like 0192f0c4-0000-7000-8000-000000000000 is needed"),
        )
    })
}

/// Reads the uuid that names the resource of a call.
pub fn resource<T: FromStr>(field: &str, text: &str) -> Result<T, Status> {
    id(field, text).map_err(|violation| Status::invalid_fields(vec![violation]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_needed_bounded_and_printable() {
        for good in ["a", "Lost & found", "日本語", &"x".repeat(255)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "   ", "a\nb", &"x".repeat(256)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
