//! SQLite underneath: one writer thread with group commit, several readers.

mod connection;
mod inline;
mod line;
mod migrations;
mod readers;
mod statement;
mod writer;

use std::{num::NonZeroUsize, path::Path, sync::Arc};

use self::{inline::Inline, readers::Readers, writer::Writer};
use crate::{Listener, StoreError, engine::Transaction};

pub use self::{
    connection::open_for_reading,
    line::{Line, Reach},
    migrations::{APPLICATION_ID, MIGRATIONS, migrate},
    statement::{execute, find, list},
};

/// A database of SQLite.
#[derive(Debug, Clone)]
pub enum Sqlite {
    /// In a file, with threads of its own.
    File {
        /// The one thread that writes.
        writer: Arc<Writer>,
        /// Those that read.
        readers: Readers,
    },
    /// In memory, on the thread of the caller.
    Inline(Inline),
}

impl Sqlite {
    /// Opens the database file, makes it if it is not there, and brings its schema up to date.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let mut connection = connection::open_for_writing(file)?;
        migrate(&mut connection, MIGRATIONS)?;
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        let readers = Readers::open(file, cores.max(2))?;
        Ok(Self::File { writer: Arc::new(Writer::start(connection)?), readers })
    }

    /// A new database in memory, without threads.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self::Inline(Inline::open()?))
    }

    /// The same database in memory at the end of a line; `None` for one in a file.
    pub fn over(&self, line: Line) -> Option<Self> {
        match self {
            Self::File { .. } => None,
            Self::Inline(inline) => Some(Self::Inline(inline.over(line))),
        }
    }

    /// Tells the simulated processes that share the database; with one in a file nobody does.
    pub async fn announce(&self, payload: &str) -> Result<(), StoreError> {
        match self {
            Self::File { .. } => Ok(()),
            Self::Inline(inline) => inline.announce(payload).await,
        }
    }

    /// Hears what is announced; `None`: no other process shares the database.
    pub fn listen(&self) -> Option<Listener> {
        match self {
            Self::File { .. } => None,
            Self::Inline(inline) => inline.listen(),
        }
    }

    /// Runs `job` in a write transaction and answers after its commit is on disk.
    pub async fn write<T, Job>(&self, job: Job) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Job: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::File { writer, .. } => {
                writer.submit(|connection| job(&Transaction::Sqlite(connection))).await
            }
            Self::Inline(inline) => inline.run(job).await,
        }
    }

    /// Runs `job` on one consistent snapshot.
    pub async fn read<T, Job>(&self, job: Job) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Job: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::File { readers, .. } => {
                readers.submit(|connection| job(&Transaction::Sqlite(connection))).await
            }
            Self::Inline(inline) => inline.run(job).await,
        }
    }
}
