//! The text of an enrolment token.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What an administrator hands to a host so that it becomes a device.
///
/// Its text is `ghe1.<id>.<secret>.<authority>`: a name of the format, eight bytes in lower-case hexadecimal,
/// and twice 32 bytes in base64url without padding. It carries the fingerprint of the server's authority, so
/// that the host can tell the right server from any other before it says anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EnrolmentToken {
    /// Names the token; not secret.
    pub id: [u8; 8],
    /// Proves that the token was handed out by the server.
    pub secret: [u8; 32],
    /// SHA-256 of the certificate (DER) of the authority that signs the server's certificate.
    pub authority: [u8; 32],
}

/// Names the format and its version.
const PREFIX: &str = "ghe1";

/// Why a text is not an enrolment token. No variant repeats a part of the text: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not four parts.
    #[error("an enrolment token has four parts between dots (ghe1.<id>.<secret>.<authority>), this has {0}")]
    Parts(usize),
    /// The first part is not `ghe1`.
    #[error("an enrolment token begins with \"ghe1.\"")]
    Prefix,
    /// The second part is not an id.
    #[error("the second part of an enrolment token is 16 lower-case hexadecimal digits")]
    Id,
    /// The third part is not a secret.
    #[error("the third part of an enrolment token is 43 characters of base64url; was the token cut?")]
    Secret,
    /// The fourth part is not a fingerprint.
    #[error("the fourth part of an enrolment token is 43 characters of base64url; was the token cut?")]
    Authority,
}

impl FromStr for EnrolmentToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let parts: Vec<&str> = text.trim().split('.').collect();
        let [prefix, id, secret, authority] = parts[..] else {
            return Err(TokenError::Parts(parts.len()));
        };
        if prefix != PREFIX {
            return Err(TokenError::Prefix);
        }
        Ok(Self {
            id: read_hex(id).ok_or(TokenError::Id)?,
            secret: read_base64(secret).ok_or(TokenError::Secret)?,
            authority: read_base64(authority).ok_or(TokenError::Authority)?,
        })
    }
}

impl fmt::Display for EnrolmentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}.")?;
        for byte in self.id {
            write!(f, "{byte:02x}")?;
        }
        let base64 = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        write!(f, ".{}.{}", base64(self.secret), base64(self.authority))
    }
}

/// The id only: a token may end up in a log by accident.
impl fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrolmentToken({:016x})", u64::from_be_bytes(self.id))
    }
}

fn read_hex(text: &str) -> Option<[u8; 8]> {
    let digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = u64::from_str_radix(text, 16).ok().filter(|_| digits)?;
    Some(number.to_be_bytes())
}

fn read_base64(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ZEROS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn the_text_is_what_the_documentation_says() {
        let token = EnrolmentToken {
            id: *b"\x00\x01\x02\x03\x04\x05\xfe\xff",
            secret: [0; 32],
            authority: [0xff; 32],
        };
        let text = format!("ghe1.000102030405feff.{ZEROS}.{}8", "_".repeat(42));
        assert_eq!(token.to_string(), text);
        assert_eq!(text.parse(), Ok(token));
        assert_eq!(format!(" {text}\n").parse(), Ok(token), "as pasted");
        assert_eq!(format!("{token:?}"), "EnrolmentToken(000102030405feff)");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let table = [
            (String::new(), TokenError::Parts(1)),
            (format!("ghe1.0001020304050607.{ZEROS}"), TokenError::Parts(3)),
            (format!("ghe2.0001020304050607.{ZEROS}.{ZEROS}"), TokenError::Prefix),
            (format!("ghe1.000102030405060.{ZEROS}.{ZEROS}"), TokenError::Id),
            (format!("ghe1.+001020304050607.{ZEROS}.{ZEROS}"), TokenError::Id),
            (format!("ghe1.000102030405060A.{ZEROS}.{ZEROS}"), TokenError::Id),
            (format!("ghe1.0001020304050607.{}.{ZEROS}", &ZEROS[1..]), TokenError::Secret),
            (format!("ghe1.0001020304050607.{ZEROS}A.{ZEROS}"), TokenError::Secret),
            (format!("ghe1.0001020304050607.{ZEROS}.{}", &ZEROS[2..]), TokenError::Authority),
            (format!("ghe1.0001020304050607.{ZEROS}.{ZEROS}="), TokenError::Authority),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<EnrolmentToken>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_token_survives_its_text(id: [u8; 8], secret: [u8; 32], authority: [u8; 32]) {
            let token = EnrolmentToken { id, secret, authority };
            prop_assert_eq!(token.to_string().parse(), Ok(token));
        }

        #[test]
        fn each_token_has_one_text(text in "ghe1\\.[0-9a-fA-F]{16}\\.[A-Za-z0-9_-]{43}\\.[A-Za-z0-9_-]{43}") {
            if let Ok(token) = text.parse::<EnrolmentToken>() {
                prop_assert_eq!(token.to_string(), text);
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<EnrolmentToken>();
        }
    }
}
