//! Refresh tokens: each is good for one exchange, and all that descend from one sign-in are a family.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use crate::{
    AccountRecord, NewRefreshToken, RefreshOutcome, Store, StoreError,
    engine::{Transaction, values},
    verbs::accounts,
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
            .write(move |transaction| {
                let sql = transaction.locking("select 1 from accounts where uuid = $1", "for key share");
                let known = transaction.exists(&sql, values![account])?;
                if known {
                    insert(transaction, &token, family, account, now)?;
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
            .write(move |transaction| {
                lock_account(transaction, digest)?;
                let Some(token) = find(transaction, digest)? else { return Ok(RefreshOutcome::Unknown) };
                if token.spent {
                    transaction
                        .execute("delete from refresh_tokens where family = $1", values![token.family])?;
                    return Ok(RefreshOutcome::Reused);
                }
                if token.expire_time <= now {
                    return Ok(RefreshOutcome::Expired);
                }
                let spent = transaction.execute(
                    "update refresh_tokens set spent = 1 where digest = $1 and spent = 0",
                    values![&digest],
                )?;
                if spent != 1 {
                    return Err(StoreError::Inconsistent("a refresh token was spent in between".to_owned()));
                }
                insert(transaction, &successor, token.family, token.account.uuid, now)?;
                Ok(RefreshOutcome::Rotated(token.account))
            })
            .await
    }
}

/// Exchanges of one account go one after the other: two that find reuse would wait for each other's token. Whoever
/// locks both locks the account before its tokens.
fn lock_account(transaction: &Transaction<'_>, digest: [u8; 32]) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = "select 1 from accounts
            where uuid = (select account_uuid from refresh_tokens where digest = $1) for no key update";
        transaction.exists(sql, values![&digest])?;
    }
    Ok(())
}

struct Found {
    family: Uuid,
    expire_time: Timestamp,
    spent: bool,
    account: AccountRecord,
}

fn find(transaction: &Transaction<'_>, digest: [u8; 32]) -> Result<Option<Found>, StoreError> {
    let sql = "select token.family, token.expire_time, token.spent,
                 account.uuid, account.name, account.password_hash, account.access, account.actions
             from refresh_tokens token join accounts account on account.uuid = token.account_uuid
             where token.digest = $1";
    // Two who exchange the same token at the same time: the second is to find it spent.
    transaction.find(&transaction.locking(sql, "for update of token"), values![&digest], |row| {
        Ok(Found {
            family: row.get(0)?,
            expire_time: row.get(1)?,
            spent: row.get(2)?,
            account: accounts::from_row(row, 3)?,
        })
    })
}

fn insert(
    transaction: &Transaction<'_>,
    token: &NewRefreshToken,
    family: Uuid,
    account: Uuid,
    now: Timestamp,
) -> Result<(), StoreError> {
    let expired = "select digest from refresh_tokens where expire_time <= $1 order by expire_time limit $2";
    let which = match transaction {
        Transaction::Sqlite(_) => format!("in ({expired})"),
        // What others are about to take away need not be waited for. As an array the few are looked up; as a set
        // they would be joined with all tokens.
        Transaction::Postgres(_) => format!("= any(array({expired} for update skip locked))"),
    };
    let sql = format!("delete from refresh_tokens where digest {which}");
    transaction.execute(&sql, values![now, SWEEP])?;
    transaction.execute(
        "insert into refresh_tokens (digest, family, account_uuid, expire_time) values ($1, $2, $3, $4)",
        values![&token.digest, family, account, token.expire_time],
    )?;
    Ok(())
}
