//! Refresh tokens: each is good for one exchange, and all that descend from one sign-in are a family.

use guardhouse_model::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::{
    AccountRecord, NewRefreshToken, RefreshOutcome, Store, StoreError,
    sql::{Id, Micros},
};

/// Most expired rows that one insert takes away: bounds what a sign-in pays for those before it, and still
/// removes far more than it adds.
const SWEEP: usize = 100;

impl Store {
    /// Keeps the first token of a family. False: there is no such account, nothing was changed.
    pub async fn refresh_token_add(
        &self,
        token: NewRefreshToken,
        family: Uuid,
        account: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |connection| {
                let known = connection
                    .prepare_cached("select 1 from accounts where uuid = $1")?
                    .exists([Id(account)])?;
                if known {
                    insert(connection, &token, Id(family), Id(account), now)?;
                }
                Ok(known)
            })
            .await
    }

    /// Spends the token with `digest` and keeps `successor` in its place. A token that was spent before takes
    /// its whole family with it.
    pub async fn refresh_token_rotate(
        &self,
        digest: [u8; 32],
        successor: NewRefreshToken,
        now: Timestamp,
    ) -> Result<RefreshOutcome, StoreError> {
        self.engine
            .write(move |connection| {
                let Some(token) = find(connection, digest)? else { return Ok(RefreshOutcome::Unknown) };
                if token.spent {
                    connection
                        .prepare_cached("delete from refresh_tokens where family = $1")?
                        .execute([token.family])?;
                    return Ok(RefreshOutcome::Reused);
                }
                if token.expire_time <= now {
                    return Ok(RefreshOutcome::Expired);
                }
                let spent = connection
                    .prepare_cached("update refresh_tokens set spent = 1 where digest = $1 and spent = 0")?
                    .execute([digest])?;
                if spent != 1 {
                    return Err(StoreError::Inconsistent("a refresh token was spent in between".to_owned()));
                }
                insert(connection, &successor, token.family, Id(token.account.uuid), now)?;
                Ok(RefreshOutcome::Rotated(token.account))
            })
            .await
    }
}

struct Found {
    family: Id,
    expire_time: Timestamp,
    spent: bool,
    account: AccountRecord,
}

fn find(connection: &Connection, digest: [u8; 32]) -> Result<Option<Found>, StoreError> {
    let found = connection
        .prepare_cached(
            "select token.family, token.expire_time, token.spent,
                 account.uuid, account.name, account.password_hash, account.access
             from refresh_tokens token join accounts account on account.uuid = token.account_uuid
             where token.digest = $1",
        )?
        .query_row([digest], |row| {
            Ok(Found {
                family: row.get(0)?,
                expire_time: row.get::<_, Micros>(1)?.0,
                spent: row.get(2)?,
                account: AccountRecord {
                    uuid: row.get::<_, Id>(3)?.0,
                    name: row.get(4)?,
                    password_hash: row.get(5)?,
                    access: row.get(6)?,
                },
            })
        })
        .optional()?;
    Ok(found)
}

fn insert(
    connection: &Connection,
    token: &NewRefreshToken,
    family: Id,
    account: Id,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "delete from refresh_tokens where digest in
                 (select digest from refresh_tokens where expire_time <= $1 order by expire_time limit $2)",
        )?
        .execute((Micros(now), SWEEP))?;
    connection
        .prepare_cached(
            "insert into refresh_tokens (digest, family, account_uuid, expire_time) values ($1, $2, $3, $4)",
        )?
        .execute((token.digest, family, account, Micros(token.expire_time)))?;
    Ok(())
}
