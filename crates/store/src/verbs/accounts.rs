//! Accounts of administrators and automations.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use crate::{
    AccountRecord, Store, StoreError,
    engine::{Row, Transaction, values},
};

const COLUMNS: &str = "uuid, name, password_hash, access, actions";

/// How it is kept that an account may use every action.
const EVERY_ACTION: &str = "*";

impl Store {
    /// Adds an account. False: its name is taken, nothing was changed.
    pub async fn account_add(&self, account: AccountRecord, now: Timestamp) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let added = transaction.execute(
                    &format!(
                        "insert into accounts ({COLUMNS}, create_time) values ($1, $2, $3, $4, $5, $6)
                         on conflict (name) do nothing"
                    ),
                    values![
                        account.uuid,
                        &account.name,
                        &account.password_hash,
                        account.access,
                        &to_text(account.actions.as_deref()),
                        now
                    ],
                )?;
                Ok(added == 1)
            })
            .await
    }

    /// The account with this name, upper and lower case told apart.
    pub async fn account_find(&self, name: String) -> Result<Option<AccountRecord>, StoreError> {
        // PostgreSQL has no such texts, and would call the question an error.
        if name.contains('\0') {
            return Ok(None);
        }
        self.engine
            .read(move |transaction| {
                let sql = format!("select {COLUMNS} from accounts where name = $1");
                transaction.find(&sql, values![&name], |row| from_row(row, 0))
            })
            .await
    }

    /// One account.
    pub async fn account_get(&self, account: Uuid) -> Result<Option<AccountRecord>, StoreError> {
        self.engine
            .read(move |transaction| {
                let sql = format!("select {COLUMNS} from accounts where uuid = $1");
                transaction.find(&sql, values![account], |row| from_row(row, 0))
            })
            .await
    }

    /// Every account, by name.
    pub async fn accounts_list(&self) -> Result<Vec<AccountRecord>, StoreError> {
        self.engine
            .read(move |transaction| {
                let sql = format!("select {COLUMNS} from accounts order by name");
                transaction.list(&sql, &[], |row| from_row(row, 0))
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
            .write(move |transaction| {
                end_sessions(transaction, &name)?;
                let touched = transaction.execute(
                    "update accounts set password_hash = $1 where name = $2",
                    values![&password_hash, &name],
                )?;
                Ok(touched == 1)
            })
            .await
    }

    /// Says which actions an account may use in tasks; `None`: all of them. False: there is no such account.
    pub async fn account_set_actions(
        &self,
        name: String,
        actions: Option<Vec<String>>,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let touched = transaction.execute(
                    "update accounts set actions = $1 where name = $2",
                    values![&to_text(actions.as_deref()), &name],
                )?;
                Ok(touched == 1)
            })
            .await
    }

    /// Removes an account with its sessions. False: there is no such account.
    pub async fn account_remove(&self, name: String) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                end_sessions(transaction, &name)?;
                let removed = transaction.execute("delete from accounts where name = $1", values![&name])?;
                Ok(removed == 1)
            })
            .await
    }
}

/// Deletes the refresh tokens of an account.
fn end_sessions(transaction: &Transaction<'_>, name: &str) -> Result<(), StoreError> {
    // Who signs in or goes on with a token at this moment is waited for, or waits: no token is overlooked.
    let sql = transaction.locking("select 1 from accounts where name = $1", "for update");
    transaction.exists(&sql, values![name])?;
    transaction.execute(
        "delete from refresh_tokens
             where account_uuid = (select uuid from accounts where name = $1)",
        values![&name],
    )?;
    Ok(())
}

fn to_text(actions: Option<&[String]>) -> String {
    actions.map_or_else(|| EVERY_ACTION.to_owned(), |actions| actions.join(" "))
}

/// What [`to_text`] has written.
fn from_text(text: &str) -> Option<Vec<String>> {
    (text != EVERY_ACTION).then(|| text.split_whitespace().map(str::to_owned).collect())
}

/// An account whose columns begin at `place`.
pub fn from_row(row: &Row<'_>, place: usize) -> Result<AccountRecord, StoreError> {
    Ok(AccountRecord {
        uuid: row.get(place)?,
        name: row.get(place + 1)?,
        password_hash: row.get(place + 2)?,
        access: row.get(place + 3)?,
        actions: from_text(&row.get::<String>(place + 4)?),
    })
}
