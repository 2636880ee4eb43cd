//! What the verbs run on: SQLite inside the process, or PostgreSQL.
//!
//! A verb gives the engine a job: a plain function over a [`Transaction`]. It runs from beginning to end on a
//! thread that belongs to the database, so no transaction waits for anybody else's code, and none is cut off in
//! the middle because a caller went away.

mod crew;
mod listener;
pub mod postgres;
pub mod sqlite;
#[cfg(test)]
pub mod tap;
mod transaction;
mod value;

use crate::StoreError;

pub use self::{
    listener::{Listener, Signal},
    postgres::Postgres,
    sqlite::{Line, Reach, Sqlite},
    transaction::{Gate, Row, Transaction},
    value::{Column, Value},
};
pub(crate) use value::values;

/// A database that is open for reading and writing.
#[derive(Debug, Clone)]
pub enum Engine {
    /// SQLite, in a file of this machine.
    Sqlite(Sqlite),
    /// PostgreSQL, which other processes may share.
    Postgres(Postgres),
}

impl Engine {
    /// Runs `job` in a write transaction and answers after its commit is on disk.
    ///
    /// An `Err` undoes what the job did, and only that: jobs that share the commit are not touched.
    pub async fn write<T, Job>(&self, job: Job) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Job: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(job).await,
            Self::Postgres(postgres) => postgres.write(job).await,
        }
    }

    /// Runs `job` on one consistent snapshot.
    pub async fn read<T, Job>(&self, job: Job) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Job: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(job).await,
            Self::Postgres(postgres) => postgres.read(job).await,
        }
    }
}
