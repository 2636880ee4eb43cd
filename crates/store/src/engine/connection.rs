//! How a connection is set up.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::StoreError;

/// Statements that a connection keeps prepared.
const STATEMENT_CACHE: usize = 256;

/// Opens the one connection that writes. `synchronous = full`: what is acknowledged survives a power cut.
pub fn open_for_writing(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "pragma journal_mode = wal;
         pragma synchronous = full;
         pragma foreign_keys = on;",
    )?;
    finish(connection)
}

/// Opens a connection that only reads.
pub fn open_for_reading(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    finish(Connection::open_with_flags(file, flags)?)
}

fn finish(connection: Connection) -> Result<Connection, StoreError> {
    // Another process (an administration command) may hold the write lock for a moment.
    connection.execute_batch(
        "pragma busy_timeout = 10000;
         pragma temp_store = memory;
         pragma cache_size = -16384;
         pragma mmap_size = 268435456;",
    )?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(connection)
}
