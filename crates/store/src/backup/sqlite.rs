//! From SQLite and to it. Both ways go through `vacuum into`: a consistent snapshot beside a running server, in one
//! file that needs no write-ahead log.

use std::{fs::File, io, path::Path};

use rusqlite::Connection;

use super::{
    BackupError, at, not_ours,
    part::{Part, refuse_existing},
};
use crate::{
    DATABASE_FILE, StoreError,
    engine::sqlite::{APPLICATION_ID, MIGRATIONS, open_for_reading},
    prepare_folder,
};

/// Writes the store in `folder` to the new file `file`, readable for its owner only. Servers on the folder go
/// on meanwhile.
///
/// # Errors
/// There is no store in `folder`, `file` exists, or a file cannot be read or written.
pub fn backup(folder: &Path, file: &Path) -> Result<(), BackupError> {
    let database = folder.join(DATABASE_FILE);
    copy(&open(&database)?, file)
}

/// Makes `folder` a data folder with the store in the backup `file`.
///
/// # Errors
/// `file` is damaged, is not a backup or comes from a newer version; `folder` holds a store already; or a file
/// cannot be read or written.
pub fn restore(file: &Path, folder: &Path) -> Result<(), BackupError> {
    let (connection, _) = open_backup(file)?;
    // The log of a database that is gone would be played into the one that takes its place.
    for suffix in ["", "-wal", "-journal"] {
        refuse_existing(&folder.join(format!("{DATABASE_FILE}{suffix}")))?;
    }
    prepare_folder(folder)?;
    copy(&connection, &folder.join(DATABASE_FILE))
}

/// Opens a backup that this program can go on with and in which nothing is damaged; answers the version of its schema.
pub fn open_backup(file: &Path) -> Result<(Connection, u32), BackupError> {
    let connection = open(file)?;
    let number = |pragma| connection.query_row(pragma, [], |row| row.get::<_, u32>(0));
    // This may be the first look into the file, at which SQLite finds that it is something else.
    let application = number("pragma application_id").map_err(|error| not_ours(file, &error))?;
    let schema = number("pragma user_version").map_err(|error| not_ours(file, &error))?;
    if application != APPLICATION_ID || schema == 0 {
        return Err(not_ours(file, &"another program wrote it"));
    }
    let known = u32::try_from(MIGRATIONS.len()).expect("a handful");
    if schema > known {
        return Err(StoreError::NewerSchema { found: schema, known }.into());
    }
    let verdict: String = connection
        .query_row("pragma integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| not_ours(file, &error))?;
    if verdict == "ok" { Ok((connection, schema)) } else { Err(not_ours(file, &verdict)) }
}

fn open(database: &Path) -> Result<Connection, BackupError> {
    // SQLite would only say that it cannot open the file.
    File::open(database).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BackupError::Missing(database.to_owned()),
        _ => at(database)(error).into(),
    })?;
    open_for_reading(database).map_err(|error| match error {
        StoreError::Sqlite(error) => not_ours(database, &error),
        other => other.into(),
    })
}

/// Writes the database to `target`, which must not exist.
fn copy(connection: &Connection, target: &Path) -> Result<(), BackupError> {
    let part = Part::begin(target)?;
    let name = part.path().to_str().ok_or_else(|| {
        at(part.path())(io::Error::new(io::ErrorKind::InvalidInput, "the path is not valid UTF-8"))
    })?;
    connection.execute("vacuum into $1", [name])?;
    part.finish()
}
