//! Copies of the whole store, keys included, and the way back.
//!
//! A copy is one file, a database of SQLite, whichever engine it was made of; so it can be put back into either, and
//! is the way from one to the other. It is made beside running servers, holds one moment of the store, and appears
//! under its name only when all of it is on disk.

mod part;
mod postgres;
mod rows;
mod sqlite;
mod tables;

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::StoreError;

pub use self::{
    postgres::{backup_postgres, restore_postgres},
    sqlite::{backup, restore},
};

/// Why a copy was not made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something in the place of the copy.
    #[error("{} exists already and is not replaced", .0.display())]
    Exists(PathBuf),
    /// The PostgreSQL database that the copy is for has been used.
    #[error(
        "the database {place} holds a Guardhouse already, which is not replaced: restore into a new database"
    )]
    InUse {
        /// The database.
        place: String,
    },
    /// There is no database to copy.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// There is nothing of Guardhouse in the PostgreSQL database.
    #[error("the database {place} holds no Guardhouse")]
    Empty {
        /// The database.
        place: String,
    },
    /// The file is not a whole database of Guardhouse.
    #[error("{} is not a sound database of Guardhouse: {reason}", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// PostgreSQL refuses a row of the backup.
    #[error("PostgreSQL does not take what is in the table {table}: {reason}")]
    NotTaken {
        /// The table.
        table: String,
        /// What it says, and to which row.
        reason: String,
    },
    /// The store or a file failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

fn not_ours(path: &Path, reason: &impl ToString) -> BackupError {
    BackupError::NotOurs { path: path.to_owned(), reason: reason.to_string() }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.display().to_string();
    |source| StoreError::Folder { path, source }
}
