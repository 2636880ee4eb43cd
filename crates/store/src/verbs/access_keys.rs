//! Access keys, with which programs sign their requests, and the nonces of those requests.

use std::time::Duration;

use guardhouse_model::Timestamp;
use uuid::Uuid;

use crate::{
    AccessKeyRecord, Lease, NewAccessKey, SignedRequest, Store, StoreError, Temporary,
    engine::{Row, Transaction, values},
    verbs::{accounts, leases},
};

/// Keys with their accounts, in the order of [`from_row`].
const KEYS: &str =
    "select key.id, key.sealed_secret, key.description, key.active, key.create_time, key.use_time,
        key.token_digest, key.expire_time,
        account.uuid, account.name, account.password_hash, account.access, account.actions
    from access_keys key join accounts account on account.uuid = key.account_uuid";

impl Store {
    /// How far what is known of the last use of an access key may be behind: a key in constant use is written
    /// to once in this time.
    pub const ACCESS_KEY_USE_STEP: Duration = Duration::from_secs(3_600);

    /// Adds an access key. False: there is no such account, nothing was changed.
    pub async fn access_key_add(&self, key: NewAccessKey, now: Timestamp) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = transaction.locking("select 1 from accounts where uuid = $1", "for key share");
                let known = transaction.exists(&sql, values![key.account])?;
                if known {
                    let (digest, expire) = (
                        key.temporary.map(|temporary| temporary.token_digest),
                        key.temporary.map(|temporary| temporary.expire_time),
                    );
                    transaction.execute(
                        "insert into access_keys (id, account_uuid, sealed_secret, description, active,
                             create_time, token_digest, expire_time)
                         values ($1, $2, $3, $4, 1, $5, $6, $7)",
                        values![
                            &key.id,
                            key.account,
                            &key.sealed_secret,
                            &key.description,
                            now,
                            &digest,
                            expire
                        ],
                    )?;
                }
                Ok(known)
            })
            .await
    }

    /// The access key with this public part, upper and lower case told apart.
    pub async fn access_key_find(&self, id: String) -> Result<Option<AccessKeyRecord>, StoreError> {
        // PostgreSQL has no such texts, and would call the question an error.
        if id.contains('\0') {
            return Ok(None);
        }
        self.engine
            .read(move |transaction| {
                transaction.find(&format!("{KEYS} where key.id = $1"), values![&id], from_row)
            })
            .await
    }

    /// Up to `limit` access keys after `after`, of one account or of all, by their public parts.
    pub async fn access_keys_list(
        &self,
        account: Option<Uuid>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<AccessKeyRecord>, StoreError> {
        self.engine
            .read(move |transaction| {
                let after = after.unwrap_or_default();
                match account {
                    Some(account) => {
                        let sql = format!(
                            "{KEYS} where key.account_uuid = $1 and key.id > $2 order by key.id limit $3"
                        );
                        transaction.list(&sql, values![account, &after, limit], from_row)
                    }
                    None => {
                        let sql = format!("{KEYS} where key.id > $1 order by key.id limit $2");
                        transaction.list(&sql, values![&after, limit], from_row)
                    }
                }
            })
            .await
    }

    /// Says whether requests with an access key are accepted. False: there is no such key.
    pub async fn access_key_set_active(&self, id: String, is_active: bool) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "update access_keys set active = $1 where id = $2";
                Ok(transaction.execute(sql, values![is_active, &id])? == 1)
            })
            .await
    }

    /// Removes an access key. False: there is no such key.
    pub async fn access_key_remove(&self, id: String) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "delete from access_keys where id = $1";
                Ok(transaction.execute(sql, values![&id])? == 1)
            })
            .await
    }

    /// Notes that a signed request is carried out. False: its nonce was used before, and it must not be.
    pub async fn signed_request_accept(&self, request: SignedRequest) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let is_new = transaction.execute(
                    "insert into request_nonces (digest, expire_time) values ($1, $2)
                     on conflict (digest) do nothing",
                    values![&request.nonce_digest, request.expire_time],
                )?;
                if is_new == 0 {
                    return Ok(false);
                }
                let step = Self::ACCESS_KEY_USE_STEP;
                let old = request.now.checked_sub(step).unwrap_or(Timestamp::MIN);
                transaction.execute(
                    "update access_keys set use_time = $1
                     where id = $2 and (use_time is null or use_time <= $3)",
                    values![request.now, &request.access_key, old],
                )?;
                Ok(true)
            })
            .await
    }

    /// Forgets up to `limit` nonces of requests that have been too old since `before`. Answers how many.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn request_nonces_expire(
        &self,
        lease: Lease,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let expired =
            "select digest from request_nonces where expire_time < $1 order by expire_time limit $2";
        self.expire(lease, "request_nonces where digest", expired, before, limit).await
    }

    /// Removes up to `limit` temporary access keys that expired before `before`. Answers how many.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn access_keys_expire(
        &self,
        lease: Lease,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let expired = "select id from access_keys where expire_time < $1 order by expire_time limit $2";
        self.expire(lease, "access_keys where id", expired, before, limit).await
    }

    /// Deletes from `table` those rows whose keys the query `expired` names. The lease is looked at where there is
    /// something to delete.
    async fn expire(
        &self,
        lease: Lease,
        table: &'static str,
        expired: &'static str,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let found = self
            .engine
            .read(move |transaction| transaction.exists(expired, values![before, 1_usize]))
            .await?;
        if !found {
            return Ok(0);
        }
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                let which = match transaction {
                    Transaction::Sqlite(_) => format!("in ({expired})"),
                    // As an array the few are looked up; as a set they would be joined with all. Nobody who deletes
                    // one by hand is waited for.
                    Transaction::Postgres(_) => format!("= any(array({expired} for update skip locked))"),
                };
                transaction.execute(&format!("delete from {table} {which}"), values![before, limit])
            })
            .await
    }
}

fn from_row(row: &Row<'_>) -> Result<AccessKeyRecord, StoreError> {
    let temporary = match (row.get::<Option<[u8; 32]>>(6)?, row.get::<Option<Timestamp>>(7)?) {
        (Some(token_digest), Some(expire_time)) => Some(Temporary { token_digest, expire_time }),
        (None, None) => None,
        _ => return Err(StoreError::Inconsistent("an access key is half a temporary one".to_owned())),
    };
    Ok(AccessKeyRecord {
        id: row.get(0)?,
        sealed_secret: row.get(1)?,
        description: row.get(2)?,
        is_active: row.get(3)?,
        create_time: row.get(4)?,
        use_time: row.get(5)?,
        temporary,
        account: accounts::from_row(row, 8)?,
    })
}
