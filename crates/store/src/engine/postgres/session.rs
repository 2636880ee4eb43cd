//! One connection, used by one thread.

use std::{cell::RefCell, fmt::Display, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use super::{address::place, wire};
use crate::{
    StoreError,
    engine::{Transaction, Value},
};

/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long the database may take to begin a transaction or to tell the listeners. Neither does any work: a database
/// that needs longer does not answer at all, and who waits is told before they lose patience.
const PROMPT_LIMIT: Duration = Duration::from_secs(5);

/// What PostgreSQL says when it ends a connection or a statement for reasons of its own: classes "connection" and
/// "operator intervention" (shutdowns, time limits).
const INTERRUPTIONS: [&str; 2] = ["08", "57"];

/// A connection that is made when it is needed, and made anew after it was lost.
pub struct Session {
    options: Arc<PgConnectOptions>,
    /// How long a statement may take.
    limit: Duration,
    /// Of this thread alone: a statement costs no hop to another one.
    runtime: Runtime,
    connection: RefCell<Option<PgConnection>>,
    #[cfg(test)]
    tap: crate::engine::tap::Tap,
}

impl Session {
    pub fn new(options: Arc<PgConnectOptions>, limit: Duration) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|source| StoreError::Folder { path: "store-postgres runtime".to_owned(), source })?;
        Ok(Self {
            options,
            limit,
            runtime,
            connection: RefCell::new(None),
            #[cfg(test)]
            tap: crate::engine::tap::Tap::new(),
        })
    }

    /// Runs `job` between `begin` and its commit; an error undoes what it did.
    pub fn transaction<T>(
        &self,
        begin: &'static str,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.begin(begin)?;
        match job(&Transaction::Postgres(self)) {
            Ok(value) => {
                self.batch("commit")?;
                Ok(value)
            }
            Err(error) => {
                if self.batch("rollback").is_err() {
                    self.abandon();
                }
                Err(error)
            }
        }
    }

    /// Carries out a statement; answers how many rows it touched.
    pub fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        let query = self.query(sql, values)?;
        let done = self.run(async |connection| connection.execute(query).await)?;
        Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
    }

    /// All rows of an answer.
    pub fn list(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<PgRow>, StoreError> {
        let query = self.query(sql, values)?;
        self.run(async |connection| connection.fetch_all(query).await)
    }

    /// The first row of an answer, if there is one.
    pub fn find(&self, sql: &str, values: &[Value<'_>]) -> Result<Option<PgRow>, StoreError> {
        let query = self.query(sql, values)?;
        self.run(async |connection| connection.fetch_optional(query).await)
    }

    fn query<'q>(
        &self,
        sql: &'q str,
        values: &[Value<'_>],
    ) -> Result<Query<'q, sqlx::Postgres, PgArguments>, StoreError> {
        #[cfg(test)]
        self.tap.tell(sql, values);
        Ok(sqlx::query_with(AssertSqlSafe(sql), arguments(values)?))
    }

    /// Carries out statements without values.
    pub fn batch(&self, sql: &'static str) -> Result<(), StoreError> {
        self.run(async |connection| connection.execute(sqlx::raw_sql(sql)).await).map(drop)
    }

    fn prompt_batch(&self, sql: &'static str) -> Result<(), StoreError> {
        let ask = async |connection: &mut PgConnection| connection.execute(sqlx::raw_sql(sql)).await;
        self.run_within(self.limit.min(PROMPT_LIMIT), ask).map(drop)
    }

    /// Carries out one statement as a transaction of its own.
    pub fn outside_transaction(&self, sql: &'static str, values: &[Value<'_>]) -> Result<(), StoreError> {
        let find = || {
            let query = self.query(sql, values)?;
            let ask = async |connection: &mut PgConnection| connection.fetch_optional(query).await;
            self.run_within(self.limit.min(PROMPT_LIMIT), ask).map(drop)
        };
        if self.connection.borrow().is_some() {
            match find() {
                Err(StoreError::Unavailable(_)) => {}
                outcome => return outcome,
            }
        }
        self.connect()?;
        find()
    }

    /// Gives the connection up: nobody knows what it is in the middle of.
    pub fn abandon(&self) {
        // Dropping it closes the socket; a farewell would wait for an answer.
        let _guard = self.runtime.enter();
        self.connection.take();
    }

    /// Begins a transaction, on a new connection if there is none or the old one is dead.
    fn begin(&self, begin: &'static str) -> Result<(), StoreError> {
        if self.connection.borrow().is_some() {
            match self.prompt_batch(begin) {
                // Closed by the other side while nobody used it: nothing was lost with it.
                Err(StoreError::Unavailable(_)) => {}
                outcome => return outcome,
            }
        }
        self.connect()?;
        self.prompt_batch(begin)
    }

    /// Makes a connection if there is none.
    pub fn connect(&self) -> Result<(), StoreError> {
        if self.connection.borrow().is_some() {
            return Ok(());
        }
        let made =
            self.runtime.block_on(async { timeout(CONNECT_LIMIT.min(self.limit), self.prepare()).await });
        let failed =
            |reason: &dyn Display| StoreError::Unavailable(format!("{}: {reason}", place(&self.options)));
        let connection =
            made.map_err(|_| failed(&"no connection in time"))?.map_err(|error| failed(&error))?;
        self.connection.replace(Some(connection));
        Ok(())
    }

    async fn prepare(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        // A machine that vanishes in the middle of a transaction must not keep its locks for hours. Twice the limit:
        // this side gives up first.
        let limit = self.limit.as_millis().saturating_mul(2).min(i32::MAX as u128);
        let limits =
            format!("set statement_timeout = {limit}; set idle_in_transaction_session_timeout = {limit}");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(limits))).await?;
        Ok(connection)
    }

    /// Waits for an answer of the database. A connection that fails is given up.
    fn run<T>(
        &self,
        ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        self.run_within(self.limit, ask)
    }

    fn run_within<T>(
        &self,
        limit: Duration,
        ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let mut slot = self.connection.borrow_mut();
        let connection =
            slot.as_mut().ok_or_else(|| StoreError::Unavailable("the connection was lost".to_owned()))?;
        let answer = self.runtime.block_on(async { timeout(limit, ask(connection)).await });
        drop(slot);
        let Ok(answer) = answer else {
            self.abandon();
            return Err(StoreError::Unavailable("no answer in time".to_owned()));
        };
        answer.map_err(|error| match error {
            sqlx::Error::Database(_) if !is_interruption(&error) => StoreError::Postgres(error),
            sqlx::Error::ColumnDecode { .. } => StoreError::Postgres(error),
            lost => {
                self.abandon();
                StoreError::Unavailable(lost.to_string())
            }
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Politely, so that the database does not log a lost client. What cannot be said is not important.
            let _ = self.runtime.block_on(async { timeout(CONNECT_LIMIT, connection.close()).await });
        }
    }
}

/// Whether the database gave up rather than refused.
fn is_interruption(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|refusal| refusal.code());
    code.is_some_and(|code| INTERRUPTIONS.iter().any(|class| code.starts_with(class)))
}

fn arguments(values: &[Value<'_>]) -> Result<PgArguments, StoreError> {
    wire::arguments(values).map_err(|error| StoreError::Postgres(sqlx::Error::Encode(error)))
}
