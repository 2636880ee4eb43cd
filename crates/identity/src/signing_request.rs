//! Signing requests (PKCS #10): what a device certificate is asked for with.
//!
//! Only the public key of a request matters, and that the sender holds its private half. Subject, extensions
//! and other wishes are not even looked at: the server decides what a certificate says.

use rcgen::{PublicKeyData as _, SubjectPublicKeyInfo};
use x509_parser::{
    certification_request::X509CertificationRequest,
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
        OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA, OID_SIG_ED25519,
    },
    prelude::FromDer as _,
    public_key::PublicKey,
    x509::SubjectPublicKeyInfo as ParsedKey,
};

use crate::digest::sha256;

/// Most bytes of a signing request. One for an RSA key of 8192 bits takes about 2.2 KiB.
pub const MAX_SIZE: usize = 16 * 1024;
/// Fewest bits of an RSA key.
pub const MIN_RSA_BITS: usize = 2048;

/// Why a signing request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// Too large.
    #[error("the signing request has {0} bytes, at most {MAX_SIZE} are allowed")]
    TooLarge(usize),
    /// Not a signing request.
    #[error("the signing request is not a PKCS #10 request in DER")]
    NotParsed,
    /// Not a kind of key that is accepted.
    #[error(
        "the key of the signing request must be EC P-256, EC P-384, Ed25519 or RSA ({MIN_RSA_BITS} bits or more)"
    )]
    UnsupportedKey,
    /// An RSA key that is too short.
    #[error("the RSA key of the signing request has {0} bits, at least {MIN_RSA_BITS} are required")]
    WeakKey(usize),
    /// The signature was not made with the key in the request.
    #[error("the signing request is not signed with its own key (SHA-256 or better)")]
    Signature,
}

/// A signing request whose sender holds the private key.
#[derive(Debug, Clone)]
pub struct SigningRequest {
    key: SubjectPublicKeyInfo,
    key_digest: [u8; 32],
}

impl SigningRequest {
    /// Reads and verifies a request in DER.
    ///
    /// # Errors
    /// [`CsrError`] says what is wrong with it and what would be right.
    pub fn read(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > MAX_SIZE {
            return Err(CsrError::TooLarge(der.len()));
        }
        let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| CsrError::NotParsed)?;
        if !rest.is_empty() {
            return Err(CsrError::NotParsed);
        }
        let key = &request.certification_request_info.subject_pki;
        check_key(key)?;
        let signature = &request.signature_algorithm.algorithm;
        let weak = *signature == OID_PKCS1_SHA1WITHRSA || *signature == OID_SHA1_WITH_RSA;
        if weak || request.verify_signature().is_err() {
            return Err(CsrError::Signature);
        }
        let key = SubjectPublicKeyInfo::from_der(key.raw).map_err(|_| CsrError::UnsupportedKey)?;
        // Of the key as the certificate will spell it, not as the request does: that is what TLS shows later.
        let key_digest = sha256(&key.subject_public_key_info());
        Ok(Self { key, key_digest })
    }

    /// The public key.
    pub(crate) fn key(&self) -> &SubjectPublicKeyInfo {
        &self.key
    }

    /// SHA-256 of the public key (SubjectPublicKeyInfo, DER).
    #[must_use]
    pub fn key_digest(&self) -> [u8; 32] {
        self.key_digest
    }
}

fn check_key(key: &ParsedKey<'_>) -> Result<(), CsrError> {
    let kind = &key.algorithm.algorithm;
    if *kind == OID_SIG_ED25519 {
        return Ok(());
    }
    if *kind == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        let accepted = curve.is_some_and(|curve| curve == OID_EC_P256 || curve == OID_NIST_EC_P384);
        return if accepted { Ok(()) } else { Err(CsrError::UnsupportedKey) };
    }
    if *kind != OID_PKCS1_RSAENCRYPTION {
        return Err(CsrError::UnsupportedKey);
    }
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) if rsa.key_size() >= MIN_RSA_BITS => Ok(()),
        Ok(PublicKey::RSA(rsa)) => Err(CsrError::WeakKey(rsa.key_size())),
        _ => Err(CsrError::UnsupportedKey),
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn request(key: &KeyPair) -> Vec<u8> {
        let mut wishes = CertificateParams::new(vec!["admin.example.org".to_owned()]).expect("a name");
        wishes.key_usages.push(rcgen::KeyUsagePurpose::KeyCertSign);
        wishes.serialize_request(key).expect("signs").der().to_vec()
    }

    #[test]
    fn seeds_with_the_accepted_kinds_of_keys_are_accepted() {
        for (name, algorithm) in [
            ("P-256", &rcgen::PKCS_ECDSA_P256_SHA256),
            ("P-384", &rcgen::PKCS_ECDSA_P384_SHA384),
            ("Ed25519", &rcgen::PKCS_ED25519),
            ("RSA 2048", &rcgen::PKCS_RSA_SHA256),
        ] {
            let key = KeyPair::generate_for(algorithm).expect("generates");
            let request = request(&key);
            keep("signing_requests", name, &request);
            let read = SigningRequest::read(&request).expect(name);
            assert_eq!(read.key_digest(), sha256(&key.subject_public_key_info()), "{name}");
        }
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).expect("generates");
        assert_eq!(SigningRequest::read(&request(&key)).expect_err("P-521"), CsrError::UnsupportedKey);
    }

    /// Made with `openssl req -new -newkey rsa:1024 -nodes -subj /CN=weak -outform DER`.
    const RSA_1024: &str = "\
        MIIBTjCBuAIBADAPMQ0wCwYDVQQDDAR3ZWFrMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDSCPCF1phlmMYtzXf7U4N1\
        dJDRNL9Lo4EDNNBYCIK6eYJMIo1VANrCKqSonGtL9uPbgjPQhzScSSk3TFMdyalddqIzNCY2AKUImZgUjuwgXIjbJBI6HACz\
        YgtgIggpYODgmK292aRqBXUfCZxuafo4CCMv7HXJflJTEUMC2KUnEQIDAQABoAAwDQYJKoZIhvcNAQELBQADgYEAwN6gUnnC\
        qDyDUArvy62/MBtb3wUTbG627LWqXHXJyQi5nhHQgY7WRP+q+uAWAfYOj0VNA+8zCbtWzQ2oAdDbqkLrXoWNYOo0q7qeigqL\
        xOPTs7DCbrcaX1TqAR7YKn5ChBwl26H0P8ipYmKu9/dE7reGb/6sTYhaMumN70umUT8=";
    /// Made with `openssl req -new -newkey rsa:2048 -nodes -sha1 -subj /CN=sha1 -outform DER`.
    const SHA_1: &str = "\
        MIICVDCCATwCAQAwDzENMAsGA1UEAwwEc2hhMTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAKG3ud1hlGqL/ucO\
        hGvKVTrYeCLwYSQL2BmOpf5BmmEJAe1JLXOZz4pVTagCqSZJ0ei48dLIh6yIHwERxHMlyXe6vlroyJf8J+46mm+o/LZOj8EP\
        WdFpNQFIXjgG3U3DpSMppR5T/cYe7skz/ThrFvM+kgNaia9XiwRgsqKYYmqop4fMAls6zxdOqA2H6paAUtbDM7o7Rz7atxlD\
        L7AA/rX5oSiSInTxIOqxxJ27rh5LbtW5xl4CJzSn7aFMVnZik3PQgzGMFedjznf3k4YWU2l5JWFVTJb95qPQ3tcPURIpmX6w\
        ZoaGC6bowl22ih+F/yPhoyIPCSbsW08zH2ZjC2kCAwEAAaAAMA0GCSqGSIb3DQEBBQUAA4IBAQBHjSLTG1f5xN9zTTi/QnDN\
        c00v0tEHjIGLh6a1t3IitOcb8lKFIqgmQMRLvKT3cXXWxtZNKFid64+8g+ZHr3EbvrPX+A/5tzfgOLaI2OT0tT0he8yf7x/6\
        3Lgo0UWXBhvF16l5M8qd18GbPnUA4xYmeEtpES2vksGiVmmNY/GeS4+9U7e3XBMRYBoLZHPxCwhV/So8WIPMxguqjOCEdkMB\
        VNB0tlWKACmPPUftkAkoJgATA3gxldqqUPpOg4HHdiQ+nj4CPYfOL331811yYpLhfJ7AxXtHg6DmBzqyWA1uvrn1zzQZGsxt\
        NutWdV8WsbRgekHZk+YTYsnsKoKHebcJ";

    fn decode(text: &str) -> Vec<u8> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.decode(text).expect("base64")
    }

    #[test]
    fn bad_requests_are_refused_with_the_reason() {
        let good = request(&KeyPair::generate().expect("generates"));
        let mut swapped = good.clone();
        let last = swapped.len() - 1;
        swapped[last] ^= 1;
        let table = [
            ("empty", Vec::new(), CsrError::NotParsed),
            ("text", b"-----BEGIN CERTIFICATE REQUEST-----".to_vec(), CsrError::NotParsed),
            ("cut", good[..last].to_vec(), CsrError::NotParsed),
            ("more behind it", [good.as_slice(), &[0]].concat(), CsrError::NotParsed),
            ("changed signature", swapped, CsrError::Signature),
            ("large", vec![0x30; MAX_SIZE + 1], CsrError::TooLarge(MAX_SIZE + 1)),
            ("RSA of 1024 bits", decode(RSA_1024), CsrError::WeakKey(1024)),
            ("SHA-1", decode(SHA_1), CsrError::Signature),
        ];
        for (case, der, error) in table {
            assert_eq!(SigningRequest::read(&der).expect_err(case), error, "{case}");
        }
    }

    #[test]
    fn no_changed_bit_smuggles_another_key_in() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("generates");
        let good = request(&key);
        let digest = SigningRequest::read(&good).expect("is good").key_digest();
        let mut changed = good.clone();
        for bit in 0..good.len() * 8 {
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = SigningRequest::read(&changed) {
                assert_eq!(read.key_digest(), digest, "bit {bit}");
            }
            changed[bit / 8] ^= 1 << (bit % 8);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            place: prop::sample::Index,
            is_whole: bool,
        ) {
            let mut request = decode(SHA_1);
            if is_whole {
                request = bytes;
            } else {
                let place = place.index(request.len());
                request.splice(place..(place + bytes.len() % 8).min(request.len()), bytes);
            }
            let _ = SigningRequest::read(&request);
        }
    }
}
