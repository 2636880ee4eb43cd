//! A database in memory whose jobs run at once, on the thread that asks.
//!
//! For simulations: they decide the order of everything that happens, and a thread of its own would not obey.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;

use super::{
    connection,
    line::Line,
    migrations::{MIGRATIONS, migrate},
};
use crate::{Listener, StoreError, engine::Transaction};

/// The database, at hand or at the end of a line.
#[derive(Clone)]
pub struct Inline {
    database: Arc<Database>,
    line: Option<Line>,
}

struct Database {
    connection: Mutex<Connection>,
    /// The lines that lead here, whose processes are to hear what is announced.
    lines: Mutex<Vec<Line>>,
}

impl Inline {
    pub fn open() -> Result<Self, StoreError> {
        let mut connection = connection::open_in_memory()?;
        migrate(&mut connection, MIGRATIONS)?;
        let database = Database { connection: Mutex::new(connection), lines: Mutex::default() };
        Ok(Self { database: Arc::new(database), line: None })
    }

    /// The same database as a process at the other end of `line` has it.
    pub fn over(&self, line: Line) -> Self {
        let mut lines = self.database.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // A line that nobody but this list knows is of a process that is gone.
        lines.retain(Line::is_used);
        lines.push(line.clone());
        Self { database: Arc::clone(&self.database), line: Some(line) }
    }

    pub async fn run<T>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(line) = &self.line else { return self.database.run(job) };
        line.ask().await?;
        let answer = self.database.run(job);
        line.answer().await?;
        answer
    }

    /// Tells every process that has a line.
    pub async fn announce(&self, payload: &str) -> Result<(), StoreError> {
        let Some(line) = &self.line else {
            self.database.announce(payload);
            return Ok(());
        };
        line.ask().await?;
        self.database.announce(payload);
        line.answer().await
    }

    /// Hears what is announced; `None` without a line: nobody is told then.
    pub fn listen(&self) -> Option<Listener> {
        self.line.as_ref().map(Line::listen)
    }
}

impl Database {
    fn run<T>(&self, job: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // Rolled back when it is dropped, by an error or a panic.
        let transaction = connection.unchecked_transaction()?;
        let value = job(&Transaction::Sqlite(&transaction))?;
        transaction.commit()?;
        Ok(value)
    }

    fn announce(&self, payload: &str) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().for_each(|line| line.announce(payload));
    }
}

impl fmt::Debug for Inline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inline")
    }
}
