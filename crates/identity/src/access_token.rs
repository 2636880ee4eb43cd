//! Access tokens: signed statements (JWT, EdDSA) that need no look into the store.
//!
//! A token carries name, access and actions of its account, and stays good until it expires, whatever becomes of the
//! account meanwhile: that is the price of a check that touches no database, and why tokens live for an hour.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use guardhouse_contract::{Access, Account};
use guardhouse_model::{Environment, Timestamp};
use guardhouse_store::{KeyRecord, Store};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Failure, digest::sha256};

/// Name of the signing key in the store.
const KEY_NAME: &str = "token-signing";
const ISSUER: &str = "guardhouse";

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It was good once.
    #[error("the access token has expired")]
    Expired,
    /// It was not issued by this server, or changed since.
    #[error("the access token is not valid")]
    Invalid,
}

/// Issues and verifies access tokens with a key that is generated once and kept in the store.
pub struct AccessTokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    key_id: String,
    validation: Validation,
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessTokens({})", self.key_id)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// Identity of the account.
    sub: Uuid,
    name: String,
    access: AccessClaim,
    /// The names of the actions that the account may use in tasks; absent: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<String>>,
    /// Seconds since 1970.
    iat: i64,
    /// Seconds since 1970; the token is refused from then on.
    exp: i64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AccessClaim {
    None,
    Read,
    Full,
    Worker,
}

impl AccessTokens {
    /// Loads the signing key, and generates it first if there is none.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn open(store: &Store, environment: &Environment) -> Result<Self, Failure> {
        let record = match store.key_get(KEY_NAME).await? {
            Some(record) => record,
            None => store.key_settle(KEY_NAME, generate()?, environment.now()).await?,
        };
        let pair = Ed25519KeyPair::from_pkcs8(&record.secret)
            .map_err(|error| Failure::Inconsistent(format!("key {KEY_NAME}: {error}")))?;
        let public = pair.public_key().as_ref();
        let mut validation = Validation::new(Algorithm::EdDSA);
        // The library would ask the system for the time.
        validation.validate_exp = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "sub", "exp"]);
        Ok(Self {
            signing: EncodingKey::from_ed_der(&record.secret),
            verifying: DecodingKey::from_ed_der(public),
            key_id: key_id(public),
            validation,
        })
    }

    /// A token for `account` that is good from `now` for `lifetime` seconds.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn issue(&self, account: &Account, now: Timestamp, lifetime: u32) -> Result<String, Failure> {
        let issued = now.as_second();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: account.uuid,
            name: account.name.clone(),
            access: account.access.into(),
            actions: account.actions.clone(),
            iat: issued,
            exp: issued.saturating_add(lifetime.into()),
        };
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &self.signing).map_err(Failure::cryptography)
    }

    /// The account that `token` speaks for at `now`.
    ///
    /// # Errors
    /// [`VerifyError`] tells a token that was good once from one that never was.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Account, VerifyError> {
        let token = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation)
            .map_err(|_| VerifyError::Invalid)?;
        if token.header.kid.as_deref() != Some(&self.key_id) {
            return Err(VerifyError::Invalid);
        }
        let claims = token.claims;
        if claims.exp <= now.as_second() {
            return Err(VerifyError::Expired);
        }
        Ok(Account {
            uuid: claims.sub,
            name: claims.name,
            access: claims.access.into(),
            actions: claims.actions,
        })
    }
}

fn generate() -> Result<KeyRecord, Failure> {
    let pair = Ed25519KeyPair::generate().map_err(Failure::cryptography)?;
    let secret = pair.to_pkcs8().map_err(Failure::cryptography)?;
    Ok(KeyRecord { secret: secret.as_ref().to_vec(), certificate: None })
}

/// Names a key in token headers, so that there can be a second one while the first is replaced.
fn key_id(public: &[u8]) -> String {
    sha256(public)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<Access> for AccessClaim {
    fn from(access: Access) -> Self {
        match access {
            Access::None => Self::None,
            Access::Read => Self::Read,
            Access::Full => Self::Full,
            Access::Worker => Self::Worker,
        }
    }
}

impl From<AccessClaim> for Access {
    fn from(claim: AccessClaim) -> Self {
        match claim {
            AccessClaim::None => Self::None,
            AccessClaim::Read => Self::Read,
            AccessClaim::Full => Self::Full,
            AccessClaim::Worker => Self::Worker,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture::{Fixture, START};

    fn account(access: Access) -> Account {
        Account { uuid: Uuid::from_u128(7), name: "ada".to_owned(), access, actions: None }
    }

    fn part(token: &str, index: usize) -> Value {
        let part = token.split('.').nth(index).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
    }

    #[tokio::test]
    async fn a_token_is_good_until_its_last_second() {
        let fixture = Fixture::new();
        let tokens = AccessTokens::open(&fixture.store, &fixture.environment).await.expect("opens");
        for access in [Access::None, Access::Read, Access::Full, Access::Worker] {
            let account = account(access);
            let token = tokens.issue(&account, fixture.environment.now(), 60).expect("issues");
            let at = |second| Timestamp::from_second(START + second).expect("in range");
            assert_eq!(tokens.verify(&token, at(0)), Ok(account.clone()));
            assert_eq!(tokens.verify(&token, at(59)), Ok(account));
            assert_eq!(tokens.verify(&token, at(60)), Err(VerifyError::Expired));
        }
    }

    #[tokio::test]
    async fn a_token_says_what_the_documentation_says() {
        let fixture = Fixture::new();
        let tokens = AccessTokens::open(&fixture.store, &fixture.environment).await.expect("opens");
        let token = tokens.issue(&account(Access::Read), fixture.environment.now(), 60).expect("issues");
        assert_eq!(part(&token, 0), json!({ "typ": "JWT", "alg": "EdDSA", "kid": tokens.key_id }));
        let claims = json!({
            "iss": "guardhouse", "sub": Uuid::from_u128(7), "name": "ada", "access": "read",
            "iat": START, "exp": START + 60,
        });
        assert_eq!(part(&token, 1), claims);
    }

    #[tokio::test]
    async fn a_token_says_which_actions_its_account_may_use() {
        let fixture = Fixture::new();
        let now = fixture.environment.now();
        let tokens = AccessTokens::open(&fixture.store, &fixture.environment).await.expect("opens");
        for actions in [vec![], vec!["RunCommand".to_owned(), "OnDemandScan".to_owned()]] {
            let account = Account { actions: Some(actions.clone()), ..account(Access::Full) };
            let token = tokens.issue(&account, now, 60).expect("issues");
            assert_eq!(part(&token, 1)["actions"], json!(actions));
            assert_eq!(tokens.verify(&token, now), Ok(account));
        }
    }

    #[tokio::test]
    async fn the_key_stays_and_other_servers_have_others() {
        let fixture = Fixture::new();
        let now = fixture.environment.now();
        let first = AccessTokens::open(&fixture.store, &fixture.environment).await.expect("opens");
        let token = first.issue(&account(Access::Full), now, 60).expect("issues");
        let again = AccessTokens::open(&fixture.store, &fixture.environment).await.expect("opens");
        assert_eq!(again.verify(&token, now), Ok(account(Access::Full)), "after a restart");

        let elsewhere = Fixture::new();
        let other = AccessTokens::open(&elsewhere.store, &elsewhere.environment).await.expect("opens");
        assert_eq!(other.verify(&token, now), Err(VerifyError::Invalid));
    }

    #[tokio::test]
    async fn what_was_not_signed_as_it_is_is_invalid() {
        let fixture = Fixture::new();
        let now = fixture.environment.now();
        let tokens = AccessTokens::open(&fixture.store, &fixture.environment).await.expect("opens");
        let token = tokens.issue(&account(Access::Read), now, 60).expect("issues");
        let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
            panic!("three parts")
        };
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());

        let mut raised = part(&token, 1);
        raised["access"] = json!("full");
        let raised = encode(raised);
        let unsigned = encode(json!({ "typ": "JWT", "alg": "none", "kid": tokens.key_id }));
        let symmetric = encode(json!({ "typ": "JWT", "alg": "HS256", "kid": tokens.key_id }));
        let foreign = |issuer: &str, kid: Option<String>| {
            let mut claims = part(&token, 1);
            claims["iss"] = json!(issuer);
            let header = Header { kid, ..Header::new(Algorithm::EdDSA) };
            jsonwebtoken::encode(&header, &claims, &tokens.signing).expect("signs")
        };
        assert!(
            tokens.verify(&foreign(ISSUER, Some(tokens.key_id.clone())), now).is_ok(),
            "only the rest matters"
        );
        let table = [
            String::new(),
            "…".to_owned(),
            "a.b.c".to_owned(),
            format!("{header}.{claims}"),
            format!("{header}.{claims}."),
            format!("{header}.{raised}.{signature}"),
            format!("{unsigned}.{claims}."),
            format!("{symmetric}.{claims}.{signature}"),
            foreign("somebody", Some(tokens.key_id.clone())),
            foreign(ISSUER, Some("another".to_owned())),
            foreign(ISSUER, None),
        ];
        for forged in table {
            assert_eq!(tokens.verify(&forged, now), Err(VerifyError::Invalid), "{forged}");
        }
    }
}
