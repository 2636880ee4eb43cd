//! Signature V1: HMAC-SHA1 over the parameters, of which the signature is one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;

use super::{Claim, Hmac, incomplete, time, unsupported};
use crate::rpc::{
    parameters::{Parameters, encode},
    refusal::Refusal,
};

/// Reads what the parameters of a request say of its signature.
///
/// # Errors
/// Something is missing, or the method or the version is not this one.
pub fn claim(method: &Method, parameters: &Parameters) -> Result<Claim, Refusal> {
    let given = |name: &str| parameters.get(name).filter(|value| !value.is_empty());
    let needed = |name: &str| given(name).ok_or_else(|| Refusal::missing(name));
    match (needed("SignatureMethod")?, given("SignatureType")) {
        ("HMAC-SHA1", None) => {}
        ("HMAC-SHA1", Some(kind)) => return Err(unsupported(kind, "HMAC-SHA1 with an empty SignatureType")),
        (other, _) => return Err(unsupported(other, "HMAC-SHA1, or ACS3-HMAC-SHA256 in a header")),
    }
    if needed("SignatureVersion")? != "1.0" {
        return Err(Refusal::invalid("SignatureVersion", "must be 1.0"));
    }
    let signature = STANDARD.decode(needed("Signature")?);
    Ok(Claim {
        access_key: needed("AccessKeyId")?.to_owned(),
        security_token: given("SecurityToken").map(str::to_owned),
        time: time("Timestamp", needed("Timestamp")?)?,
        nonce: needed("SignatureNonce")?.to_owned(),
        method: Hmac::Sha1,
        string_to_sign: string_to_sign(method, parameters),
        canonical_request: None,
        signature: signature.map_err(|_| incomplete("Signature is not base64"))?,
    })
}

/// The text that is signed. The path is always `/`.
pub fn string_to_sign(method: &Method, parameters: &Parameters) -> String {
    format!("{method}&%2F&{}", encode(&parameters.canonical("Signature")))
}
