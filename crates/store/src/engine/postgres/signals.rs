//! NOTIFY and LISTEN: how replicas wake each other. A signal may be lost; whoever listens also looks for itself at
//! times.

use std::{sync::Arc, time::Duration};

use sqlx::{
    Executor as _,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::Session;
use crate::{Signal, StoreError, engine::Value};

/// The one channel. PostgreSQL tells each listener every signal of its channel.
const CHANNEL: &str = "guardhouse";

/// How long nothing may be heard before the connection is tried: half of one that died says nothing for ever.
const SILENCE: Duration = Duration::from_secs(20);

/// How long the database may take to answer the listener.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Rest between two attempts to connect.
const REST: Duration = Duration::from_secs(1);

/// Hears what is announced on the database.
pub struct Listener {
    options: Arc<PgConnectOptions>,
    connection: Option<PgListener>,
}

impl Listener {
    /// A listener that will connect when it is asked for the first signal.
    pub(super) fn new(options: Arc<PgConnectOptions>) -> Self {
        Self { options, connection: None }
    }

    /// The next signal. Connects, and connects again, for as long as it takes. May be dropped at any moment.
    pub async fn next(&mut self) -> Signal {
        loop {
            let Some(connection) = &mut self.connection else {
                match timeout(ANSWER_LIMIT, connect(&self.options)).await {
                    Ok(Ok(connection)) => {
                        self.connection = Some(connection);
                        return Signal::Deaf;
                    }
                    Ok(Err(error)) => warn!(%error, "the database cannot be listened to; trying again"),
                    Err(_) => warn!("the database does not answer the listener; trying again"),
                }
                sleep(REST).await;
                continue;
            };
            match timeout(SILENCE, connection.try_recv()).await {
                Ok(Ok(Some(heard))) => return Signal::Payload(heard.payload().to_owned()),
                Ok(Ok(None) | Err(_)) => self.connection = None,
                Err(_) => {
                    let alive = timeout(ANSWER_LIMIT, connection.execute("select 1")).await;
                    if !matches!(alive, Ok(Ok(_))) {
                        self.connection = None;
                    }
                }
            }
        }
    }
}

/// Tells every listener. Not inside a transaction: those that notify wait for each other up to their commit.
pub fn announce(session: &Session, payload: &str) -> Result<(), StoreError> {
    session.outside_transaction("select pg_notify($1, $2)", &[Value::from(CHANNEL), Value::from(payload)])
}

async fn connect(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    // The driver listens on a connection of a pool: one of one, which is never given back.
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let mut listener = PgListener::connect_with(&pool.connect_with(options.clone()).await?).await?;
    listener.ignore_pool_close_event(true);
    // Reconnecting is ours: the caller is to know that something may have been missed.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
