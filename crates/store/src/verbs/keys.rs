//! Secrets of the server itself, by name.

use guardhouse_model::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use crate::{KeyRecord, Store, StoreError, sql::Micros};

impl Store {
    /// The key with this name.
    pub async fn key_get(&self, name: &'static str) -> Result<Option<KeyRecord>, StoreError> {
        self.engine.read(move |connection| fetch(connection, name)).await
    }

    /// Keeps `candidate` unless there is a key with this name already, and answers the key that is kept: of
    /// several processes that start at once, all go on with the same one.
    pub async fn key_settle(
        &self,
        name: &'static str,
        candidate: KeyRecord,
        now: Timestamp,
    ) -> Result<KeyRecord, StoreError> {
        self.engine
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "insert into keys (name, secret, certificate, create_time) values ($1, $2, $3, $4)
                         on conflict (name) do nothing",
                    )?
                    .execute((name, candidate.secret, candidate.certificate, Micros(now)))?;
                fetch(connection, name)?.ok_or_else(|| {
                    StoreError::Inconsistent(format!("key {name} is not there after its insert"))
                })
            })
            .await
    }
}

fn fetch(connection: &Connection, name: &str) -> Result<Option<KeyRecord>, StoreError> {
    let key = connection
        .prepare_cached("select secret, certificate from keys where name = $1")?
        .query_row([name], |row| Ok(KeyRecord { secret: row.get(0)?, certificate: row.get(1)? }))
        .optional()?;
    Ok(key)
}
