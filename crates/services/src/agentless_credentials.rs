//! What opens a location, as the store keeps it: encrypted.

use guardhouse_contract::scans::Credentials;
use guardhouse_identity::{Failure, Sealing};
use guardhouse_model::Environment;
use prost::Message as _;
use uuid::Uuid;

/// Encrypts the credentials of a location, so that they cannot be opened as those of another.
///
/// # Errors
/// [`Failure`].
pub fn seal(
    sealing: &Sealing,
    location: Uuid,
    credentials: &Credentials,
    environment: &Environment,
) -> Result<Vec<u8>, Failure> {
    sealing.seal(&owner(location), &credentials.encode_to_vec(), environment)
}

/// Opens what [`seal`] has made.
///
/// # Errors
/// [`Failure`]: it was made otherwise, or changed since.
pub fn open(sealing: &Sealing, location: Uuid, sealed: &[u8]) -> Result<Credentials, Failure> {
    let opened = sealing.open(&owner(location), sealed)?;
    Credentials::decode(opened.as_slice())
        .map_err(|error| Failure::Inconsistent(format!("the credentials of {}: {error}", owner(location))))
}

fn owner(location: Uuid) -> String {
    format!("agentless location {location}")
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::scans::credentials::Kind;
    use guardhouse_store::Store;

    use super::*;

    #[tokio::test]
    async fn credentials_are_opened_for_their_location_alone() {
        let (store, environment) = (Store::in_memory().expect("opens"), Environment::system());
        let sealing = Sealing::load_or_create(&store, &environment).await.expect("loads");
        let credentials = Credentials { kind: Some(Kind::Token("secret".to_owned())) };
        let [here, there] = [1, 2].map(Uuid::from_u128);
        let sealed = seal(&sealing, here, &credentials, &environment).expect("encrypts");
        assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
        assert_eq!(open(&sealing, here, &sealed).expect("opens"), credentials);
        open(&sealing, there, &sealed).expect_err("they are another's");
    }
}
