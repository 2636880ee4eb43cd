//! What is nobody's fault outside.

use guardhouse_store::StoreError;

/// The work could not be done, whatever the caller asked for. The text is for the log, never for a client.
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

impl Failure {
    /// A cryptographic operation failed for the reason given.
    pub(crate) fn cryptography(cause: impl std::fmt::Display) -> Self {
        Self::Cryptography(cause.to_string())
    }
}
