//! The local store of advisories: one SQLite file.
//!
//! Imports write it, one at a time, each in one transaction; scans read it, also while an import is at work. At rest
//! it is a single file without companions, which can be copied and lie on a read-only disk. While an import is at
//! work it has a write-ahead log beside it, so that readers go on seeing what was there before.

mod read;
mod schema;
mod source;
mod write;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

pub(crate) use read::Reader;
pub use source::{Origin, Source};
pub use write::Writer;

/// How long a reader waits for the moment in which an import begins or ends.
const READER_WAIT: Duration = Duration::from_secs(10);

/// How much of the file an import keeps in memory, in KiB. Packages come in any order: with less, pages are written to
/// the log over and over.
const WRITER_CACHE_KIB: i64 = 64 * 1024;

/// The store, opened to be written.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

/// Why the store cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is none yet.
    #[error("there are no advisories at {0:?}; guardhouse advisories import brings some")]
    Absent(PathBuf),
    /// The file is something else.
    #[error("{0:?} is not a store of advisories; name another file, or remove it")]
    Foreign(PathBuf),
    /// The file is of a version that this program does not know.
    #[error("{path:?} has version {version} of the store; this program reads version {known}: update it, or remove the file and import again", known = schema::VERSION)]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: i64,
    },
    /// Another import is at work.
    #[error("{0:?} is being written by another import; try again when it has ended")]
    Busy(PathBuf),
    /// The folder of the store cannot be made.
    #[error("cannot make the folder {path:?}")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Anything else.
    #[error("{path:?} cannot be used")]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

impl Store {
    /// Opens the store to write it, and makes it when there is none. Where another import is at work, `wait` is how
    /// long to wait for its end.
    ///
    /// # Errors
    /// The file is no store, or of another version; it cannot be made; the other import did not end.
    pub fn open(path: &Path, wait: Duration) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let error = |source| from_sqlite(path, source);
        let connection = Connection::open_with_flags(path, flags).map_err(error)?;
        connection.busy_timeout(wait).map_err(error)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB).map_err(error)?;
        schema::prepare(&connection, path)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// An empty store that nobody else sees.
    ///
    /// # Errors
    /// There is no memory for it.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| from_sqlite(path, error))?;
        schema::prepare(&connection, path)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// The sources in the store, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn sources(&self) -> Result<Vec<Source>, StoreError> {
        source::list(&self.connection).map_err(|error| self.error(error))
    }

    /// Puts a source in the place of the one of that name, if there is one: all of what `fill` writes, or, when it
    /// fails, nothing.
    ///
    /// # Errors
    /// Those of `fill`; the store cannot be written; another import is at work.
    pub fn replace<T, E: From<StoreError>>(
        &mut self,
        source: &Source,
        fill: impl FnOnce(&mut Writer<'_>) -> Result<(T, Source), E>,
    ) -> Result<T, E> {
        self.with_readers_beside(|store| {
            let transaction =
                store.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
            let transaction = transaction.map_err(|error| from_sqlite(&store.path, error))?;
            let mut writer = Writer::begin(&transaction, &store.path, source)?;
            let (told, finished) = fill(&mut writer)?;
            writer.finish(&finished)?;
            transaction.commit().map_err(|error| from_sqlite(&store.path, error))?;
            Ok(told)
        })
    }

    /// Removes a source; whether there was one of that name.
    ///
    /// # Errors
    /// The store cannot be written, or another import is at work.
    pub fn remove(&mut self, name: &str) -> Result<bool, StoreError> {
        self.with_readers_beside(|store| {
            let error = |error| from_sqlite(&store.path, error);
            let transaction = store
                .connection
                .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
                .map_err(error)?;
            let removed = write::remove(&transaction, name).map_err(error)?;
            transaction.commit().map_err(error)?;
            Ok(removed)
        })
    }

    /// Sets the time of the last look at a source whose content had not changed.
    ///
    /// # Errors
    /// The store cannot be written, or another import is at work.
    pub fn touch(&mut self, name: &str, now: jiff::Timestamp) -> Result<(), StoreError> {
        let changed = source::touch(&self.connection, name, now);
        changed.map_err(|error| self.error(error))
    }

    /// Does something while readers see the state before.
    fn with_readers_beside<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        schema::log_beside(&self.connection).map_err(|error| self.error(error))?;
        let result = work(self);
        schema::log_away(&self.connection);
        result
    }

    fn error(&self, error: rusqlite::Error) -> StoreError {
        from_sqlite(&self.path, error)
    }
}

/// Opens the store to read it, without writing anything.
fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Absent(path.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let error = |source| from_sqlite(path, source);
    let connection = Connection::open_with_flags(path, flags).map_err(error)?;
    connection.busy_timeout(READER_WAIT).map_err(error)?;
    schema::check(&connection, path)?;
    Ok(connection)
}

/// The sources in the store at `path`, which is only read.
///
/// # Errors
/// There is no store, or it cannot be read.
pub fn sources(path: &Path) -> Result<Vec<Source>, StoreError> {
    let connection = open_to_read(path)?;
    source::list(&connection).map_err(|error| from_sqlite(path, error))
}

fn from_sqlite(path: &Path, source: rusqlite::Error) -> StoreError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy(path.to_owned()),
        Some(ErrorCode::NotADatabase) => StoreError::Foreign(path.to_owned()),
        _ => StoreError::Sqlite { path: path.to_owned(), source },
    }
}
