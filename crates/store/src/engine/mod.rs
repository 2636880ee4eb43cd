//! SQLite underneath: one writer thread with group commit, several readers.

mod connection;
mod migrations;
mod readers;
#[cfg(test)]
pub mod tap;
mod writer;

use std::{num::NonZeroUsize, path::Path, sync::Arc};

use rusqlite::Connection;

use self::{readers::Readers, writer::Writer};
use crate::StoreError;

pub use self::{
    connection::open_for_reading,
    migrations::{APPLICATION_ID, MIGRATIONS},
};

/// A database that is open for reading and writing.
#[derive(Debug, Clone)]
pub struct Engine {
    writer: Arc<Writer>,
    readers: Readers,
}

impl Engine {
    /// Opens the database file, makes it if it is not there, and brings its schema up to date.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let mut connection = connection::open_for_writing(file)?;
        migrations::migrate(&mut connection, MIGRATIONS)?;
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        let readers = Readers::open(file, cores.max(2))?;
        Ok(Self { writer: Arc::new(Writer::start(connection)?), readers })
    }

    /// Runs `job` in a write transaction and answers after its commit is on disk.
    ///
    /// An `Err` undoes what the job did, and only that: jobs that share the commit are not touched.
    pub async fn write<T, Job>(&self, job: Job) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Job: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.writer.submit(job).await
    }

    /// Runs `job` on one consistent snapshot.
    pub async fn read<T, Job>(&self, job: Job) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Job: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.readers.submit(job).await
    }
}
