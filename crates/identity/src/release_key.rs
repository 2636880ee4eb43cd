//! The key by which the server vouches for versions of the agent.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use guardhouse_model::Environment;
use guardhouse_store::{KeyRecord, Store};

use crate::Failure;

/// Name of the key in the store.
const KEY_NAME: &str = "agent-release";

/// Signs versions of the agent. Devices get its public half when they enrol and with every certificate.
pub struct ReleaseKey(Ed25519KeyPair);

impl fmt::Debug for ReleaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReleaseKey(…)")
    }
}

impl ReleaseKey {
    /// Loads the key, and makes it first if there is none. Processes that do so at once agree on one.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn load_or_create(store: &Store, environment: &Environment) -> Result<Self, Failure> {
        let record = match store.key_get(KEY_NAME).await? {
            Some(record) => record,
            None => {
                let key = Ed25519KeyPair::generate().map_err(Failure::cryptography)?;
                let secret = key.to_pkcs8().map_err(Failure::cryptography)?.as_ref().to_vec();
                let candidate = KeyRecord { secret, certificate: None };
                store.key_settle(KEY_NAME, candidate, environment.now()).await?
            }
        };
        let spoilt = |error| Failure::Inconsistent(format!("key {KEY_NAME}: {error}"));
        Ed25519KeyPair::from_pkcs8(&record.secret).map(Self).map_err(spoilt)
    }

    /// What signs.
    #[must_use]
    pub fn pair(&self) -> &Ed25519KeyPair {
        &self.0
    }

    /// The public half, 32 bytes.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[tokio::test]
    async fn the_key_stays() {
        let fixture = Fixture::new();
        let load =
            async || ReleaseKey::load_or_create(&fixture.store, &fixture.environment).await.expect("loads");
        let first = load().await;
        assert_eq!(first.public().len(), 32);
        assert_eq!(load().await.public(), first.public());
        assert_eq!(format!("{first:?}"), "ReleaseKey(…)");
    }
}
