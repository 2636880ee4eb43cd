//! The server's own certificate authority.
//!
//! It signs the certificate that the server shows (unless an administrator brings one) and those of devices.
//! Its certificate is self-signed and lasts ten years; agents pin it when they enrol. Keys come from the
//! generator of the cryptographic library; times and serial numbers from the [`Environment`].

use std::{fmt, net::IpAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use guardhouse_model::{DeviceId, Environment};
use guardhouse_store::{KeyRecord, Store};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, DnsName, PrivateKeyDer};

use crate::{Failure, digest::sha256, signing_request::SigningRequest};

/// Name of the authority's key in the store.
const KEY_NAME: &str = "authority";
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Lifetime of the authority itself.
const AUTHORITY_LIFETIME: Duration = DAY.saturating_mul(3652);
/// Lifetime of a server certificate, which is made anew whenever the server starts. Apple's systems, among
/// others, refuse server certificates that live for more than 398 days.
const SERVER_LIFETIME: Duration = DAY.saturating_mul(397);
/// Lifetime of a device certificate. Agents renew theirs long before.
pub const DEVICE_LIFETIME: Duration = DAY.saturating_mul(30);
/// How far certificates reach back, for clocks that are late.
const BACKDATING: Duration = Duration::from_secs(5 * 60);

/// Signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    environment: Environment,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(…)")
    }
}

/// What a TLS server shows, and the key for it.
#[derive(Debug)]
pub struct ServerCertificate {
    /// The certificate, then that of the authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key.
    pub key: PrivateKeyDer<'static>,
}

/// Why there is no server certificate.
#[derive(Debug, thiserror::Error)]
pub enum ServerCertificateError {
    /// A certificate for no name is no use.
    #[error("a server certificate needs at least one name")]
    NoName,
    /// A name that cannot be in a certificate.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    Name(String),
    /// Not the caller's fault.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Authority {
    /// Loads the authority, and makes it first if there is none. Processes that do so at once agree on one.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn load_or_create(store: &Store, environment: &Environment) -> Result<Self, Failure> {
        let record = match store.key_get(KEY_NAME).await? {
            Some(record) => record,
            None => store.key_settle(KEY_NAME, generate(environment)?, environment.now()).await?,
        };
        let inconsistent = |what: &dyn fmt::Display| Failure::Inconsistent(format!("key {KEY_NAME}: {what}"));
        let key = KeyPair::try_from(record.secret).map_err(|error| inconsistent(&error))?;
        let certificate = record.certificate.ok_or_else(|| inconsistent(&"there is no certificate"))?;
        let certificate = CertificateDer::from(certificate);
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|error| inconsistent(&error))?;
        Ok(Self { issuer, certificate, environment: environment.clone() })
    }

    /// A fresh key and a certificate for a server with these DNS names and IP addresses.
    ///
    /// # Errors
    /// [`ServerCertificateError`] names what is not a name.
    pub fn server_certificate(&self, names: &[String]) -> Result<ServerCertificate, ServerCertificateError> {
        let first = names.first().ok_or(ServerCertificateError::NoName)?;
        let mut parameters = self.leaf(first, SERVER_LIFETIME, ExtendedKeyUsagePurpose::ServerAuth);
        parameters.subject_alt_names =
            names.iter().map(|name| subject_alt_name(name)).collect::<Result<_, _>>()?;
        let key = KeyPair::generate().map_err(Failure::cryptography)?;
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(Failure::cryptography)?;
        Ok(ServerCertificate {
            chain: vec![certificate.der().clone(), self.certificate.clone()],
            key: key.into(),
        })
    }

    /// A client certificate (DER) for `device` and the key in `request`. It says so as `urn:uuid:<device>`.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn device_certificate(&self, request: &SigningRequest, device: DeviceId) -> Result<Vec<u8>, Failure> {
        let mut parameters =
            self.leaf(&device.to_string(), DEVICE_LIFETIME, ExtendedKeyUsagePurpose::ClientAuth);
        let name = format!("urn:uuid:{device}").try_into().map_err(Failure::cryptography)?;
        parameters.subject_alt_names = vec![SanType::URI(name)];
        let certificate = parameters.signed_by(request.key(), &self.issuer).map_err(Failure::cryptography)?;
        Ok(certificate.der().to_vec())
    }

    /// The certificate of the authority, DER.
    #[must_use]
    pub fn certificate_der(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The certificate of the authority, PEM: what a client that does not pin is given to trust.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        let base64 = STANDARD.encode(&self.certificate);
        let lines = base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n");
        format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", lines.collect::<String>())
    }

    /// SHA-256 of the certificate (DER): what enrolment tokens carry and agents pin.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        sha256(&self.certificate)
    }

    fn leaf(
        &self,
        common_name: &str,
        lifetime: Duration,
        usage: ExtendedKeyUsagePurpose,
    ) -> CertificateParams {
        let mut parameters = parameters(&self.environment, common_name, lifetime);
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![usage];
        parameters
    }
}

/// The key and the self-signed certificate of a new authority.
fn generate(environment: &Environment) -> Result<KeyRecord, Failure> {
    let mut parameters = parameters(environment, "Guardhouse certificate authority", AUTHORITY_LIFETIME);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(Failure::cryptography)?;
    let certificate = parameters.self_signed(&key).map_err(Failure::cryptography)?;
    Ok(KeyRecord { secret: key.serialize_der(), certificate: Some(certificate.der().to_vec()) })
}

/// What all certificates have in common.
fn parameters(environment: &Environment, common_name: &str, lifetime: Duration) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let epoch = date_time_ymd(1970, 1, 1);
    let now = Duration::from_secs(u64::try_from(environment.now().as_second()).unwrap_or(0));
    parameters.not_before = epoch + now.saturating_sub(BACKDATING);
    parameters.not_after = epoch + (now + lifetime);
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.use_authority_key_identifier_extension = true;
    let mut serial: [u8; 16] = environment.random();
    // Positive, and of the same length whatever was drawn.
    serial[0] = serial[0] & 0x7f | 0x40;
    parameters.serial_number = Some(SerialNumber::from_slice(&serial));
    parameters
}

fn subject_alt_name(name: &str) -> Result<SanType, ServerCertificateError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let wrong = || ServerCertificateError::Name(name.to_owned());
    // The reading that clients of the certificate do; rcgen itself takes any ASCII.
    let name = DnsName::try_from(name).map_err(|_| wrong())?;
    Ok(SanType::DnsName(name.as_ref().try_into().map_err(|_| wrong())?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
        crypto::aws_lc_rs::default_provider,
        pki_types::{ServerName, UnixTime},
        server::WebPkiClientVerifier,
    };
    use x509_parser::parse_x509_certificate;

    use super::*;
    use crate::fixture::{Fixture, START};

    async fn authority(fixture: &Fixture) -> Authority {
        Authority::load_or_create(&fixture.store, &fixture.environment).await.expect("loads")
    }

    fn request(algorithm: &'static rcgen::SignatureAlgorithm) -> SigningRequest {
        let key = KeyPair::generate_for(algorithm).expect("generates");
        let csr = CertificateParams::default().serialize_request(&key).expect("signs");
        SigningRequest::read(csr.der()).expect("is good")
    }

    fn roots(authority: &Authority) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate_der().clone()).expect("is an authority");
        Arc::new(roots)
    }

    /// `seconds` after the fixture's start.
    fn at(seconds: i64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(START + seconds).expect("positive")))
    }

    const DAY: i64 = 24 * 3600;

    #[tokio::test]
    async fn there_is_one_authority_per_store() {
        let fixture = Fixture::new();
        let (first, second) = tokio::join!(authority(&fixture), authority(&fixture));
        assert_eq!(first.fingerprint(), second.fingerprint(), "made at once");
        assert_eq!(authority(&fixture).await.fingerprint(), first.fingerprint(), "loaded later");
        assert_ne!(authority(&Fixture::new()).await.fingerprint(), first.fingerprint(), "another store");
    }

    #[tokio::test]
    async fn the_authority_signs_leaves_only_and_for_ten_years() {
        let fixture = Fixture::new();
        let authority = authority(&fixture).await;
        let (_, certificate) = parse_x509_certificate(authority.certificate_der()).expect("parses");
        let constraints = certificate.basic_constraints().expect("one").expect("there");
        assert!(constraints.critical && constraints.value.ca);
        assert_eq!(constraints.value.path_len_constraint, Some(0));
        assert_eq!(certificate.validity().not_before.timestamp(), START - 300);
        assert_eq!(certificate.validity().not_after.timestamp(), START + 3652 * DAY);
        let (_, pem) =
            x509_parser::pem::parse_x509_pem(authority.certificate_pem().as_bytes()).expect("is PEM");
        assert_eq!(pem.contents, authority.certificate_der().as_ref());
        assert!(authority.certificate_pem().lines().all(|line| line.len() <= 64));
    }

    #[tokio::test]
    async fn clients_accept_the_server_by_its_names_while_it_lasts() {
        let fixture = Fixture::new();
        let authority = authority(&fixture).await;
        let names = ["localhost", "guardhouse.example.org", "127.0.0.1", "::1"].map(str::to_owned);
        let shown = authority.server_certificate(&names).expect("signs");
        assert_eq!(shown.chain.last(), Some(authority.certificate_der()));
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots(&authority), default_provider().into())
                .build()
                .expect("builds");
        let accepts = |name: &str, seconds| {
            let name = ServerName::try_from(name.to_owned()).expect("a name");
            verifier.verify_server_cert(&shown.chain[0], &shown.chain[1..], &name, &[], at(seconds)).is_ok()
        };
        for name in &names {
            assert!(accepts(name, 0), "{name}");
        }
        assert!(!accepts("example.org", 0) && !accepts("127.0.0.2", 0), "other names");
        assert!(accepts("localhost", -300) && !accepts("localhost", -301), "a clock that is late");
        assert!(accepts("localhost", 397 * DAY) && !accepts("localhost", 397 * DAY + 1), "397 days");

        let request = request(&rcgen::PKCS_ED25519);
        let device =
            authority.device_certificate(&request, DeviceId(fixture.environment.uuid())).expect("signs");
        let name = ServerName::try_from("localhost").expect("a name");
        let as_server = verifier.verify_server_cert(&device.into(), &[], &name, &[], at(0));
        as_server.expect_err("a device is no server");
    }

    #[tokio::test]
    async fn names_that_are_none_are_refused() {
        let fixture = Fixture::new();
        let authority = authority(&fixture).await;
        let certificate = |names: &[&str]| {
            authority.server_certificate(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
        };
        assert!(matches!(certificate(&[]), Err(ServerCertificateError::NoName)));
        for name in ["", "a b", "ä.example.org", "https://localhost", "localhost:443", "[::1]"] {
            let error = certificate(&["localhost", name]).expect_err(name);
            assert_eq!(error.to_string(), format!("{name:?} is neither a DNS name nor an IP address"));
        }
    }

    #[tokio::test]
    async fn servers_accept_devices_of_their_own_authority_for_thirty_days() {
        let fixture = Fixture::new();
        let authority = authority(&fixture).await;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots(&authority), default_provider().into())
                .build()
                .expect("builds");
        let accepts = |certificate: &CertificateDer<'_>, seconds| {
            verifier.verify_client_cert(certificate, &[], at(seconds)).is_ok()
        };
        let device = DeviceId(fixture.environment.uuid());
        for algorithm in [
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
            &rcgen::PKCS_ED25519,
            &rcgen::PKCS_RSA_SHA256,
        ] {
            let certificate: CertificateDer<'_> =
                authority.device_certificate(&request(algorithm), device).expect("signs").into();
            assert!(accepts(&certificate, 0), "{algorithm:?}");
            assert!(accepts(&certificate, -300) && !accepts(&certificate, -301));
            assert!(accepts(&certificate, 30 * DAY) && !accepts(&certificate, 30 * DAY + 1));
        }

        let elsewhere = Fixture::new();
        let foreign = super::Authority::load_or_create(&elsewhere.store, &elsewhere.environment).await;
        let request = request(&rcgen::PKCS_ED25519);
        let certificate = foreign.expect("loads").device_certificate(&request, device).expect("signs").into();
        assert!(!accepts(&certificate, 0), "another authority");
        let server = authority.server_certificate(&["localhost".to_owned()]).expect("signs");
        assert!(!accepts(&server.chain[0], 0), "a server is no device");
    }

    #[tokio::test]
    async fn serial_numbers_differ() {
        let fixture = Fixture::new();
        let authority = authority(&fixture).await;
        let request = request(&rcgen::PKCS_ED25519);
        let device = DeviceId(fixture.environment.uuid());
        let serial = || {
            let der = authority.device_certificate(&request, device).expect("signs");
            let (_, certificate) = parse_x509_certificate(&der).expect("parses");
            certificate.raw_serial().to_vec()
        };
        let (first, second) = (serial(), serial());
        assert_eq!((first.len(), second.len()), (16, 16));
        assert_ne!(first, second);
    }
}
