//! `POST /GetTokens`, as scripts for the vendor's self-hosted product sign in.

use guardhouse_contract::{Code, FieldViolation, Status};
use guardhouse_identity::tokens::Granted;
use serde_json::{Map, Value, json};

use super::{Grant, Refusal};

/// The spellings of the grant types: by name, and by number in the oldest scripts.
const PASSWORD: [&str; 2] = ["password", "0"];
const REFRESH_TOKEN: [&str; 2] = ["refresh_token", "1"];

/// Reads who asks. Members are read in both spellings; those that are not known are ignored.
pub fn read(body: &[u8]) -> Result<Grant, Refusal> {
    let object: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
        Refusal::Status(Status::invalid(format!("the body is not a JSON object: {error}")))
    })?;
    let text = |names: [&str; 2]| {
        let value = names.iter().find_map(|name| object.get(*name)).filter(|value| !value.is_null());
        value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let needed = |names: [&str; 2]| {
        let missing = || FieldViolation::new(names[0], "is missing");
        text(names).filter(|text| !text.is_empty()).ok_or_else(missing)
    };
    let grant =
        text(["grantType", "grant_type"]).unwrap_or_else(|| "password".to_owned()).to_ascii_lowercase();
    let read = if PASSWORD.contains(&grant.as_str()) {
        needed(["username", "userName"]).and_then(|username| {
            Ok(Grant::Password { username, password: needed(["password", "password"])? })
        })
    } else if REFRESH_TOKEN.contains(&grant.as_str()) {
        needed(["refreshToken", "refresh_token"]).map(Grant::RefreshToken)
    } else {
        Err(FieldViolation::new("grantType", "must be PASSWORD or REFRESH_TOKEN"))
    };
    read.map_err(|violation| Refusal::Status(Status::invalid_fields(vec![violation])))
}

/// What a grant is answered with.
pub fn document(granted: &Granted) -> String {
    json!({
        "accessToken": granted.access_token,
        "refreshToken": granted.refresh_token,
        "tokenType": "Bearer",
        "expiresIn": granted.expires_in,
    })
    .to_string()
}

/// What a refusal is answered with: the errors of this endpoint are those of the API.
pub fn refusal(error: &str, description: String) -> Status {
    match error {
        "invalid_grant" => Status::new(Code::Unauthenticated, "CREDENTIALS_INVALID", description),
        _ => Status::invalid(description),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_of_scripts_are_understood() {
        let password = || Grant::Password { username: "a".to_owned(), password: "b".to_owned() };
        for body in [
            r#"{"username":"a","password":"b","grant_type":0}"#,
            r#"{"username":"a","password":"b","grant_type":"password"}"#,
            r#"{"username":"a","password":"b","grantType":"PASSWORD","is_domain_user":false}"#,
            r#"{"username":"a","password":"b"}"#,
        ] {
            assert_eq!(read(body.as_bytes()).expect(body), password(), "{body}");
        }
        let refresh = read(br#"{"grantType":"REFRESH_TOKEN","refreshToken":"r"}"#).expect("valid");
        assert_eq!(refresh, Grant::RefreshToken("r".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, named) in [
            ("", "JSON"),
            ("[]", "JSON"),
            ("{}", "username"),
            (r#"{"username":"a","password":""}"#, "password"),
            (r#"{"username":"a","password":"b","grantType":"CODE"}"#, "grantType"),
        ] {
            match read(body.as_bytes()) {
                Err(Refusal::Status(status)) => assert!(status.message().contains(named), "{body}: {status}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
