//! Who calls: the account whose access key has signed a request, or whose bearer token it brings.

use std::sync::Arc;

use guardhouse_contract::Account;
use guardhouse_identity::{
    AccessKeys, Tokens,
    access_keys::{KnownKey, SecurityTokenError},
    access_token::VerifyError,
};
use guardhouse_model::{Environment, Timestamp};
use http::request::Parts;

use super::{
    parameters::Parameters,
    refusal::Refusal,
    signature::{Claim, SKEW, Scheme, v1, v3},
};

/// Knows callers by their signatures and tokens.
#[derive(Debug)]
pub struct Callers {
    environment: Environment,
    tokens: Arc<Tokens>,
    access_keys: AccessKeys,
}

/// A caller who is known.
#[derive(Debug)]
pub enum Caller {
    /// By a signature. The request may be one that came before.
    Signed { key: KnownKey, nonce: String, time: Timestamp },
    /// By a token.
    Bearer(Account),
}

impl Caller {
    /// The account that calls.
    pub fn account(&self) -> &Account {
        match self {
            Self::Signed { key, .. } => &key.account,
            Self::Bearer(account) => account,
        }
    }
}

impl Callers {
    /// Knows the accounts of `tokens` and `access_keys`.
    pub fn new(environment: Environment, tokens: Arc<Tokens>, access_keys: AccessKeys) -> Self {
        Self { environment, tokens, access_keys }
    }

    /// Who has sent a request.
    ///
    /// # Errors
    /// The request does not prove it.
    pub async fn know(
        &self,
        scheme: &Scheme<'_>,
        head: &Parts,
        parameters: &Parameters,
        body: &[u8],
    ) -> Result<Caller, Refusal> {
        let claim = match scheme {
            Scheme::V3(authorization) => v3::claim(authorization, head, parameters, body)?,
            Scheme::V1 => v1::claim(&head.method, parameters)?,
            Scheme::Bearer(token) => return self.bearer(token),
        };
        self.signed(claim).await
    }

    /// Makes sure that a request is carried out once.
    ///
    /// # Errors
    /// It came before.
    pub async fn accept(&self, caller: Caller) -> Result<(), Refusal> {
        let Caller::Signed { key, nonce, time } = caller else { return Ok(()) };
        // Twice as long as the request is good: the clocks of replicas differ, too.
        let expire_time = time.saturating_add(2 * SKEW).unwrap_or(Timestamp::MAX);
        if self.access_keys.accept(&key, &nonce, expire_time).await.map_err(to_refusal)? {
            return Ok(());
        }
        let message = "Specified signature nonce was used already: each request needs another one";
        Err(Refusal::bad_request("SignatureNonceUsed", message.to_owned()))
    }

    async fn signed(&self, claim: Claim) -> Result<Caller, Refusal> {
        let now = self.environment.now();
        claim.check_time(now)?;
        let key = self.access_keys.find(&claim.access_key).await.map_err(to_refusal)?;
        let key = key.ok_or_else(|| {
            Refusal::not_found("InvalidAccessKeyId.NotFound", "Specified access key is not found.".to_owned())
        })?;
        if !claim.is_signed_by(&key.secret) {
            return Err(claim.mismatch());
        }
        key.check_token(claim.security_token.as_deref(), now).map_err(wrong_token)?;
        if !key.is_active {
            let message = "Specified access key is disabled.";
            return Err(Refusal::bad_request("InvalidAccessKeyId.Inactive", message.to_owned()));
        }
        Ok(Caller::Signed { key, nonce: claim.nonce, time: claim.time })
    }

    fn bearer(&self, token: &str) -> Result<Caller, Refusal> {
        self.tokens.verify(token).map(Caller::Bearer).map_err(|error| {
            let code = match error {
                VerifyError::Expired => "InvalidBearerToken.Expired",
                VerifyError::Invalid => "InvalidBearerToken",
            };
            Refusal::bad_request(code, format!("BearerToken: {error}; get a new one with POST /oauth/token"))
        })
    }
}

fn wrong_token(error: SecurityTokenError) -> Refusal {
    let code = match error {
        SecurityTokenError::Missing => "MissingSecurityToken",
        SecurityTokenError::Wrong => "InvalidSecurityToken.Malformed",
        SecurityTokenError::Expired => "InvalidSecurityToken.Expired",
    };
    Refusal::bad_request(code, error.to_string())
}

fn to_refusal(failure: guardhouse_identity::Failure) -> Refusal {
    guardhouse_contract::Status::from(failure).into()
}
