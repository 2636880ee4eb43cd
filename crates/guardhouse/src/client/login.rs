//! Gets access tokens (RFC 6749, sections 4.3 and 6), and gets new ones when they expire.

use std::{fmt, path::PathBuf};

use anyhow::Context as _;
use guardhouse_model::Environment;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::client::{
    Http,
    http::Request,
    session::{Session, SessionFile},
};

/// What proves who calls.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// An access token that somebody else got; it is used as it is.
    Token(String),
    /// An account.
    Password {
        /// Its name.
        user: String,
        /// Its password.
        password: String,
    },
    /// What `guardhouse login` stored.
    Session(SessionFile),
}

/// Shows no secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token"),
            Self::Password { user, .. } => {
                f.debug_struct("Password").field("user", user).finish_non_exhaustive()
            }
            Self::Session(file) => f.debug_tuple("Session").field(file).finish(),
        }
    }
}

/// What the token endpoint answers (RFC 6749, section 5.1).
#[derive(Deserialize)]
pub struct Granted {
    /// Goes into `Authorization: Bearer …`.
    pub access_token: String,
    /// Is exchanged for the next pair.
    pub refresh_token: String,
    /// Lifetime of the access token in seconds.
    pub expires_in: i64,
}

/// Keeps an access token at hand.
#[derive(Debug)]
pub struct Login {
    credentials: Credentials,
    environment: Environment,
    current: Mutex<Option<String>>,
}

impl Login {
    /// Signs in when the first token is asked for.
    pub fn new(credentials: Credentials, environment: Environment) -> Self {
        Self { credentials, environment, current: Mutex::new(None) }
    }

    /// An access token other than `refused`, the one that the server does not accept any more. `None` when
    /// there is no way to get one.
    ///
    /// # Errors
    /// The server grants no token, or the session cannot be read or written.
    pub async fn access_token(&self, http: &Http, refused: Option<&str>) -> anyhow::Result<Option<String>> {
        let mut current = self.current.lock().await;
        if current.as_deref().is_none_or(|token| Some(token) == refused) {
            *current = match &self.credentials {
                Credentials::Token(token) => {
                    Some(token.clone()).filter(|token| Some(token.as_str()) != refused)
                }
                Credentials::Password { user, password } => {
                    Some(password_grant(http, user, password).await?.access_token)
                }
                Credentials::Session(file) => Some(self.continued(http, file, refused).await?),
            };
        }
        Ok(current.clone())
    }

    /// The access token of the stored session; the session is exchanged for the next one where it must be.
    async fn continued(
        &self,
        http: &Http,
        file: &SessionFile,
        refused: Option<&str>,
    ) -> anyhow::Result<String> {
        let lock = file.lock().await?;
        // Another command may have exchanged it while this one waited.
        let session = file.load()?.context("you are not signed in any more; use guardhouse login")?;
        let now = self.environment.now();
        if session.is_fresh(now) && Some(session.access_token.as_str()) != refused {
            return Ok(session.access_token);
        }
        let form = [("grant_type", "refresh_token"), ("refresh_token", session.refresh_token.as_str())];
        let granted = grant(http, &form).await.context("cannot go on with the stored session")?;
        let session = granted.into_session(session.server, session.ca, session.user, now.as_second());
        file.save(&session, &lock)?;
        Ok(session.access_token)
    }
}

impl Granted {
    /// The session that was granted at `now`, in seconds since 1970.
    pub fn into_session(self, server: String, ca: Option<PathBuf>, user: String, now: i64) -> Session {
        Session {
            server,
            ca,
            user,
            access_token: self.access_token,
            access_token_expires: now.saturating_add(self.expires_in),
            refresh_token: self.refresh_token,
        }
    }
}

/// Signs in.
///
/// # Errors
/// [`crate::client::Refusal`] when name and password do not fit.
pub async fn password_grant(http: &Http, user: &str, password: &str) -> anyhow::Result<Granted> {
    let form = [("grant_type", "password"), ("username", user), ("password", password)];
    grant(http, &form).await.with_context(|| format!("cannot sign in as {user}"))
}

async fn grant(http: &Http, form: &[(&str, &str)]) -> anyhow::Result<Granted> {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let answer = http
        .send(&Request {
            verb: &Method::POST,
            path_and_query: "/oauth/token",
            headers: vec![("content-type", "application/x-www-form-urlencoded")],
            body: Some(form.as_bytes()),
        })
        .await?;
    if answer.status != StatusCode::OK {
        return Err(answer.refusal().into());
    }
    serde_json::from_slice(&answer.body).context("the server answered something that is no token")
}
