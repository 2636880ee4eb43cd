//! Accounts of administrators and automations.

use guardhouse_model::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
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

    /// Every account, by name.
    pub async fn accounts_list(&self) -> Result<Vec<AccountRecord>, StoreError> {
        self.engine
            .read(move |connection| {
                let sql = format!("select {COLUMNS} from accounts order by name");
                let mut statement = connection.prepare_cached(&sql)?;
                let accounts = statement.query_map([], from_row)?;
                Ok(accounts.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Gives an account another password and ends its sessions. False: there is no such account.
    pub async fn account_set_password(
        &self,
        name: String,
        password_hash: String,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |connection| {
                end_sessions(connection, &name)?;
                let touched = connection
                    .prepare_cached("update accounts set password_hash = $1 where name = $2")?
                    .execute((password_hash, name))?;
                Ok(touched == 1)
            })
            .await
    }

    /// Removes an account with its sessions. False: there is no such account.
    pub async fn account_remove(&self, name: String) -> Result<bool, StoreError> {
        self.engine
            .write(move |connection| {
                end_sessions(connection, &name)?;
                let removed =
                    connection.prepare_cached("delete from accounts where name = $1")?.execute([name])?;
                Ok(removed == 1)
            })
            .await
    }
}

/// Deletes the refresh tokens of an account.
fn end_sessions(connection: &Connection, name: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "delete from refresh_tokens
             where account_uuid = (select uuid from accounts where name = $1)",
        )?
        .execute([name])?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<AccountRecord> {
    Ok(AccountRecord {
        uuid: row.get::<_, Id>(0)?.0,
        name: row.get(1)?,
        password_hash: row.get(2)?,
        access: row.get(3)?,
    })
}
