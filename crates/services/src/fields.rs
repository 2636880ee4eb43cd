//! Checks that many methods share. Each names the field as the client spells it.

use std::str::FromStr;

use guardhouse_contract::{FieldViolation, Status};
use guardhouse_model::names;

/// Longest description, in characters.
pub const LONGEST_DESCRIPTION: usize = 4_096;

/// Longest token by which a client makes its requests one, in characters.
const LONGEST_TOKEN: usize = 128;

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

    /// Notes violations that another check has found.
    pub fn fail_all(&mut self, violations: Vec<FieldViolation>) {
        self.violations.extend(violations);
    }

    /// Checks a display name: needed, bounded, printable.
    pub fn name(&mut self, field: &str, name: &str) {
        if let Err(wrong) = names::check(name) {
            self.fail(field, wrong.to_string());
        }
    }

    /// Checks a free text.
    pub fn description(&mut self, field: &str, text: &str) {
        let length = text.chars().count();
        if length > LONGEST_DESCRIPTION {
            self.fail(field, format!("has {length} characters; at most {LONGEST_DESCRIPTION} are kept"));
        }
    }

    /// Checks a token by which a client makes its requests one; it may be empty.
    pub fn token(&mut self, field: &str, token: &str) {
        if token.len() > LONGEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.fail(
                field,
                format!("must have at most {LONGEST_TOKEN} characters, of ASCII and without spaces"),
            );
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
