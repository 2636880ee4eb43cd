//! What events are signed with, in the form of the Standard Webhooks: `whsec_` and bytes in base64.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// Bytes of a secret that the server makes.
pub const LENGTH: usize = 32;

/// Fewest and most bytes of a secret.
const RANGE: std::ops::RangeInclusive<usize> = 24..=64;

/// The bytes as a text.
pub fn write(secret: &[u8]) -> String {
    format!("{PREFIX}{}", BASE64_STANDARD.encode(secret))
}

/// The bytes of a text.
///
/// # Errors
/// What is wrong with it. It never says what the text is.
pub fn read(text: &str) -> Result<Vec<u8>, String> {
    let encoded = text.strip_prefix(PREFIX).ok_or_else(|| format!("does not begin with {PREFIX}"))?;
    let secret = BASE64_STANDARD.decode(encoded).map_err(|_| format!("is not base64 behind {PREFIX}"))?;
    if RANGE.contains(&secret.len()) {
        Ok(secret)
    } else {
        Err(format!("has {} bytes; {} to {} are possible", secret.len(), RANGE.start(), RANGE.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_a_form() {
        let text = write(&[7; LENGTH]);
        assert_eq!(read(&text), Ok(vec![7; LENGTH]));
        for wrong in ["", "whsec_", "whsec_AAAA", "whsec_~", &text[1..], &write(&[7; 65]), &write(&[7; 23])] {
            let error = read(wrong).expect_err(wrong);
            assert!(wrong.len() < 8 || !error.contains(wrong), "{error}");
        }
    }
}
