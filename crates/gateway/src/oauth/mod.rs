//! The token endpoints: a password or a refresh token for an access token.
//!
//! `POST /oauth/token` speaks OAuth (RFC 6749, sections 4.3 and 6): forms in, OAuth's documents out, errors
//! included. `POST /GetTokens` is how scripts for the vendor's self-hosted product sign in: JSON both ways.
//! Neither is part of the contract; behind both is the same grant.

mod form;
mod json;

use std::{error::Error, net::IpAddr, sync::Arc};

use bytes::Bytes;
use guardhouse_contract::Status;
use guardhouse_identity::{
    Tokens,
    tokens::{GrantError, Granted},
};
use guardhouse_model::Environment;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::{
    answer::{self, Body},
    body,
    limits::{Limit, caller_address},
    origin::Origin,
};

/// The largest body, in bytes. A password or a token of some kilobytes is nobody's.
const MAX_BODY: usize = 16 * 1024;

/// How a client asks for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `/oauth/token`.
    Form,
    /// `/GetTokens`.
    Json,
}

impl Dialect {
    /// The dialect that is spoken at `path`, if it is a token endpoint.
    pub fn of(path: &str) -> Option<Self> {
        match path {
            "/oauth/token" => Some(Self::Form),
            "/GetTokens" => Some(Self::Json),
            _ => None,
        }
    }
}

/// The token endpoints.
#[derive(Debug)]
pub struct OAuth {
    environment: Environment,
    tokens: Arc<Tokens>,
    limit: Arc<Limit<IpAddr>>,
}

/// Why no token is granted.
#[derive(Debug)]
enum Refusal {
    /// An OAuth error document.
    OAuth { status: StatusCode, error: &'static str, description: String },
    /// Anything that is not a matter of OAuth.
    Status(Status),
}

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
enum Grant {
    Password { username: String, password: String },
    RefreshToken(String),
}

impl OAuth {
    /// Grants `tokens`; each address may ask as often as `limit` allows.
    pub fn new(environment: Environment, tokens: Arc<Tokens>, limit: Arc<Limit<IpAddr>>) -> Self {
        Self { environment, tokens, limit }
    }

    /// Answers a request.
    pub async fn serve<B>(&self, dialect: Dialect, request: Request<B>, origin: &Origin) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        if request.method() != Method::POST {
            return answer::verb_not_allowed("POST");
        }
        let mut response = match (self.grant(dialect, request, origin).await, dialect) {
            (Ok(granted), Dialect::Form) => answer::json(form::document(&granted)),
            (Ok(granted), Dialect::Json) => answer::json(json::document(&granted)),
            (Err(Refusal::Status(status)), _) => answer::error(status),
            (Err(Refusal::OAuth { status, error, description }), Dialect::Form) => {
                answer::with_body(status, "application/json", form::refusal(error, &description))
            }
            (Err(Refusal::OAuth { error, description, .. }), Dialect::Json) => {
                answer::error(json::refusal(error, description))
            }
        };
        // RFC 6749, section 5.1.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    async fn grant<B>(
        &self,
        dialect: Dialect,
        request: Request<B>,
        origin: &Origin,
    ) -> Result<Granted, Refusal>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        // Checking a password is made expensive on purpose: it is what an attacker would call.
        self.limit.take(caller_address(origin.address), self.environment.now()).map_err(Refusal::Status)?;
        if dialect == Dialect::Form {
            form::expect(request.headers())?;
        }
        let body = body::read(request.into_body(), MAX_BODY).await;
        let body = body.map_err(|error| Refusal::invalid(StatusCode::BAD_REQUEST, error.to_string()))?;
        let grant = match dialect {
            Dialect::Form => form::read(&body)?,
            Dialect::Json => json::read(&body)?,
        };
        let granted = match grant {
            Grant::Password { username, password } => self.tokens.password_grant(&username, &password).await,
            Grant::RefreshToken(token) => self.tokens.refresh_grant(&token).await,
        };
        granted.map_err(|error| match error {
            GrantError::InvalidGrant { description } => {
                Refusal::bad_request("invalid_grant", description.to_owned())
            }
            GrantError::Failure(failure) => Refusal::Status(failure.into()),
        })
    }
}

impl Refusal {
    fn invalid(status: StatusCode, description: impl Into<String>) -> Self {
        Self::OAuth { status, error: "invalid_request", description: description.into() }
    }

    fn bad_request(error: &'static str, description: String) -> Self {
        Self::OAuth { status: StatusCode::BAD_REQUEST, error, description }
    }
}

/// For the fuzz target `sign_in` and the property that does the same within bounds: reads a body in both dialects.
///
/// # Panics
/// A refusal blames somebody else than the client, or says nothing.
#[cfg(any(test, fuzzing))]
pub fn fuzzing(body: &[u8]) {
    for read in [form::read(body), json::read(body)] {
        match read {
            Ok(_) => {}
            Err(Refusal::OAuth { status, description, .. }) => {
                assert!(status.is_client_error() && !description.is_empty(), "{status} {description}");
            }
            Err(Refusal::Status(status)) => {
                assert!(status.http() == 400 && !status.message().is_empty(), "{status}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::{prelude::*, sample::Index};

    use super::*;

    const GOOD: [&str; 4] = [
        "grant_type=password&username=a%40b&password=p+w%26&refresh_token=&scope=x",
        "grant_type=refresh_token&refresh_token=r&username=&password=",
        r#"{"username":"a","password":"b","grantType":"PASSWORD","is_domain_user":false}"#,
        r#"{"grant_type":1,"refresh_token":"r"}"#,
    ];

    #[test]
    fn seeds_are_read() {
        for (number, good) in GOOD.iter().enumerate() {
            assert!(form::read(good.as_bytes()).is_ok() || json::read(good.as_bytes()).is_ok(), "{good}");
            keep("sign_in", &number.to_string(), good.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzzing(&bytes);
        }

        #[test]
        fn changed_bodies_are_read_or_refused(
            which in 0..GOOD.len(),
            changes in prop::collection::vec((any::<Index>(), prop::sample::select(b"{}[]\",:&=%+.0\\\xff".to_vec())), 1..5),
        ) {
            let mut bytes = GOOD[which].as_bytes().to_vec();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            fuzzing(&bytes);
        }
    }
}
