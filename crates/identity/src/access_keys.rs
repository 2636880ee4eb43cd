//! Access keys, with which programs sign their requests instead of bringing a token along.
//!
//! A key has a public part, which every request names, and a secret, by which the request is signed. It belongs to an
//! account and may do what the account may at that moment. A temporary one expires, and has a security token besides,
//! which every request brings along and signs, too.
//!
//! To check a signature the server needs the secret itself; no digest of it would do. Secrets are kept encrypted
//! (`sealing.rs`) with a key that the store keeps in another table. That protects them where rows of the one table get
//! out alone: by a query in a log, a statement that was led astray, a copy of a table. It does not protect them from
//! somebody who has the whole database, the data folder or a backup: who has those is the server.

use std::{fmt, time::Duration};

use guardhouse_contract::Account;
use guardhouse_model::{Environment, Timestamp};
use guardhouse_store::{AccessKeyRecord, NewAccessKey, SignedRequest, Store, Temporary};

use crate::{Failure, accounts, digest::sha256, sealing::Sealing};

/// How the public part of a key begins.
const PREFIX: &str = "GH";
/// How the public part of a temporary key begins: clients tell by that to send the security token.
const TEMPORARY_PREFIX: &str = "STS.";
/// Characters of a public part behind `GH`.
const ID_LENGTH: usize = 22;
/// Characters of a secret.
const SECRET_LENGTH: usize = 40;
/// Characters of a security token.
const TOKEN_LENGTH: usize = 64;
/// Most characters of a description.
pub const MAX_DESCRIPTION: usize = 255;
/// Rows that are read at a time.
const PAGE: usize = 500;

/// Creates access keys and knows them again. Clones share everything.
#[derive(Debug, Clone)]
pub struct AccessKeys {
    store: Store,
    environment: Environment,
    sealing: Sealing,
}

/// A key that was just created. Its secret and its token are here and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct CreatedKey {
    /// The public part.
    pub id: String,
    /// The secret.
    pub secret: String,
    /// The security token of a temporary key.
    pub security_token: Option<String>,
    /// A temporary key is refused from then on.
    pub expire_time: Option<Timestamp>,
}

/// Shows no secret.
impl fmt::Debug for CreatedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A key as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public part.
    pub id: String,
    /// Whose it is.
    pub account: Account,
    /// What somebody wrote down about it.
    pub description: String,
    /// Whether requests with it are accepted, as far as somebody decided.
    pub is_active: bool,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it was used last; at most an hour too early.
    pub use_time: Option<Timestamp>,
    /// A temporary key is refused from then on.
    pub expire_time: Option<Timestamp>,
}

/// A key that a request names, with what is needed to check the request.
#[derive(Clone)]
pub struct KnownKey {
    /// The public part.
    pub id: String,
    /// Whose it is.
    pub account: Account,
    /// The secret.
    pub secret: Vec<u8>,
    /// Whether requests with it are accepted, as far as somebody decided.
    pub is_active: bool,
    temporary: Option<Temporary>,
}

/// Shows no secret.
impl fmt::Debug for KnownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why the security token of a request does not fit its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecurityTokenError {
    /// The key is temporary, and the request brings no token.
    #[error("the access key is a temporary one: send the security token that was created with it")]
    Missing,
    /// It is another token, or the key has none.
    #[error("the security token is not that of the access key")]
    Wrong,
    /// The time of the key is over.
    #[error("the temporary access key has expired: create another one")]
    Expired,
}

/// Why a key was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessKeyError {
    /// No account has the name.
    #[error("there is no account {0:?}")]
    UnknownAccount(String),
    /// No key has the public part.
    #[error("there is no access key {0:?}")]
    Unknown(String),
    /// The description cannot be one.
    #[error(
        "the description must have at most {MAX_DESCRIPTION} characters, none of them a control character"
    )]
    Description,
    /// A lifetime that is no time, or ends beyond the calendar.
    #[error("a temporary access key must live for at least a second and expire before the year 9999")]
    Lifetime,
    /// Not the caller's fault.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl AccessKeys {
    /// The access keys in `store`. The key for their secrets is made when there is none yet.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn open(store: Store, environment: Environment) -> Result<Self, Failure> {
        let sealing = Sealing::load_or_create(&store, &environment).await?;
        Ok(Self { store, environment, sealing })
    }

    /// Creates a key for the account with this name; with a `lifetime`, a temporary one.
    ///
    /// # Errors
    /// [`AccessKeyError`] says what is wrong.
    pub async fn create(
        &self,
        account: &str,
        description: &str,
        lifetime: Option<Duration>,
    ) -> Result<CreatedKey, AccessKeyError> {
        check_description(description)?;
        let now = self.environment.now();
        let expire_time = lifetime.map(|lifetime| expiry(now, lifetime)).transpose()?;
        let unknown = || AccessKeyError::UnknownAccount(account.to_owned());
        let owner = self.store.account_find(account.to_owned()).await.map_err(Failure::from)?;
        let owner = owner.ok_or_else(unknown)?;

        let prefix = if expire_time.is_some() { TEMPORARY_PREFIX } else { "" };
        let id = format!("{prefix}{PREFIX}{}", self.random_text(ID_LENGTH));
        let secret = self.random_text(SECRET_LENGTH);
        let security_token = expire_time.map(|_| self.random_text(TOKEN_LENGTH));
        let temporary = security_token
            .as_ref()
            .zip(expire_time)
            .map(|(token, expire_time)| Temporary { token_digest: sha256(token.as_bytes()), expire_time });
        let key = NewAccessKey {
            sealed_secret: self.sealing.seal(&id, secret.as_bytes(), &self.environment)?,
            id: id.clone(),
            account: owner.uuid,
            description: description.to_owned(),
            temporary,
        };
        // The account may have been removed a moment ago.
        let added = self.store.access_key_add(key, now).await.map_err(Failure::from)?;
        if added { Ok(CreatedKey { id, secret, security_token, expire_time }) } else { Err(unknown()) }
    }

    /// Every key, or every key of the account with this name, by their public parts.
    ///
    /// # Errors
    /// [`AccessKeyError`]: there is no such account.
    pub async fn list(&self, account: Option<&str>) -> Result<Vec<AccessKey>, AccessKeyError> {
        let owner = match account {
            None => None,
            Some(name) => {
                let owner = self.store.account_find(name.to_owned()).await.map_err(Failure::from)?;
                Some(owner.ok_or_else(|| AccessKeyError::UnknownAccount(name.to_owned()))?.uuid)
            }
        };
        let mut keys: Vec<AccessKey> = Vec::new();
        loop {
            let after = keys.last().map(|key| key.id.clone());
            let page = self.store.access_keys_list(owner, after, PAGE).await.map_err(Failure::from)?;
            let is_last = page.len() < PAGE;
            for record in page {
                keys.push(shown(record)?);
            }
            if is_last {
                return Ok(keys);
            }
        }
    }

    /// Says whether requests with a key are accepted. A request that is being answered is answered.
    ///
    /// # Errors
    /// [`AccessKeyError`]: there is no such key.
    pub async fn set_active(&self, id: &str, is_active: bool) -> Result<(), AccessKeyError> {
        let known =
            self.store.access_key_set_active(id.to_owned(), is_active).await.map_err(Failure::from)?;
        if known { Ok(()) } else { Err(AccessKeyError::Unknown(id.to_owned())) }
    }

    /// Removes a key for good.
    ///
    /// # Errors
    /// [`AccessKeyError`]: there is no such key.
    pub async fn revoke(&self, id: &str) -> Result<(), AccessKeyError> {
        let known = self.store.access_key_remove(id.to_owned()).await.map_err(Failure::from)?;
        if known { Ok(()) } else { Err(AccessKeyError::Unknown(id.to_owned())) }
    }

    /// The key that a request names. Whether it may be used, its fields say.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn find(&self, id: &str) -> Result<Option<KnownKey>, Failure> {
        let Some(record) = self.store.access_key_find(id.to_owned()).await? else { return Ok(None) };
        Ok(Some(KnownKey {
            secret: self.sealing.open(&record.id, &record.sealed_secret)?,
            account: accounts::from_record(record.account)?,
            id: record.id,
            is_active: record.is_active,
            temporary: record.temporary,
        }))
    }

    /// Notes that a request which `key` has signed is carried out. It is too old to be accepted from `expire_time` on.
    /// False: its nonce came before, and it must not be carried out.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn accept(&self, key: &KnownKey, nonce: &str, expire_time: Timestamp) -> Result<bool, Failure> {
        // No public part has a line end in it: no two pairs make the same text.
        let nonce_digest = sha256(format!("{}\n{nonce}", key.id).as_bytes());
        let (access_key, now) = (key.id.clone(), self.environment.now());
        let request = SignedRequest { access_key, nonce_digest, expire_time, now };
        Ok(self.store.signed_request_accept(request).await?)
    }

    /// A text that nobody guesses: letters and digits, each of them as likely as every other.
    fn random_text(&self, length: usize) -> String {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(length);
        while text.len() < length {
            // Those beyond the alphabet are left out, so that no character is likelier than another.
            let drawn = self.environment.random::<32>().into_iter().map(|byte| usize::from(byte >> 2));
            let characters = drawn.filter_map(|place| ALPHABET.get(place).copied().map(char::from));
            text.extend(characters.take(length - text.len()));
        }
        text
    }
}

impl KnownKey {
    /// Checks the security token that came with a request at `now`; `None`: there was none.
    ///
    /// # Errors
    /// [`SecurityTokenError`].
    pub fn check_token(&self, token: Option<&str>, now: Timestamp) -> Result<(), SecurityTokenError> {
        match (&self.temporary, token) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(SecurityTokenError::Wrong),
            (Some(_), None) => Err(SecurityTokenError::Missing),
            // Digests are compared: how long that takes tells nothing of the token.
            (Some(own), Some(token)) if own.token_digest != sha256(token.as_bytes()) => {
                Err(SecurityTokenError::Wrong)
            }
            (Some(own), Some(_)) if own.expire_time <= now => Err(SecurityTokenError::Expired),
            (Some(_), Some(_)) => Ok(()),
        }
    }
}

fn expiry(now: Timestamp, lifetime: Duration) -> Result<Timestamp, AccessKeyError> {
    if lifetime < Duration::from_secs(1) {
        return Err(AccessKeyError::Lifetime);
    }
    now.checked_add(lifetime).map_err(|_| AccessKeyError::Lifetime)
}

fn check_description(text: &str) -> Result<(), AccessKeyError> {
    let good = text.chars().count() <= MAX_DESCRIPTION && !text.chars().any(char::is_control);
    if good { Ok(()) } else { Err(AccessKeyError::Description) }
}

fn shown(record: AccessKeyRecord) -> Result<AccessKey, Failure> {
    Ok(AccessKey {
        id: record.id,
        account: accounts::from_record(record.account)?,
        description: record.description,
        is_active: record.is_active,
        create_time: record.create_time,
        use_time: record.use_time,
        expire_time: record.temporary.map(|temporary| temporary.expire_time),
    })
}

#[cfg(test)]
mod tests;
