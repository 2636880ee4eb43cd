//! Copies of the whole store, keys included, and the way back.
//!
//! Both ways go through `vacuum into`: a consistent snapshot beside a running server, in one file that needs no
//! write-ahead log. A copy appears under its name only when all of it is on disk.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::{
    DATABASE_FILE, StoreError,
    engine::{APPLICATION_ID, MIGRATIONS, open_for_reading},
    prepare_folder,
};

/// Why a copy was not made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something in the place of the copy.
    #[error("{} exists already and is not replaced", .0.display())]
    Exists(PathBuf),
    /// There is no database to copy.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// The file is not a whole database of Guardhouse.
    #[error("{} is not a sound database of Guardhouse: {reason}", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The store or a file failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the store in `folder` to the new file `file`, readable for its owner only. Servers on the folder go
/// on meanwhile.
///
/// # Errors
/// There is no store in `folder`, `file` exists, or a file cannot be read or written.
pub fn backup(folder: &Path, file: &Path) -> Result<(), BackupError> {
    let database = folder.join(DATABASE_FILE);
    copy(&open(&database)?, file)
}

/// Makes `folder` a data folder with the store that [`backup`] wrote to `file`.
///
/// # Errors
/// `file` is damaged, is not a backup or comes from a newer version; `folder` holds a store already; or a file
/// cannot be read or written.
pub fn restore(file: &Path, folder: &Path) -> Result<(), BackupError> {
    let connection = open(file)?;
    check(&connection, file)?;
    // The log of a database that is gone would be played into the one that takes its place.
    for suffix in ["", "-wal", "-journal"] {
        refuse_existing(&folder.join(format!("{DATABASE_FILE}{suffix}")))?;
    }
    prepare_folder(folder)?;
    copy(&connection, &folder.join(DATABASE_FILE))
}

fn open(database: &Path) -> Result<Connection, BackupError> {
    // SQLite would only say that it cannot open the file.
    File::open(database).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BackupError::Missing(database.to_owned()),
        _ => at(database)(error).into(),
    })?;
    open_for_reading(database).map_err(|error| match error {
        StoreError::Database(error) => not_ours(database, &error),
        other => other.into(),
    })
}

/// Whether this program can go on with the database, and nothing in it is damaged.
fn check(connection: &Connection, file: &Path) -> Result<(), BackupError> {
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
    if verdict == "ok" { Ok(()) } else { Err(not_ours(file, &verdict)) }
}

/// Writes the database to `target`, which must not exist.
fn copy(connection: &Connection, target: &Path) -> Result<(), BackupError> {
    let mut part = target.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    // Empty, so that SQLite fills it and keeps the mode: the copy holds keys. While it is there nobody else
    // copies to the same target.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(|error| {
        match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(part.clone()),
            _ => at(&part)(error).into(),
        }
    })?;
    fill(connection, &part, target).inspect_err(|_| {
        // What went wrong is what counts; a part that stays behind says so to the next attempt.
        let _ = fs::remove_file(&part);
    })?;
    let folder = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
    Ok(())
}

fn fill(connection: &Connection, part: &Path, target: &Path) -> Result<(), BackupError> {
    refuse_existing(target)?;
    let name = part.to_str().ok_or_else(|| {
        at(part)(io::Error::new(io::ErrorKind::InvalidInput, "the path is not valid UTF-8"))
    })?;
    connection.execute("vacuum into $1", [name]).map_err(StoreError::from)?;
    File::open(part).and_then(|file| file.sync_all()).map_err(at(part))?;
    Ok(fs::rename(part, target).map_err(at(target))?)
}

fn refuse_existing(path: &Path) -> Result<(), BackupError> {
    // A dangling link is something, too.
    match path.symlink_metadata() {
        Ok(_) => Err(BackupError::Exists(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(path)(error).into()),
    }
}

fn not_ours(path: &Path, reason: &impl ToString) -> BackupError {
    BackupError::NotOurs { path: path.to_owned(), reason: reason.to_string() }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.display().to_string();
    |source| StoreError::Folder { path, source }
}
