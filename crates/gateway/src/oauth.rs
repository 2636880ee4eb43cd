//! `POST /oauth/token`: a password or a refresh token for an access token (RFC 6749, sections 4.3 and 6).
//!
//! This endpoint is OAuth's, not the contract's: its errors are OAuth's documents.

use std::{collections::HashMap, error::Error, net::IpAddr, sync::Arc};

use bytes::Bytes;
use guardhouse_contract::Status;
use guardhouse_identity::{
    Tokens,
    tokens::{GrantError, Granted},
};
use guardhouse_model::Environment;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::json;

use crate::{
    answer::{self, Body},
    body,
    call::Origin,
    limits::{Limit, caller_address},
};

/// The path of the endpoint.
pub const PATH: &str = "/oauth/token";

/// The largest form, in bytes. A password or a token of some kilobytes is nobody's.
const MAX_FORM: usize = 16 * 1024;

/// The token endpoint.
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
    pub async fn serve<B>(&self, request: Request<B>, origin: &Origin) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        if request.method() != Method::POST {
            return answer::verb_not_allowed("POST");
        }
        let mut response = match self.grant(request, origin).await {
            Ok(granted) => answer::json(document(&granted)),
            Err(Refusal::Status(status)) => answer::error(status),
            Err(Refusal::OAuth { status, error, description }) => {
                let document = json!({"error": error, "error_description": description});
                answer::with_body(status, "application/json", document.to_string())
            }
        };
        // RFC 6749, section 5.1.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    async fn grant<B>(&self, request: Request<B>, origin: &Origin) -> Result<Granted, Refusal>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        // Checking a password is made expensive on purpose: it is what an attacker would call.
        self.limit.take(caller_address(origin.address), self.environment.now()).map_err(Refusal::Status)?;
        if !is_form(request.headers()) {
            let description = "the body must be a form: content-type: application/x-www-form-urlencoded";
            return Err(Refusal::invalid(StatusCode::UNSUPPORTED_MEDIA_TYPE, description));
        }
        let form = body::read(request.into_body(), MAX_FORM).await;
        let form = form.map_err(|error| Refusal::invalid(StatusCode::BAD_REQUEST, error.to_string()))?;
        let granted = match read_grant(&form)? {
            Grant::Password { username, password } => self.tokens.password_grant(&username, &password).await,
            Grant::RefreshToken(token) => self.tokens.refresh_grant(&token).await,
        };
        granted.map_err(|error| match error {
            GrantError::InvalidGrant { description } => {
                Refusal::bad_request("invalid_grant", description.to_owned())
            }
            GrantError::Failure(failure) => Refusal::Status(Status::internal(failure)),
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

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Reads the form. Clients send members without a value, and members of their own: both count as absent.
fn read_grant(form: &[u8]) -> Result<Grant, Refusal> {
    let mut members = HashMap::new();
    for (name, value) in form_urlencoded::parse(form).filter(|(_, value)| !value.is_empty()) {
        if members.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            return Err(Refusal::bad_request("invalid_request", format!("{name} is given twice")));
        }
    }
    let mut take = |name: &str, why: &str| {
        members
            .remove(name)
            .ok_or_else(|| Refusal::bad_request("invalid_request", format!("{name} is missing: {why}")))
    };
    match take("grant_type", "it must be password or refresh_token")?.as_str() {
        "password" => {
            let why = "the grant type password needs username and password";
            Ok(Grant::Password { username: take("username", why)?, password: take("password", why)? })
        }
        "refresh_token" => {
            let why = "the grant type refresh_token needs the last refresh token";
            Ok(Grant::RefreshToken(take("refresh_token", why)?))
        }
        _ => {
            let description = "grant_type must be password or refresh_token";
            Err(Refusal::bad_request("unsupported_grant_type", description.to_owned()))
        }
    }
}

fn document(granted: &Granted) -> String {
    json!({
        "access_token": granted.access_token,
        "refresh_token": granted.refresh_token,
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(form: &str) -> (&'static str, String) {
        match read_grant(form.as_bytes()).expect_err("refused") {
            Refusal::OAuth { status, error, description } => {
                assert_eq!(status, StatusCode::BAD_REQUEST);
                (error, description)
            }
            Refusal::Status(status) => panic!("{status}"),
        }
    }

    #[test]
    fn grants_are_read_with_empty_and_unknown_members() {
        let form = b"grant_type=password&username=a%40b&password=p+w%26&refresh_token=&scope=x";
        let expected = Grant::Password { username: "a@b".to_owned(), password: "p w&".to_owned() };
        assert_eq!(read_grant(form).expect("valid"), expected);
        let form = b"grant_type=refresh_token&refresh_token=r&username=&password=";
        assert_eq!(read_grant(form).expect("valid"), Grant::RefreshToken("r".to_owned()));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (form, error, named) in [
            ("", "invalid_request", "grant_type"),
            ("grant_type=", "invalid_request", "grant_type"),
            ("grant_type=password&password=x", "invalid_request", "username"),
            ("grant_type=password&username=x&password=", "invalid_request", "password"),
            ("grant_type=refresh_token", "invalid_request", "refresh_token"),
            ("grant_type=password&grant_type=password", "invalid_request", "grant_type"),
            ("grant_type=client_credentials", "unsupported_grant_type", "grant_type"),
            ("\u{1}\u{2}%ff&&&=", "invalid_request", "grant_type"),
        ] {
            let (code, description) = refused(form);
            assert_eq!(code, error, "{form}");
            assert!(description.starts_with(named), "{form}: {description}");
        }
    }

    #[test]
    fn only_forms_are_forms() {
        for (media_type, expected) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", true),
            ("application/json", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ] {
            let headers =
                [(header::CONTENT_TYPE, HeaderValue::from_static(media_type))].into_iter().collect();
            assert_eq!(is_form(&headers), expected, "{media_type:?}");
        }
        assert!(!is_form(&HeaderMap::new()));
    }
}
