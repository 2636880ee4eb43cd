//! The two grants of `POST /oauth/token` (RFC 6749): a password or a refresh token for a pair of tokens.
//!
//! A refresh token is good for one exchange. Whoever presents a spent one either stole it or was stolen from;
//! as nobody can tell, every token that descends from the same sign-in is revoked.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use guardhouse_contract::Account;
use guardhouse_model::{Environment, Timestamp};
use guardhouse_store::{NewRefreshToken, RefreshOutcome, Store};

use crate::{
    Accounts, Failure,
    access_token::{AccessTokens, VerifyError},
    accounts,
    digest::sha256,
};

/// How long tokens live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenSettings {
    /// Lifetime of an access token in seconds.
    pub access_lifetime: u32,
    /// Lifetime of a refresh token in seconds; every exchange starts it anew.
    pub refresh_lifetime: u32,
}

impl Default for TokenSettings {
    /// An hour, and fourteen days.
    fn default() -> Self {
        Self { access_lifetime: 3600, refresh_lifetime: 14 * 24 * 3600 }
    }
}

/// What a grant gives.
#[derive(Clone, PartialEq, Eq)]
pub struct Granted {
    /// Goes into `Authorization: Bearer …`.
    pub access_token: String,
    /// Is exchanged for the next pair.
    pub refresh_token: String,
    /// Lifetime of the access token in seconds.
    pub expires_in: u32,
}

/// Shows no token.
impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Why nothing was granted.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// `invalid_grant`: what was presented is not good (any more).
    #[error("{description}")]
    InvalidGrant {
        /// What to tell the client as `error_description`.
        description: &'static str,
    },
    /// Not the caller's fault.
    #[error(transparent)]
    Failure(#[from] Failure),
}

const WRONG_PASSWORD: GrantError = GrantError::InvalidGrant { description: "wrong user name or password" };
const NO_TOKEN: GrantError = GrantError::InvalidGrant {
    description: "the refresh token is unknown; sign in with user name and password",
};
const EXPIRED: GrantError = GrantError::InvalidGrant {
    description: "the refresh token has expired; sign in with user name and password",
};
const REUSED: GrantError = GrantError::InvalidGrant {
    description: "the refresh token was used before; every token of its sign-in is revoked, \
        sign in with user name and password",
};

/// Grants and verifies tokens.
#[derive(Debug)]
pub struct Tokens {
    store: Store,
    environment: Environment,
    accounts: Accounts,
    access_tokens: AccessTokens,
    settings: TokenSettings,
}

impl Tokens {
    /// Tokens for the accounts in `store`. The signing key is generated when there is none yet.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn open(
        store: Store,
        environment: Environment,
        settings: TokenSettings,
    ) -> Result<Self, Failure> {
        let access_tokens = AccessTokens::open(&store, &environment).await?;
        let accounts = Accounts::new(store.clone(), environment.clone());
        Ok(Self { store, environment, accounts, access_tokens, settings })
    }

    /// The grant `password`: signs in, and begins a family of refresh tokens.
    ///
    /// # Errors
    /// [`GrantError::InvalidGrant`] does not tell a wrong name from a wrong password.
    pub async fn password_grant(&self, name: &str, password: &str) -> Result<Granted, GrantError> {
        let account = self.accounts.check(name, password).await?.ok_or(WRONG_PASSWORD)?;
        let now = self.environment.now();
        let (refresh_token, record) = self.new_refresh_token(now)?;
        let family = self.environment.uuid();
        let added = self.store.refresh_token_add(record, family, account.uuid, now).await;
        // The account may have been removed a moment ago.
        if added.map_err(Failure::from)? {
            self.granted(&account, refresh_token, now)
        } else {
            Err(WRONG_PASSWORD)
        }
    }

    /// The grant `refresh_token`: exchanges a refresh token for the next pair.
    ///
    /// # Errors
    /// [`GrantError::InvalidGrant`]: the token is unknown, expired or spent. A spent one revokes its family.
    pub async fn refresh_grant(&self, refresh_token: &str) -> Result<Granted, GrantError> {
        let presented = URL_SAFE_NO_PAD.decode(refresh_token).map_err(|_| NO_TOKEN)?;
        let now = self.environment.now();
        let (successor, record) = self.new_refresh_token(now)?;
        let outcome = self.store.refresh_token_rotate(sha256(&presented), record, now).await;
        match outcome.map_err(Failure::from)? {
            RefreshOutcome::Rotated(account) => {
                self.granted(&accounts::from_record(account)?, successor, now)
            }
            RefreshOutcome::Unknown => Err(NO_TOKEN),
            RefreshOutcome::Expired => Err(EXPIRED),
            RefreshOutcome::Reused => Err(REUSED),
        }
    }

    /// The account that an access token speaks for. Nothing is looked up: see [`crate::access_token`].
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(&self, access_token: &str) -> Result<Account, VerifyError> {
        self.access_tokens.verify(access_token, self.environment.now())
    }

    fn granted(
        &self,
        account: &Account,
        refresh_token: String,
        now: Timestamp,
    ) -> Result<Granted, GrantError> {
        let expires_in = self.settings.access_lifetime;
        let access_token = self.access_tokens.issue(account, now, expires_in)?;
        Ok(Granted { access_token, refresh_token, expires_in })
    }

    /// The text of a fresh refresh token and what is kept of it.
    fn new_refresh_token(&self, now: Timestamp) -> Result<(String, NewRefreshToken), Failure> {
        let secret: [u8; 32] = self.environment.random();
        let lifetime = Duration::from_secs(self.settings.refresh_lifetime.into());
        let expire_time = now
            .checked_add(lifetime)
            .map_err(|error| Failure::Inconsistent(format!("the clock stands at {now}: {error}")))?;
        Ok((URL_SAFE_NO_PAD.encode(secret), NewRefreshToken { digest: sha256(&secret), expire_time }))
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::Access;

    use super::*;
    use crate::fixture::Fixture;

    /// Tokens over a store with the account `ada`, who may only read.
    async fn tokens(fixture: &Fixture) -> Tokens {
        let accounts = Accounts::new(fixture.store.clone(), fixture.environment.clone());
        accounts.add("ada", "correct horse", Access::Read, None).await.expect("adds");
        let (store, environment) = (fixture.store.clone(), fixture.environment.clone());
        Tokens::open(store, environment, TokenSettings::default()).await.expect("opens")
    }

    fn description(answer: Result<Granted, GrantError>) -> &'static str {
        match answer {
            Err(GrantError::InvalidGrant { description }) => description,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[tokio::test]
    async fn a_password_gives_a_pair_that_works() {
        let fixture = Fixture::new();
        let tokens = tokens(&fixture).await;
        let granted = tokens.password_grant("ada", "correct horse").await.expect("grants");
        assert_eq!(granted.expires_in, 3600);
        assert_eq!(granted.refresh_token.len(), 43);
        let account = tokens.verify(&granted.access_token).expect("is good");
        assert_eq!((account.name.as_str(), account.access), ("ada", Access::Read));
        fixture.clock.advance(3600);
        assert_eq!(tokens.verify(&granted.access_token), Err(VerifyError::Expired));

        for (name, password) in [("ada", "wrong horse"), ("nobody", "correct horse"), ("", "")] {
            let refused = description(tokens.password_grant(name, password).await);
            assert_eq!(refused, "wrong user name or password", "{name:?}");
        }
        assert!(!format!("{granted:?}").contains(&granted.refresh_token), "secrets stay out of logs");
    }

    #[tokio::test]
    async fn refreshing_gives_new_tokens_and_starts_the_lifetime_anew() {
        let fixture = Fixture::new();
        let tokens = tokens(&fixture).await;
        let mut granted = tokens.password_grant("ada", "correct horse").await.expect("grants");
        for _ in 0..3 {
            fixture.clock.advance(10 * 24 * 3600);
            let next = tokens.refresh_grant(&granted.refresh_token).await.expect("grants");
            assert_ne!(next.refresh_token, granted.refresh_token);
            tokens.verify(&next.access_token).expect("is good");
            granted = next;
        }
        fixture.clock.advance(14 * 24 * 3600);
        let refused = description(tokens.refresh_grant(&granted.refresh_token).await);
        assert!(refused.contains("expired"), "{refused}");
    }

    #[tokio::test]
    async fn reuse_of_a_spent_token_revokes_its_family_alone() {
        let fixture = Fixture::new();
        let tokens = tokens(&fixture).await;
        let first = tokens.password_grant("ada", "correct horse").await.expect("grants").refresh_token;
        let other = tokens.password_grant("ada", "correct horse").await.expect("grants").refresh_token;
        let second = tokens.refresh_grant(&first).await.expect("grants").refresh_token;

        let refused = description(tokens.refresh_grant(&first).await);
        assert!(refused.contains("used before"), "{refused}");
        let refused = description(tokens.refresh_grant(&second).await);
        assert!(refused.contains("unknown"), "the youngest of the family went with it: {refused}");
        tokens.refresh_grant(&other).await.expect("another sign-in is not concerned");
    }

    #[tokio::test]
    async fn of_two_who_refresh_at_once_one_wins() {
        let fixture = Fixture::new();
        let tokens = tokens(&fixture).await;
        let token = tokens.password_grant("ada", "correct horse").await.expect("grants").refresh_token;
        let (first, second) = tokio::join!(tokens.refresh_grant(&token), tokens.refresh_grant(&token));
        assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
    }

    #[tokio::test]
    async fn texts_that_are_no_refresh_tokens_are_unknown() {
        let fixture = Fixture::new();
        let tokens = tokens(&fixture).await;
        let granted = tokens.password_grant("ada", "correct horse").await.expect("grants");
        for text in
            ["", "no base64!", &"A".repeat(43), &granted.access_token, &format!("{}=", granted.refresh_token)]
        {
            let refused = description(tokens.refresh_grant(text).await);
            assert!(refused.contains("unknown"), "{text}: {refused}");
        }
    }
}
