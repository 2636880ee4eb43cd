//! Signature V3: HMAC-SHA256 over the request line, the query, chosen headers and a digest of the body.

use aws_lc_rs::digest::{SHA256, digest};
use http::{Method, request::Parts};

use super::{Claim, Hmac, header_text, host, incomplete, time, unsupported};
use crate::rpc::{parameters::Parameters, refusal::Refusal};

/// The one method that is supported.
pub const METHOD: &str = "ACS3-HMAC-SHA256";

/// Headers that must be there and signed, besides those for temporary keys where they are there.
const SIGNED: [&str; 6] = ["host", "x-acs-action", "x-acs-version", DATE, NONCE, CONTENT];
const DATE: &str = "x-acs-date";
const NONCE: &str = "x-acs-signature-nonce";
const CONTENT: &str = "x-acs-content-sha256";
const TOKEN: &str = "x-acs-security-token";
const ACCESS_KEY: &str = "x-acs-accesskey-id";

/// Most headers that a signature covers.
const MAX_HEADERS: usize = 100;

/// Reads what the headers of a request say of its signature; `authorization` is the value of that header.
///
/// # Errors
/// Something is missing or not signed, the method is not this one, or the body is not the one that was signed.
pub fn claim(
    authorization: &str,
    head: &Parts,
    parameters: &Parameters,
    body: &[u8],
) -> Result<Claim, Refusal> {
    let (method, credentials) = authorization.trim().split_once(' ').unwrap_or((authorization.trim(), ""));
    if method != METHOD {
        return Err(unsupported(method, METHOD));
    }
    let part = |name: &str| {
        let mut parts = credentials.split(',').filter_map(|part| part.trim().split_once('='));
        let value = parts.find(|(key, _)| *key == name).map(|(_, value)| value.trim());
        value.filter(|value| !value.is_empty()).ok_or_else(|| {
            incomplete(&format!(
                "the header Authorization must be {METHOD} Credential=…,SignedHeaders=…,Signature=…, and has no {name}"
            ))
        })
    };
    let (access_key, signed_headers) = (part("Credential")?, part("SignedHeaders")?);
    let signature = hex(part("Signature")?).ok_or_else(|| incomplete("Signature is not hexadecimal"))?;
    let names: Vec<&str> = signed_headers.split(';').collect();
    if names.len() > MAX_HEADERS {
        return Err(incomplete(&format!("it covers more than {MAX_HEADERS} headers")));
    }
    let present = |name: &&str| head.headers.contains_key(*name);
    let optional = [TOKEN, ACCESS_KEY];
    for name in SIGNED.iter().chain(optional.iter().filter(|name| present(name))) {
        if !names.contains(name) {
            return Err(incomplete(&format!("the header {name} must be among SignedHeaders")));
        }
    }
    let needed = |name: &str| {
        let value = header_text(&head.headers, name).map(str::trim).filter(|value| !value.is_empty());
        value.ok_or_else(|| incomplete(&format!("the header {name} is missing")))
    };
    let content = needed(CONTENT)?;
    let digest = to_hex(digest(&SHA256, body).as_ref());
    if content != digest {
        let message = format!(
            "the header {CONTENT} must be the SHA-256 of the body as it arrives, in lower case: {digest}, not \
             {content:?}"
        );
        return Err(Refusal::bad_request("InvalidContentSHA256", message));
    }
    let request = canonical_request(&head.method, parameters, head, &names, signed_headers, content);
    Ok(Claim {
        access_key: access_key.to_owned(),
        security_token: header_text(&head.headers, TOKEN).map(|token| token.trim().to_owned()),
        time: time(DATE, needed(DATE)?)?,
        nonce: needed(NONCE)?.to_owned(),
        method: Hmac::Sha256,
        string_to_sign: string_to_sign(&request),
        canonical_request: Some(request),
        signature,
    })
}

/// The text that is signed.
pub fn string_to_sign(canonical_request: &str) -> String {
    format!("{METHOD}\n{}", to_hex(digest(&SHA256, canonical_request.as_bytes()).as_ref()))
}

/// The request as signatures have it. The path is always `/`, also where a client has put something before it.
fn canonical_request(
    method: &Method,
    parameters: &Parameters,
    head: &Parts,
    names: &[&str],
    signed_headers: &str,
    content: &str,
) -> String {
    let mut headers = String::new();
    for name in names {
        headers.push_str(name);
        headers.push(':');
        headers.push_str(&header(head, name));
        headers.push('\n');
    }
    let query = parameters.canonical_query();
    format!("{method}\n/\n{query}\n{headers}\n{signed_headers}\n{content}")
}

/// The value of a header, trimmed; several values in order and with commas between them.
fn header(head: &Parts, name: &str) -> String {
    if name == "host" {
        // HTTP/2 has it in another place.
        return host(head).trim().to_owned();
    }
    let values = head.headers.get_all(name).into_iter();
    let mut values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    values.sort_unstable();
    values.iter().map(|value| value.trim()).collect::<Vec<_>>().join(",")
}

/// Reads hexadecimal digits in lower case, in which signatures are written.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    rest.is_empty().then(|| bytes.collect())?
}

/// Writes hexadecimal digits in lower case.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
