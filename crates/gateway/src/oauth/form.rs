//! `POST /oauth/token`, as RFC 6749 has it.

use std::collections::HashMap;

use guardhouse_identity::tokens::Granted;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use super::{Grant, Refusal};

/// Checks that a body says it is a form.
pub fn expect(headers: &HeaderMap) -> Result<(), Refusal> {
    if is_form(headers) {
        return Ok(());
    }
    let description = "the body must be a form: content-type: application/x-www-form-urlencoded";
    Err(Refusal::invalid(StatusCode::UNSUPPORTED_MEDIA_TYPE, description))
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Reads the form. Clients send members without a value, and members of their own: both count as absent.
pub fn read(form: &[u8]) -> Result<Grant, Refusal> {
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

/// What a grant is answered with (section 5.1).
pub fn document(granted: &Granted) -> String {
    json!({
        "access_token": granted.access_token,
        "refresh_token": granted.refresh_token,
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
    })
    .to_string()
}

/// What a refusal is answered with (section 5.2).
pub fn refusal(error: &str, description: &str) -> String {
    json!({"error": error, "error_description": description}).to_string()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn refused(form: &str) -> (&'static str, String) {
        match read(form.as_bytes()).expect_err("refused") {
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
        assert_eq!(read(form).expect("valid"), expected);
        let form = b"grant_type=refresh_token&refresh_token=r&username=&password=";
        assert_eq!(read(form).expect("valid"), Grant::RefreshToken("r".to_owned()));
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
