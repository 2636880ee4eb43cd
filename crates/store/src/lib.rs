//! What Guardhouse keeps, as verbs.
//!
//! A verb is one transaction: it is done and on disk when it answers, or nothing of it happened. Services and
//! reconcilers never see SQL, connections or open transactions.
//!
//! Resource first, verb second (`devices_import`, `task_runs_claim`): a search for a resource finds all that
//! can be done with it. What does not exist is an answer (`None`, an outcome), never an error.

mod backup;
mod engine;
mod error;
#[cfg(test)]
mod plans;
mod records;
mod verbs;

// Fixtures that unit tests share with the tests of the crate name it from outside.
#[cfg(test)]
extern crate self as guardhouse_store;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use engine::{Engine, Postgres, Sqlite};
use verbs::Rules;

pub use backup::{BackupError, backup, backup_postgres, restore, restore_postgres};
pub use engine::{Line, Listener, Reach, Signal};
pub use error::StoreError;
pub use records::*;

/// Name of the database file in the data folder.
pub const DATABASE_FILE: &str = "guardhouse.db";

/// The store. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Engine,
    rules: Rules,
}

impl Store {
    /// Opens the store in `folder` and makes it if it is not there.
    ///
    /// Several processes may have the same folder open: administration commands work beside a running server.
    ///
    /// # Errors
    /// The folder or the database cannot be used, or a newer version of Guardhouse wrote it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        prepare_folder(folder)?;
        Ok(Self::on(Engine::Sqlite(Sqlite::open(&folder.join(DATABASE_FILE))?)))
    }

    /// Opens the store in the PostgreSQL database at `url`, which any number of processes may share.
    ///
    /// # Errors
    /// The address is wrong, the database cannot be reached, or a newer version of Guardhouse wrote it.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Ok(Self::on(Engine::Postgres(Postgres::open(url).await?)))
    }

    /// A new store in memory, whose verbs run at once on the thread of their caller: for simulations, which decide
    /// the order of everything themselves.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self::on(Engine::Sqlite(Sqlite::in_memory()?)))
    }

    /// The store in memory as another process of a simulation has it, at the other end of `line`. `None`: this store
    /// is not in memory.
    #[must_use]
    pub fn over(&self, line: Line) -> Option<Self> {
        let Engine::Sqlite(sqlite) = &self.engine else { return None };
        Some(Self::on(Engine::Sqlite(sqlite.over(line)?)))
    }

    /// Whether other processes may serve from this store at the same time.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    fn on(engine: Engine) -> Self {
        Self { engine, rules: Rules::default() }
    }
}

/// Makes the data folder if it is not there. It holds keys: it belongs to the account of the server alone.
fn prepare_folder(folder: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Folder { path: folder.display().to_string(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)
}
