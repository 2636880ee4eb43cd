//! What is nobody's fault outside.

use std::time::Duration;

use guardhouse_contract::{Code, Status};
use guardhouse_store::StoreError;

/// When a call may be tried again that did not reach the database: as long as making a connection may take.
const RETRY: Duration = Duration::from_secs(5);

/// The work could not be done, whatever the caller asked for. The text is for the log; a client
/// gets a [`Status`] that does not show it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The store could not do its part.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A cryptographic operation failed.
    #[error("cryptography: {0}")]
    Cryptography(String),
    /// A stored value cannot be what it claims to be.
    #[error("inconsistent data: {0}")]
    Inconsistent(String),
    /// The runtime is stopping.
    #[error("the runtime is stopping")]
    Stopped,
}

/// What a client gets to know: whether it may try again. Also for what the store says outside of this crate.
impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(StoreError::Unavailable(_)) => {
                let message = "the server does not reach its database; if the call was to change something, \
                               look whether it did before you try again";
                Self::new(Code::Unavailable, "DATABASE_UNAVAILABLE", message)
                    .retry_after(RETRY)
                    .because(failure)
            }
            other => Self::internal(other),
        }
    }
}

impl Failure {
    /// A cryptographic operation failed for the reason given.
    pub(crate) fn cryptography(cause: impl std::fmt::Display) -> Self {
        Self::Cryptography(cause.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_database_that_is_away_is_worth_another_attempt() {
        let away =
            Status::from(Failure::from(StoreError::Unavailable("guard at db:5432: refused".to_owned())));
        assert_eq!((away.http(), away.reason()), (503, "DATABASE_UNAVAILABLE"));
        assert_eq!(away.wait(), Some(RETRY));
        assert!(!away.message().contains("db:5432"), "{away}");
        assert!(away.cause().is_some_and(|cause| cause.contains("db:5432")));

        for broken in [Failure::Stopped, StoreError::Closed.into()] {
            let status = Status::from(broken);
            assert_eq!((status.http(), status.reason(), status.wait()), (500, "INTERNAL", None));
        }
    }
}
