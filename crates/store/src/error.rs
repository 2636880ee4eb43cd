//! What can go wrong in the store itself. That something does not exist is an answer, not an error.

/// The store could not do its work. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The folder or a file could not be used.
    #[error("{path}: {source}")]
    Folder {
        /// The path in question.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The database was written by a newer version.
    #[error("the database has schema version {found}, this program knows up to {known}: use a newer program")]
    NewerSchema {
        /// Version of the database.
        found: u32,
        /// Newest version this program knows.
        known: u32,
    },
    /// A stored value cannot be what it claims to be.
    #[error("inconsistent data: {0}")]
    Inconsistent(String),
    /// The group commit that held this change failed.
    #[error("commit: {0}")]
    Commit(String),
    /// A write panicked; what it did was undone.
    #[error("a write panicked")]
    Panicked,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}
