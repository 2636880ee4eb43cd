//! Accounts, refresh tokens, and the keys of the server.

use std::ops::Range;

use guardhouse_model::Timestamp;
use guardhouse_store::{AccountRecord, KeyRecord, NewRefreshToken, RefreshOutcome};
use proptest::{
    prelude::*,
    sample::{Select, select},
};
use uuid::Uuid;

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    pools::{SECONDS, at, spread},
};

pub const ACCOUNTS: Range<u8> = 0..3;
pub const REFRESH_TOKENS: Range<u8> = 0..5;
/// Most tokens outlive most commands.
const EXPIRIES: Range<u8> = 10..60;
pub const KEYS: [&str; 2] = ["authority", "tokens"];

/// A refresh token that was given out.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    family: Uuid,
    account: Uuid,
    expire_time: Timestamp,
    spent: bool,
}

impl Model {
    pub fn account_add(&mut self, account: AccountRecord, _: Timestamp) -> Result<bool, Refusal> {
        if self.accounts.contains_key(&account.name) {
            return Ok(false);
        }
        if self.account_get(account.uuid).is_some() {
            return Err(Refusal::Taken);
        }
        self.accounts.insert(account.name.clone(), account);
        Ok(true)
    }

    pub fn account_find(&self, name: String) -> Option<AccountRecord> {
        self.accounts.get(&name).cloned()
    }

    pub fn account_get(&self, account: Uuid) -> Option<AccountRecord> {
        self.accounts.values().find(|known| known.uuid == account).cloned()
    }

    pub fn accounts_list(&self) -> Vec<AccountRecord> {
        self.accounts.values().cloned().collect()
    }

    pub fn account_set_password(&mut self, name: String, password_hash: String) -> bool {
        let Some(account) = self.accounts.get_mut(&name) else { return false };
        account.password_hash = password_hash;
        let uuid = account.uuid;
        self.refresh_tokens.retain(|_, token| token.account != uuid);
        true
    }

    pub fn account_remove(&mut self, name: String) -> bool {
        let Some(account) = self.accounts.remove(&name) else { return false };
        self.refresh_tokens.retain(|_, token| token.account != account.uuid);
        self.access_keys.retain(|_, key| key.account.uuid != account.uuid);
        true
    }

    pub fn refresh_token_add(
        &mut self,
        token: NewRefreshToken,
        family: Uuid,
        account: Uuid,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        if self.account_get(account).is_none() {
            return Ok(false);
        }
        self.keep_refresh_token(token, family, account, now)?;
        Ok(true)
    }

    pub fn refresh_token_rotate(
        &mut self,
        digest: [u8; 32],
        successor: NewRefreshToken,
        now: Timestamp,
    ) -> Result<RefreshOutcome, Refusal> {
        let Some(token) = self.refresh_tokens.get(&digest).cloned() else {
            return Ok(RefreshOutcome::Unknown);
        };
        if token.spent {
            self.refresh_tokens.retain(|_, other| other.family != token.family);
            return Ok(RefreshOutcome::Reused);
        }
        if token.expire_time <= now {
            return Ok(RefreshOutcome::Expired);
        }
        self.keep_refresh_token(successor, token.family, token.account, now)?;
        self.refresh_tokens.entry(digest).and_modify(|token| token.spent = true);
        let account = self.account_get(token.account).expect("its tokens go with an account");
        Ok(RefreshOutcome::Rotated(account))
    }

    /// Sweeps those that have expired. There are never so many that one sweep does not take them all.
    fn keep_refresh_token(
        &mut self,
        token: NewRefreshToken,
        family: Uuid,
        account: Uuid,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.refresh_tokens.get(&token.digest).is_some_and(|known| known.expire_time > now) {
            return Err(Refusal::Taken);
        }
        self.refresh_tokens.retain(|_, known| known.expire_time > now);
        let kept = RefreshToken { family, account, expire_time: token.expire_time, spent: false };
        self.refresh_tokens.insert(token.digest, kept);
        Ok(())
    }

    pub fn key_get(&self, name: &'static str) -> Option<KeyRecord> {
        self.keys.get(name).cloned()
    }

    pub fn key_settle(&mut self, name: &'static str, candidate: KeyRecord, _: Timestamp) -> KeyRecord {
        self.keys.entry(name).or_insert(candidate).clone()
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Add { account: u8, name: &'static str, access: i64 },
    SetPassword { name: &'static str, password: &'static str },
    Remove { name: &'static str },
    AddToken { token: u8, family: u8, account: u8, expire: u8, now: u8 },
    Rotate { token: u8, successor: u8, expire: u8, now: u8 },
    SettleKey { name: &'static str, secret: u8, certificate: bool },
}

/// Names of accounts, in no order that somebody who knows letters would give them.
fn account_names() -> Select<&'static str> {
    select(&["ada", "Ada", "ädä", "zoe"][..])
}

pub fn creations() -> impl Strategy<Value = Command> {
    prop_oneof![
        (ACCOUNTS, account_names(), 0..3_i64).prop_map(|(account, name, access)| Command::Add {
            account,
            name,
            access
        }),
        (REFRESH_TOKENS, 0..3_u8, ACCOUNTS, EXPIRIES, SECONDS).prop_map(
            |(token, family, account, expire, now)| Command::AddToken { token, family, account, expire, now }
        ),
        (select(&KEYS[..]), 0..9_u8, any::<bool>())
            .prop_map(|(name, secret, certificate)| Command::SettleKey { name, secret, certificate }),
    ]
}

pub fn commands() -> impl Strategy<Value = Command> {
    let passwords = select(&["hash", "another hash"][..]);
    prop_oneof![
        6 => creations(),
        1 => (account_names(), passwords)
            .prop_map(|(name, password)| Command::SetPassword { name, password }),
        1 => account_names().prop_map(|name| Command::Remove { name }),
        6 => (REFRESH_TOKENS, REFRESH_TOKENS, EXPIRIES, SECONDS).prop_map(
            |(token, successor, expire, now)| Command::Rotate { token, successor, expire, now }
        ),
    ]
}

fn token(number: u8, expire: u8) -> NewRefreshToken {
    NewRefreshToken { digest: [number; 32], expire_time: at(expire) }
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Add { account, name, access } => {
            let record = AccountRecord {
                uuid: spread(account),
                name: name.to_owned(),
                password_hash: "hash".to_owned(),
                access,
                actions: None,
            };
            agree!(bench.account_add(record.clone(), at(0))?);
        }
        Command::SetPassword { name, password } => {
            agree!(bench.account_set_password(name.to_owned(), password.to_owned()));
        }
        Command::Remove { name } => {
            agree!(bench.account_remove(name.to_owned()));
        }
        Command::AddToken { token: number, family, account, expire, now } => {
            let token = token(number, expire);
            agree!(bench.refresh_token_add(token.clone(), spread(family), spread(account), at(now))?);
        }
        Command::Rotate { token: number, successor, expire, now } => {
            agree!(bench.refresh_token_rotate([number; 32], token(successor, expire), at(now))?);
        }
        Command::SettleKey { name, secret, certificate } => {
            let key = KeyRecord { secret: vec![secret], certificate: certificate.then(|| vec![secret, 1]) };
            agree!(bench.key_settle(name, key.clone(), at(0)));
        }
    }
    Ok(())
}
