//! The edge to the crates of others: what they do wrong becomes an error here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::ReadError;

/// Runs code of another crate on bytes of the image. A panic in it says that the image is something its author did not
/// think of: the file or folder is damaged, the scan goes on.
pub(super) fn guarded<T>(what: &str, run: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(ReadError::Damaged(format!("the reader of {what} gave up"))))
}
