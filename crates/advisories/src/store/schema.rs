//! The tables, and the state of the file.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::{StoreError, from_sqlite};

/// The version of the tables. An older one is not migrated: everything in the store can be imported again.
pub const VERSION: i64 = 1;

/// Tells our files from those of other programs: "GHAV".
const APPLICATION: i64 = 0x4748_4156;

/// How often switching to the write-ahead log is tried anew after waiting for readers.
const TRIES: u32 = 5;

const TABLES: &str = "
    create table source (
        id integer primary key,
        name text not null unique,
        -- JSON: everything else that is told of it.
        about text not null
    ) strict;
    create table ecosystem (
        id integer primary key,
        name text not null unique
    ) strict;
    create table advisory (
        -- Never used again: what an import removes and adds is told apart by it.
        id integer primary key autoincrement,
        source integer not null,
        name text not null,
        -- JSON lists of texts.
        aliases text not null,
        summary text not null,
        -- JSON: a severity.
        severity text not null,
        pages text not null,
        unique (source, name)
    ) strict;
    -- A package's advisories lie side by side.
    create table affected (
        ecosystem integer not null,
        name text not null,
        advisory integer not null,
        place integer not null,
        -- JSON: which versions.
        about text not null,
        primary key (ecosystem, name, advisory, place)
    ) strict, without rowid;
";

/// Makes the tables where there are none, and checks them where there are.
pub fn prepare(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let error = |error| from_sqlite(path, error);
    if is_empty(connection).map_err(error)? {
        let transaction = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
            .map_err(error)?;
        // Another import may have been first.
        if is_empty(&transaction).map_err(error)? {
            transaction.execute_batch(TABLES).map_err(error)?;
            transaction.pragma_update(None, "application_id", APPLICATION).map_err(error)?;
            transaction.pragma_update(None, "user_version", VERSION).map_err(error)?;
        }
        transaction.commit().map_err(error)?;
    }
    check(connection, path)
}

/// Checks that the file is a store, of the version that is known.
pub fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    if number("application_id").map_err(|error| from_sqlite(path, error))? != APPLICATION {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    match number("user_version").map_err(|error| from_sqlite(path, error))? {
        VERSION => Ok(()),
        version => Err(StoreError::Version { path: path.to_owned(), version }),
    }
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("select count(*) = 0 from sqlite_schema", [], |row| row.get(0))
}

/// Begins to write beside the readers. Needs a moment in which nobody reads, and waits for it.
pub fn log_beside(connection: &Connection) -> rusqlite::Result<()> {
    let mut tries = 0;
    loop {
        // This switch does not wait for readers by itself.
        match journal(connection, "wal") {
            Err(error) if is_busy(&error) && tries < TRIES => {
                connection.execute_batch("begin exclusive; commit")?
            }
            done => return done,
        }
        tries += 1;
    }
}

/// Makes the file whole in itself again. Not at all costs: where somebody is reading, the next import does it.
pub fn log_away(connection: &Connection) {
    let _ = connection.busy_timeout(std::time::Duration::ZERO);
    let _ = journal(connection, "delete");
}

fn journal(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}
