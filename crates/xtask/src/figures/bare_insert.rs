//! The limit of an import on SQLite: the same rows into the same table with the same indexes and the same
//! durability, by one prepared statement and nothing around it.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use guardhouse_store::DATABASE_FILE;
use rusqlite::{Connection, params_from_iter, types::Value};

use super::now;

/// Inserts the devices of the data folder `filled` into the database of the data folder `empty`, `batch` in a
/// transaction; answers how many there were and how long that took. No server runs on either.
///
/// # Errors
/// The database refuses it.
pub fn measure(filled: &Path, empty: &Path, batch: usize) -> anyhow::Result<(usize, Duration)> {
    let rows = rows(&filled.join(DATABASE_FILE))?;
    let columns = rows.first().context("there are no devices")?.len();
    let mut connection = Connection::open(empty.join(DATABASE_FILE))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", "on")?;
    let places: Vec<String> = (1..=columns).map(|place| format!("${place}")).collect();
    let insert = format!("insert into devices values ({})", places.join(", "));

    let begun = now();
    for batch in rows.chunks(batch) {
        let transaction = connection.transaction()?;
        let mut statement = transaction.prepare_cached(&insert)?;
        for row in batch {
            statement.execute(params_from_iter(row))?;
        }
        drop(statement);
        transaction.commit()?;
    }
    Ok((rows.len(), begun.elapsed()))
}

/// All rows of the devices, whatever their columns are, in the order in which they were imported.
fn rows(database: &Path) -> anyhow::Result<Vec<Vec<Value>>> {
    let connection = Connection::open(database)?;
    let mut statement = connection.prepare("select * from devices order by uuid")?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?;
    Ok(rows.collect::<Result<_, _>>()?)
}
