//! Access keys, and the nonces of requests that were signed with them.

use guardhouse_model::Timestamp;
use guardhouse_store::{AccessKeyRecord, Lease, NewAccessKey, SignedRequest, Store, Temporary};
use proptest::{
    prelude::*,
    sample::{Select, select},
};
use uuid::Uuid;

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    identity::ACCOUNTS,
    pools::{SECONDS, at, spread},
    retention::{Fence, fences, record},
};

/// In an order that somebody who knows letters would not give them.
const IDS: [&str; 4] = ["GHa", "GHA", "GHä", "STS.z"];

/// Small, so that there are several pages.
const LIMIT: usize = 2;

impl Model {
    pub fn access_key_add(&mut self, key: NewAccessKey, now: Timestamp) -> Result<bool, Refusal> {
        let Some(account) = self.account_get(key.account) else { return Ok(false) };
        if self.access_keys.contains_key(&key.id) {
            return Err(Refusal::Taken);
        }
        let kept = AccessKeyRecord {
            id: key.id.clone(),
            account,
            sealed_secret: key.sealed_secret,
            description: key.description,
            is_active: true,
            create_time: now,
            use_time: None,
            temporary: key.temporary,
        };
        self.access_keys.insert(key.id, kept);
        Ok(true)
    }

    pub fn access_key_find(&self, id: String) -> Option<AccessKeyRecord> {
        self.access_keys.get(&id).map(|key| self.with_account(key))
    }

    pub fn access_keys_list(
        &self,
        account: Option<Uuid>,
        after: Option<String>,
        limit: usize,
    ) -> Vec<AccessKeyRecord> {
        let keys = self.access_keys.values().filter(|key| Some(&key.id) > after.as_ref());
        let keys = keys.filter(|key| account.is_none_or(|account| key.account.uuid == account));
        keys.take(limit).map(|key| self.with_account(key)).collect()
    }

    /// The account may have changed since the key was added.
    fn with_account(&self, key: &AccessKeyRecord) -> AccessKeyRecord {
        let account = self.account_get(key.account.uuid).expect("its keys go with an account");
        AccessKeyRecord { account, ..key.clone() }
    }

    pub fn access_key_set_active(&mut self, id: String, is_active: bool) -> bool {
        let Some(key) = self.access_keys.get_mut(&id) else { return false };
        key.is_active = is_active;
        true
    }

    pub fn access_key_remove(&mut self, id: String) -> bool {
        self.access_keys.remove(&id).is_some()
    }

    pub fn signed_request_accept(&mut self, request: SignedRequest) -> bool {
        if self.nonces.contains_key(&request.nonce_digest) {
            return false;
        }
        self.nonces.insert(request.nonce_digest, request.expire_time);
        if let Some(key) = self.access_keys.get_mut(&request.access_key) {
            let step = Store::ACCESS_KEY_USE_STEP;
            if key.use_time.is_none_or(|used| used <= request.now - step) {
                key.use_time = Some(request.now);
            }
        }
        true
    }

    pub fn request_nonces_expire(
        &mut self,
        lease: Lease,
        before: Timestamp,
        _: usize,
    ) -> Result<usize, Refusal> {
        let old = self.nonces.values().filter(|expire_time| **expire_time < before).count();
        if old > 0 {
            self.holds(lease)?;
            self.nonces.retain(|_, expire_time| *expire_time >= before);
        }
        Ok(old)
    }

    pub fn access_keys_expire(
        &mut self,
        lease: Lease,
        before: Timestamp,
        _: usize,
    ) -> Result<usize, Refusal> {
        let is_old = |key: &AccessKeyRecord| key.temporary.is_some_and(|it| it.expire_time < before);
        let old = self.access_keys.values().filter(|key| is_old(key)).count();
        if old > 0 {
            self.holds(lease)?;
            self.access_keys.retain(|_, key| !is_old(key));
        }
        Ok(old)
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Add { id: &'static str, account: u8, expire: Option<u8>, now: u8 },
    SetActive { id: &'static str, is_active: bool },
    Remove { id: &'static str },
    Accept { id: &'static str, nonce: u8, hours: u8, expire: u8 },
    ForgetNonces { lease: Fence, before: u8 },
    Expire { lease: Fence, before: u8 },
}

fn ids() -> Select<&'static str> {
    select(&IDS[..])
}

pub fn creations() -> impl Strategy<Value = Command> {
    (ids(), ACCOUNTS, prop::option::of(SECONDS), SECONDS)
        .prop_map(|(id, account, expire, now)| Command::Add { id, account, expire, now })
}

pub fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => creations(),
        2 => (ids(), any::<bool>()).prop_map(|(id, is_active)| Command::SetActive { id, is_active }),
        1 => ids().prop_map(|id| Command::Remove { id }),
        6 => (ids(), 0..9_u8, 0..3_u8, SECONDS)
            .prop_map(|(id, nonce, hours, expire)| Command::Accept { id, nonce, hours, expire }),
        1 => (fences(), SECONDS).prop_map(|(lease, before)| Command::ForgetNonces { lease, before }),
        1 => (fences(), SECONDS).prop_map(|(lease, before)| Command::Expire { lease, before }),
    ]
}

/// There are never so many that one step does not take them all: which of them go first is nobody's business.
const STEP: usize = 1_000;

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Add { id, account, expire, now } => {
            let temporary =
                expire.map(|expire| Temporary { token_digest: [expire; 32], expire_time: at(expire) });
            let key = NewAccessKey {
                id: id.to_owned(),
                account: spread(account),
                sealed_secret: vec![account],
                description: "text".to_owned(),
                temporary,
            };
            agree!(bench.access_key_add(key.clone(), at(now))?);
        }
        Command::SetActive { id, is_active } => {
            agree!(bench.access_key_set_active(id.to_owned(), is_active));
        }
        Command::Remove { id } => {
            agree!(bench.access_key_remove(id.to_owned()));
        }
        Command::Accept { id, nonce, hours, expire } => {
            let now = at(0) + Store::ACCESS_KEY_USE_STEP * hours.into();
            let (access_key, expire_time) = (id.to_owned(), at(expire));
            let request = SignedRequest { access_key, nonce_digest: [nonce; 32], expire_time, now };
            agree!(bench.signed_request_accept(request.clone()));
        }
        Command::ForgetNonces { lease, before } => {
            let lease = record(&bench.model, &lease);
            agree!(bench.request_nonces_expire(lease, at(before), STEP)?);
        }
        Command::Expire { lease, before } => {
            let lease = record(&bench.model, &lease);
            agree!(bench.access_keys_expire(lease, at(before), STEP)?);
        }
    }
    Ok(())
}

/// Everything that can be read of them, and which nonces are known.
pub async fn compare(bench: &mut Bench) -> Outcome {
    for account in [None].into_iter().chain(ACCOUNTS.map(|account| Some(spread(account)))) {
        let mut after = None;
        while let Some(last) = agree!(bench.access_keys_list(account, after.clone(), LIMIT)).last() {
            after = Some(last.id.clone());
        }
    }
    for id in IDS {
        agree!(bench.access_key_find(id.to_owned()));
    }
    for nonce in 0..9 {
        let (access_key, now) = (IDS[0].to_owned(), at(0));
        let request = SignedRequest { access_key, nonce_digest: [nonce; 32], expire_time: now, now };
        agree!(bench.signed_request_accept(request.clone()));
    }
    Ok(())
}
