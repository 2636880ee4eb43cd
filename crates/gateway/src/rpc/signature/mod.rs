//! How a request says who sends it: signed in one of two ways, or with a bearer token.

pub mod v1;
pub mod v3;

use std::time::Duration;

use aws_lc_rs::hmac;
use guardhouse_model::Timestamp;
use http::{HeaderMap, header, request::Parts};

use super::{
    parameters::{self, Parameters},
    refusal::Refusal,
};

/// Names the action.
pub const ACTION: &str = "x-acs-action";
/// Names the version.
pub const VERSION: &str = "x-acs-version";
/// The token of a client that does not sign.
const BEARER_TOKEN: &str = "x-acs-bearer-token";

/// How far the clock of a client may be off.
pub const SKEW: Duration = Duration::from_secs(15 * 60);

/// How a request says who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme<'a> {
    /// Signature V3, with the value of the header Authorization.
    V3(&'a str),
    /// Signature V1.
    V1,
    /// A bearer token instead of a signature.
    Bearer(&'a str),
}

impl<'a> Scheme<'a> {
    /// Whether the head of a request shows that it is one of the RPC face, whatever its path.
    pub fn shows(head: &Parts) -> bool {
        let query = head.uri.query().unwrap_or_default();
        head.headers.contains_key(ACTION)
            || authorization(&head.headers).is_some_and(is_v3)
            || parameters::names(query).any(|name| name == "SignatureNonce")
    }

    /// The scheme of a request.
    ///
    /// # Errors
    /// It has none.
    pub fn of(head: &'a Parts, parameters: &'a Parameters) -> Result<Self, Refusal> {
        if let Some(authorization) = authorization(&head.headers).filter(|text| is_v3(text)) {
            return Ok(Self::V3(authorization));
        }
        if parameters.get("Signature").is_some() {
            return Ok(Self::V1);
        }
        let token = header_text(&head.headers, BEARER_TOKEN).or_else(|| parameters.get("BearerToken"));
        token.filter(|token| !token.is_empty()).map(Self::Bearer).ok_or_else(|| {
            let message = "the request is not signed: sign it with an access key, by ACS3-HMAC-SHA256 in the header \
                           Authorization or by HMAC-SHA1 in the parameter Signature";
            Refusal::bad_request("IncompleteSignature", message.to_owned())
        })
    }

    /// Whether action and version come in headers. They do in all schemes but the oldest, which signs no header.
    pub fn is_by_headers(&self) -> bool {
        *self != Self::V1
    }
}

/// What a signed request says of itself. Nothing of it is true before [`Claim::is_signed_by`] says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The public part of the access key.
    pub access_key: String,
    /// The security token that goes with a temporary one.
    pub security_token: Option<String>,
    /// When the request was made.
    pub time: Timestamp,
    /// What makes it one of its own.
    pub nonce: String,
    method: Hmac,
    string_to_sign: String,
    /// What a digest in the string to sign was made of.
    canonical_request: Option<String>,
    signature: Vec<u8>,
}

/// A method by which requests are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hmac {
    Sha1,
    Sha256,
}

impl Claim {
    /// Whether the holder of `secret` has signed the request. How long the answer takes does not tell how much of a
    /// signature is right.
    pub fn is_signed_by(&self, secret: &[u8]) -> bool {
        let key = match self.method {
            Hmac::Sha256 => hmac::Key::new(hmac::HMAC_SHA256, secret),
            Hmac::Sha1 => {
                hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[secret, b"&".as_slice()].concat())
            }
        };
        hmac::verify(&key, self.string_to_sign.as_bytes(), &self.signature).is_ok()
    }

    /// Checks that the request was made about `now`.
    ///
    /// # Errors
    /// The clock of the client and the server's own differ by more than [`SKEW`].
    pub fn check_time(&self, now: Timestamp) -> Result<(), Refusal> {
        let apart = now.duration_since(self.time).unsigned_abs();
        if apart <= SKEW {
            return Ok(());
        }
        let message = format!(
            "Specified time stamp or date value is expired: it is {}, and here it is {now:.0}; they may be {} minutes \
             apart",
            self.time,
            SKEW.as_secs() / 60
        );
        Err(Refusal::bad_request("InvalidTimeStamp.Expired", message))
    }

    /// Says what was compared. Clients that find what they signed themselves behind the colon know that the secret is
    /// wrong.
    pub fn mismatch(&self) -> Refusal {
        let mut message = format!(
            "Specified signature is not matched with our calculation. server string to sign is:{}",
            self.string_to_sign
        );
        if let Some(request) = &self.canonical_request {
            message.push_str(", server canonical request is:");
            message.push_str(request);
        }
        Refusal::bad_request("SignatureDoesNotMatch", message)
    }
}

/// The host that a request was sent to, as the client wrote it.
pub fn host(head: &Parts) -> String {
    let text = |headers: &HeaderMap| {
        headers.get(header::HOST).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let authority = || head.uri.authority().map(ToString::to_string);
    text(&head.headers).or_else(authority).unwrap_or_default()
}

/// Reads a time such as `2024-03-14T08:00:00Z`; `name` is that of its parameter or header.
fn time(name: &str, text: &str) -> Result<Timestamp, Refusal> {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let fits = |(byte, form): (u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == *form };
    let is_formed = text.len() == FORM.len() && text.bytes().zip(FORM).all(fits);
    is_formed.then(|| text.parse().ok()).flatten().ok_or_else(|| {
        let message = format!(
            "Specified time stamp or date value is not well formatted: {name} must be in UTC and of the form \
             2024-03-14T08:00:00Z"
        );
        Refusal::bad_request("InvalidTimeStamp.Format", message)
    })
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    header_text(headers, header::AUTHORIZATION.as_str())
}

/// Any method of the third scheme: those that are not known are to be refused as such.
fn is_v3(authorization: &str) -> bool {
    authorization.trim_start().starts_with("ACS3-")
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
}

/// An unsupported way to sign; `right` says what would be one.
fn unsupported(found: &str, right: &str) -> Refusal {
    let message = format!("the signature method {found:?} is not supported: it must be {right}");
    Refusal::bad_request("InvalidSignatureMethod", message)
}

fn incomplete(what: &str) -> Refusal {
    Refusal::bad_request("IncompleteSignature", format!("the signature is not complete: {what}"))
}

#[cfg(test)]
pub mod signer;
#[cfg(test)]
mod tests;
