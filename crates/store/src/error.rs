//! What can go wrong in the store itself. That something does not exist is an answer, not an error.

/// The store could not do its work. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL refused.
    #[error("database: {0}")]
    Postgres(sqlx::Error),
    /// PostgreSQL cannot be reached, or went away before it answered. Whether the change was made is not known.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The address of the database cannot be understood.
    #[error("the address of the database is not one like postgres://user:password@host:5432/name: {reason}")]
    Address {
        /// What is wrong with it.
        reason: String,
    },
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
    /// Another process has taken over the duty in whose name something was to be done.
    #[error("another process has the duty {0} now")]
    LeaseLost(&'static str),
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
