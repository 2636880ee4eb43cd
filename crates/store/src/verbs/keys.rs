//! Secrets of the server itself, by name.

use guardhouse_model::Timestamp;

use crate::{
    KeyRecord, Store, StoreError,
    engine::{Transaction, values},
};

impl Store {
    /// The key with this name.
    pub async fn key_get(&self, name: &'static str) -> Result<Option<KeyRecord>, StoreError> {
        self.engine.read(move |transaction| fetch(transaction, name)).await
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
            .write(move |transaction| {
                transaction.execute(
                    "insert into keys (name, secret, certificate, create_time) values ($1, $2, $3, $4)
                         on conflict (name) do nothing",
                    values![name, &candidate.secret, &candidate.certificate, now],
                )?;
                fetch(transaction, name)?.ok_or_else(|| {
                    StoreError::Inconsistent(format!("key {name} is not there after its insert"))
                })
            })
            .await
    }
}

fn fetch(transaction: &Transaction<'_>, name: &str) -> Result<Option<KeyRecord>, StoreError> {
    let sql = "select secret, certificate from keys where name = $1";
    transaction
        .find(sql, values![name], |row| Ok(KeyRecord { secret: row.get(0)?, certificate: row.get(1)? }))
}
