//! Accounts of administrators and automations.

use guardhouse_model::Timestamp;
use rusqlite::{OptionalExtension as _, Row};
use uuid::Uuid;

use crate::{
    AccountRecord, Store, StoreError,
    sql::{Id, Micros},
};

const COLUMNS: &str = "uuid, name, password_hash, access";

impl Store {
    /// Adds an account. False: its name is taken, nothing was changed.
    pub async fn account_add(&self, account: AccountRecord, now: Timestamp) -> Result<bool, StoreError> {
        self.engine
            .write(move |connection| {
                let added = connection
                    .prepare_cached(&format!(
                        "insert into accounts ({COLUMNS}, create_time) values ($1, $2, $3, $4, $5)
                         on conflict (name) do nothing"
                    ))?
                    .execute((
                        Id(account.uuid),
                        account.name,
                        account.password_hash,
                        account.access,
                        Micros(now),
                    ))?;
                Ok(added == 1)
            })
            .await
    }

    /// The account with this name, upper and lower case told apart.
    pub async fn account_find(&self, name: String) -> Result<Option<AccountRecord>, StoreError> {
        self.engine
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(&format!("select {COLUMNS} from accounts where name = $1"))?
                    .query_row([name], from_row)
                    .optional()?)
            })
            .await
    }

    /// One account.
    pub async fn account_get(&self, account: Uuid) -> Result<Option<AccountRecord>, StoreError> {
        self.engine
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(&format!("select {COLUMNS} from accounts where uuid = $1"))?
                    .query_row([Id(account)], from_row)
                    .optional()?)
            })
            .await
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<AccountRecord> {
    Ok(AccountRecord {
        uuid: row.get::<_, Id>(0)?.0,
        name: row.get(1)?,
        password_hash: row.get(2)?,
        access: row.get(3)?,
    })
}
