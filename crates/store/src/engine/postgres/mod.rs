//! PostgreSQL underneath: a few threads with a connection each, which take jobs from one queue.

mod address;
mod migrations;
mod session;
mod signals;
mod wire;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::postgres::PgConnectOptions;
use tokio::sync::oneshot;

use self::address::Address;
use crate::{
    StoreError,
    engine::{Transaction, crew::Crew},
};

pub use self::{
    address::{options, place},
    migrations::{MIGRATIONS, VERSION_TABLE},
    session::Session,
    signals::Listener,
    wire::{column, id},
};

/// How long a step of the schema may take, or another replica that applies one may be waited for.
const MIGRATION_LIMIT: Duration = Duration::from_secs(3600);

/// How long a job may wait for a connection. While the database does not answer, jobs would otherwise wait for each
/// other's time limits.
const QUEUE_LIMIT: Duration = Duration::from_secs(10);

/// A database of PostgreSQL.
#[derive(Clone)]
pub struct Postgres {
    crew: Crew<Session>,
    options: Arc<PgConnectOptions>,
}

impl Postgres {
    /// Connects and brings the schema up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let Address { options, connections, statement_limit } = Address::parse(url)?;
        let options = Arc::new(options);
        let session = |limit| Session::new(Arc::clone(&options), limit);
        let sessions = (0..connections.get()).map(|_| session(statement_limit)).collect::<Result<_, _>>()?;
        let migrator = session(MIGRATION_LIMIT.max(statement_limit))?;
        let postgres = Self { crew: Crew::start("store-postgres", sessions)?, options };
        postgres.submit(move |_| migrations::migrate(&migrator, MIGRATIONS)).await?;
        Ok(postgres)
    }

    /// Runs `job` in a transaction and answers after its commit is on disk.
    ///
    /// Other transactions run beside it (`read committed`): a verb that decides by what it read takes a lock.
    pub async fn write<T, J>(&self, job: J) -> Result<T, StoreError>
    where
        T: Send + 'static,
        J: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.submit(|session| session.transaction("begin isolation level read committed", job)).await
    }

    /// Runs `job` on one consistent snapshot.
    pub async fn read<T, J>(&self, job: J) -> Result<T, StoreError>
    where
        T: Send + 'static,
        J: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.submit(|session| session.transaction("begin isolation level repeatable read, read only", job))
            .await
    }

    /// Tells every listener on this database that something happened.
    pub async fn announce(&self, payload: String) -> Result<(), StoreError> {
        self.submit(move |session| signals::announce(session, &payload)).await
    }

    /// Hears what is announced from now on.
    pub fn listen(&self) -> Listener {
        Listener::new(Arc::clone(&self.options))
    }

    async fn submit<T, J>(&self, job: J) -> Result<T, StoreError>
    where
        T: Send + 'static,
        J: FnOnce(&Session) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let asked = now();
        self.crew.give(move |session| {
            let outcome = if now().duration_since(asked) > QUEUE_LIMIT {
                // Those before it waited in vain for an answer, or there is more to do than the database can.
                Err(StoreError::Unavailable("no connection was free in time".to_owned()))
            } else {
                // A panic must not take the thread along.
                catch_unwind(AssertUnwindSafe(|| job(session))).unwrap_or_else(|_| {
                    session.abandon();
                    Err(StoreError::Panicked)
                })
            };
            // The caller may have gone away; the change stands all the same.
            let _ = answer.send(outcome);
        })?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postgres")
    }
}

#[allow(clippy::disallowed_methods, reason = "how long somebody waited; nothing that is kept depends on it")]
fn now() -> Instant {
    Instant::now()
}
