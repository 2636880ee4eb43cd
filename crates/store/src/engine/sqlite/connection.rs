//! How a connection is set up.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, config::DbConfig};

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

/// A database of this connection alone, gone with it.
pub fn open_in_memory() -> Result<Connection, StoreError> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("pragma foreign_keys = on")?;
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
    // A prepared statement keeps its plan. Without this, SQLite plans the statements whose partial indexes and
    // ranges depend on parameters anew for every execution with other values, which costs more than they do.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    #[cfg(test)]
    let connection = {
        let mut connection = connection;
        crate::engine::tap::attach(&mut connection)?;
        connection
    };
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn other_parameters_keep_the_plan() {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = open_for_writing(&folder.path().join("file")).expect("opens");
        connection
            .execute_batch("create table t (a, b); create index i on t (a) where b = 1")
            .expect("creates");
        let mut statement = connection.prepare("select a from t where b = $1 and a = $2").expect("is SQL");
        for parameters in [(1, 1), (2, 1), (1, 2)] {
            assert!(!statement.exists(parameters).expect("reads"));
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
