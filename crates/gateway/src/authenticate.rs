//! Who calls, and whether that caller is entitled to the method.

use std::sync::Arc;

use guardhouse_contract::{Access, Account, Caller, Code, Status, options};
use guardhouse_identity::{Devices, Tokens, access_token::VerifyError};
use http::{HeaderMap, header};

use crate::origin::Origin;

/// The reason of a call without authorisation. The public API answers 400 to it, not 401.
pub const AUTHORIZATION_MISSING: &str = "AUTHORIZATION_MISSING";

const TOKEN_IS_VALID: &str = "the access token is valid";

/// Knows callers by their tokens and certificates.
#[derive(Debug)]
pub struct Authenticator {
    tokens: Arc<Tokens>,
    devices: Devices,
}

impl Authenticator {
    /// Knows the accounts of `tokens` and the devices of `devices`.
    pub fn new(tokens: Arc<Tokens>, devices: Devices) -> Self {
        Self { tokens, devices }
    }

    /// The caller of a method with `access`.
    ///
    /// # Errors
    /// The caller is not known (400 without authorisation, else 401), or known but not entitled (403).
    pub async fn authenticate(
        &self,
        access: options::Access,
        origin: &Origin,
        headers: &HeaderMap,
    ) -> Result<Caller, Status> {
        match access {
            options::Access::Read | options::Access::Write | options::Access::Worker => {
                let account = self.tokens.verify(bearer(headers)?).map_err(refused)?;
                entitle(&account, access, TOKEN_IS_VALID)?;
                Ok(Caller::Account(account))
            }
            options::Access::Device => self.device(origin, false).await,
            options::Access::DeviceOrRetired => self.device(origin, true).await,
            options::Access::EnrolmentToken => Ok(Caller::Anonymous),
            options::Access::Unspecified => Err(Status::internal("a method without an access option")),
        }
    }

    /// The device that calls; with `retired` also one that is managed no longer.
    async fn device(&self, origin: &Origin, retired: bool) -> Result<Caller, Status> {
        let unauthenticated = |reason, message| Status::new(Code::Unauthenticated, reason, message);
        let certificate = origin.certificate.as_ref().ok_or_else(|| {
            let message =
                "this method is for enrolled devices: connect with the client certificate of the device";
            unauthenticated("CLIENT_CERTIFICATE_MISSING", message)
        })?;
        let mut device = self.devices.authenticate(certificate).await?;
        if device.is_none() && retired {
            device = self.devices.authenticate_retired(certificate).await?;
        }
        let device = device.ok_or_else(|| {
            let message = "the client certificate belongs to no device of this server; enrol the host again";
            unauthenticated("DEVICE_NOT_MANAGED", message)
        })?;
        Ok(Caller::Device(device.into()))
    }
}

/// The access token of a request.
fn bearer(headers: &HeaderMap) -> Result<&str, Status> {
    let value = headers.get(header::AUTHORIZATION).filter(|value| !value.is_empty()).ok_or_else(|| {
        let message = "the header Authorization is missing; send Authorization: Bearer <access token>, \
            with a token of POST /oauth/token";
        Status::new(Code::InvalidArgument, AUTHORIZATION_MISSING, message)
    })?;
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(token.trim());
    }
    let message = "the header Authorization is not of the form Bearer <access token>";
    Err(Status::new(Code::Unauthenticated, "ACCESS_TOKEN_INVALID", message))
}

fn refused(error: VerifyError) -> Status {
    let reason = match error {
        VerifyError::Expired => "ACCESS_TOKEN_EXPIRED",
        VerifyError::Invalid => "ACCESS_TOKEN_INVALID",
    };
    Status::new(Code::Unauthenticated, reason, format!("{error}; get a new one with POST /oauth/token"))
}

/// Checks that `account` may call a method with `needed`; `known` says how it is known, for who is told that it may
/// not.
///
/// # Errors
/// It may not.
pub fn entitle(account: &Account, needed: options::Access, known: &str) -> Result<(), Status> {
    let may = match (account.access, needed) {
        (Access::Full, options::Access::Read | options::Access::Write)
        | (Access::Read, options::Access::Read)
        | (Access::Worker, options::Access::Worker) => return Ok(()),
        (Access::Full, _) => "may do what people do",
        (Access::Read, _) => "may only read",
        (Access::Worker, _) => "may only carry out scans",
        (Access::None, _) => "may call nothing",
    };
    let does = match needed {
        options::Access::Worker => "is for workers",
        options::Access::Read => "reads",
        _ => "changes something",
    };
    let message = format!(
        "{known}, but the account {:?} is not entitled: it {may}, and this call {does}",
        account.name
    );
    Err(Status::new(Code::PermissionDenied, "ACCESS_NOT_GRANTED", message))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use uuid::Uuid;

    use super::*;

    fn bearer_of(value: &'static str) -> Result<String, (u16, String)> {
        let headers = [(header::AUTHORIZATION, HeaderValue::from_static(value))].into_iter().collect();
        bearer(&headers).map(str::to_owned).map_err(|status| (status.http(), status.reason().to_owned()))
    }

    #[test]
    fn the_header_is_bearer_and_a_token() {
        assert_eq!(bearer_of("Bearer abc"), Ok("abc".to_owned()));
        assert_eq!(bearer_of("bearer  abc"), Ok("abc".to_owned()));
        assert_eq!(bearer_of("Bearer "), Ok(String::new()), "an empty token is refused as a token");
        assert_eq!(bearer_of(""), Err((400, AUTHORIZATION_MISSING.to_owned())));
        for other in ["abc", "Basic YTpi", "Bearer", "Bearerabc"] {
            assert_eq!(bearer_of(other), Err((401, "ACCESS_TOKEN_INVALID".to_owned())), "{other}");
        }
        let status = bearer(&HeaderMap::new()).expect_err("no header");
        assert_eq!((status.http(), status.reason()), (400, AUTHORIZATION_MISSING));
    }

    #[test]
    fn entitlement_is_told_apart_from_authentication() {
        let account = |access| Account { uuid: Uuid::nil(), name: "robot".to_owned(), access, actions: None };
        for (has, needed, allowed) in [
            (Access::Full, options::Access::Write, true),
            (Access::Full, options::Access::Read, true),
            (Access::Read, options::Access::Read, true),
            (Access::Read, options::Access::Write, false),
            (Access::None, options::Access::Read, false),
            (Access::None, options::Access::Write, false),
            (Access::Worker, options::Access::Worker, true),
            (Access::Worker, options::Access::Read, false),
            (Access::Worker, options::Access::Write, false),
            (Access::Full, options::Access::Worker, false),
            (Access::None, options::Access::Worker, false),
        ] {
            let result = entitle(&account(has), needed, TOKEN_IS_VALID);
            assert_eq!(result.is_ok(), allowed, "{has:?} {needed:?}");
            if let Err(status) = result {
                assert_eq!((status.http(), status.reason()), (403, "ACCESS_NOT_GRANTED"));
                assert!(status.message().contains("token is valid"), "{status}");
                assert!(status.message().contains("robot"), "{status}");
            }
        }
    }
}
