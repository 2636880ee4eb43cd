//! Encrypts secrets that the server itself has to read again.

use std::{fmt, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use guardhouse_model::Environment;
use guardhouse_store::{KeyRecord, Store};

use crate::Failure;

/// Name of the key in the store.
const KEY_NAME: &str = "access-key-sealing";

/// Encrypts with AES-256-GCM, by a key that is generated once and kept in the store. Clones share it.
#[derive(Clone)]
pub struct Sealing(Arc<LessSafeKey>);

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing(…)")
    }
}

impl Sealing {
    /// Loads the key, and makes it first if there is none. Processes that do so at once agree on one.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn load_or_create(store: &Store, environment: &Environment) -> Result<Self, Failure> {
        let record = match store.key_get(KEY_NAME).await? {
            Some(record) => record,
            None => {
                let candidate = KeyRecord { secret: environment.random::<32>().to_vec(), certificate: None };
                store.key_settle(KEY_NAME, candidate, environment.now()).await?
            }
        };
        let key = UnboundKey::new(&AES_256_GCM, &record.secret);
        let key = key.map_err(|error| Failure::Inconsistent(format!("key {KEY_NAME}: {error}")))?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Encrypts `secret`, bound to `owner`: it cannot be opened as that of another.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn seal(&self, owner: &str, secret: &[u8], environment: &Environment) -> Result<Vec<u8>, Failure> {
        // 96 random bits: a house would need billions of secrets for two of them to meet.
        let nonce = environment.random::<NONCE_LEN>();
        let mut sealed = secret.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut sealed)
            .map_err(Failure::cryptography)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Decrypts what [`Sealing::seal`] has made for `owner`.
    ///
    /// # Errors
    /// [`Failure`]: it was made otherwise, or changed since.
    pub fn open(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        let broken = || Failure::Inconsistent(format!("the secret of {owner} cannot be opened"));
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
        let mut opened = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let secret = self.0.open_in_place(nonce, Aad::from(owner), &mut opened).map_err(|_| broken())?;
        Ok(secret.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[tokio::test]
    async fn what_is_sealed_is_opened_for_its_owner_alone() {
        let fixture = Fixture::new();
        let load =
            async || Sealing::load_or_create(&fixture.store, &fixture.environment).await.expect("loads");
        let (sealing, again) = (load().await, load().await);
        let sealed = sealing.seal("a", b"secret", &fixture.environment).expect("seals");
        assert_eq!(again.open("a", &sealed).expect("opens"), b"secret", "after a restart");
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_ne!(sealing.seal("a", b"secret", &fixture.environment).expect("seals"), sealed);

        assert!(sealing.open("b", &sealed).is_err(), "of another");
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(sealing.open("a", &changed).is_err(), "byte {place}");
            assert!(sealing.open("a", &sealed[..place]).is_err(), "{place} bytes");
        }
        assert_eq!(format!("{sealing:?}"), "Sealing(…)");
    }
}
