//! Which of two versions is newer, exactly as the ecosystem's own tool has it.

use std::cmp::Ordering;

use guardhouse_packages::Kind;

/// Compares two versions as the tool of `kind` does.
///
/// # Errors
/// [`NotAVersion`] where the tool refuses one of them.
pub fn compare(_kind: Kind, _left: &str, _right: &str) -> Result<Ordering, NotAVersion> {
    unimplemented!()
}

/// A text that is no version to its ecosystem's tool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no version of {kind}")]
pub struct NotAVersion {
    /// Whose.
    pub kind: Kind,
    /// The text.
    pub text: String,
}
