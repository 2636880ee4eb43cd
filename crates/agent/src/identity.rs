//! Who this device is: its key, its certificate, its server.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use guardhouse_link::tls::{self, TlsError, Trust};
use guardhouse_model::{DeviceId, Timestamp};
use http::Uri;
use jiff::SignedDuration;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::durable;

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is none.
    #[error("this agent is not enrolled: {} does not exist; run \"enroll\" first", .0.display())]
    NotEnrolled(PathBuf),
    /// The system refuses.
    #[error("cannot use {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} does not hold {what}; restore it, or enrol again with --force", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A key could not be made or used.
    #[error("cannot make a key or a signing request: {0}")]
    Key(#[from] rcgen::Error),
    /// The parts do not fit together.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The file with the public key by which the server signs versions of the agent.
const RELEASE_KEY: &str = "release-key";

/// The identity of an enrolled device.
#[derive(Debug)]
pub struct Identity {
    folder: PathBuf,
    /// The device.
    pub device: DeviceId,
    /// Address of the server, `https://HOST:PORT`.
    pub server: Uri,
    /// The host name to report instead of the real one.
    pub host_name: Option<String>,
    key: KeyPair,
    certificate: CertificateDer<'static>,
    authorities: Vec<CertificateDer<'static>>,
}

/// `server.json`: written last, so that it also says that the device is enrolled.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerFile {
    server: String,
    device_uuid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host_name: Option<String>,
}

/// Whether the folder holds a whole identity.
#[must_use]
pub fn exists(folder: &Path) -> bool {
    folder.join("server.json").exists()
}

/// The key of the folder; made and stored first where there is none, so that a host that is interrupted while
/// it enrols asks with the same key again and stays the same device.
///
/// # Errors
/// The key cannot be made, stored or read.
pub fn key(folder: &Path) -> Result<KeyPair, IdentityError> {
    let path = folder.join("key.pem");
    match fs::read_to_string(&path) {
        Ok(pem) => {
            KeyPair::from_pem(&pem).map_err(|_| IdentityError::Content { path, what: "a private key" })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            store(folder, "key.pem", key.serialize_pem().as_bytes())?;
            Ok(key)
        }
        Err(source) => Err(IdentityError::Io { path, source }),
    }
}

/// Stores the key by which the server signs versions of the agent, if it has said one.
///
/// # Errors
/// It cannot be written.
pub fn store_release_key(folder: &Path, key: &[u8]) -> Result<(), IdentityError> {
    match key {
        [] => Ok(()),
        key => store(folder, RELEASE_KEY, key),
    }
}

/// A signing request (PKCS #10, DER) for a key. The server chooses the subject.
///
/// # Errors
/// The key does not sign.
pub fn signing_request(key: &KeyPair) -> Result<Vec<u8>, IdentityError> {
    Ok(CertificateParams::default().serialize_request(key)?.der().to_vec())
}

/// The certificates of a PEM file.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let bytes = fs::read(path).map_err(|source| IdentityError::Io { path: path.to_owned(), source })?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(IdentityError::Content { path: path.to_owned(), what: "certificates in PEM" }),
    }
}

impl Identity {
    /// Stores the identity that an enrolment brought and answers it.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn create(
        folder: &Path,
        server: Uri,
        device: DeviceId,
        host_name: Option<String>,
        certificate: CertificateDer<'static>,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Result<Self, IdentityError> {
        let key = key(folder)?;
        let identity =
            Self { folder: folder.to_owned(), device, server, host_name, key, certificate, authorities };
        // Parts that do not fit together must fail now, while the token may still be used.
        identity.tls()?;
        identity.store_certificates()?;
        let file = ServerFile {
            server: identity.server.to_string(),
            device_uuid: device.to_string(),
            host_name: identity.host_name.clone(),
        };
        let json = serde_json::to_vec_pretty(&file).expect("strings can be written as JSON");
        store(folder, "server.json", &json)?;
        Ok(identity)
    }

    /// Reads the identity of an enrolled device.
    ///
    /// # Errors
    /// The device is not enrolled, or a file is missing or spoilt.
    pub fn load(folder: &Path) -> Result<Self, IdentityError> {
        let path = folder.join("server.json");
        if !exists(folder) {
            return Err(IdentityError::NotEnrolled(path));
        }
        let json = fs::read(&path).map_err(|source| IdentityError::Io { path: path.clone(), source })?;
        let spoilt = |what| IdentityError::Content { path: path.clone(), what };
        let file: ServerFile =
            serde_json::from_slice(&json).map_err(|_| spoilt("the address of a server and a device uuid"))?;
        let certificate = read_certificates(&folder.join("certificate.pem"))?.swap_remove(0);
        Ok(Self {
            folder: folder.to_owned(),
            device: file.device_uuid.parse().map_err(|_| spoilt("a device uuid"))?,
            server: file.server.parse().map_err(|_| spoilt("the address of a server"))?,
            host_name: file.host_name,
            key: key(folder)?,
            certificate,
            authorities: read_certificates(&folder.join("authorities.pem"))?,
        })
    }

    /// How this device connects to its server.
    ///
    /// # Errors
    /// The parts do not fit together.
    pub fn tls(&self) -> Result<Arc<ClientConfig>, IdentityError> {
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let identity = (vec![self.certificate.clone()], key);
        let trust = Trust::Authorities(self.authorities.clone());
        Ok(tls::client_config(trust, Some(identity), &[tls::HTTP_2])?)
    }

    /// A signing request for the next certificate, with the same key.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn signing_request(&self) -> Result<Vec<u8>, IdentityError> {
        signing_request(&self.key)
    }

    /// Takes the next certificate, and the authorities to trust from now on.
    ///
    /// # Errors
    /// The certificate does not fit the key, or cannot be stored; the identity is the earlier one then.
    pub fn renew(
        &mut self,
        certificate: CertificateDer<'static>,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Result<(), IdentityError> {
        let earlier = (
            std::mem::replace(&mut self.certificate, certificate),
            std::mem::replace(&mut self.authorities, authorities),
        );
        let renewed = self.tls().and_then(|_| self.store_certificates());
        if renewed.is_err() {
            (self.certificate, self.authorities) = earlier;
        }
        renewed
    }

    /// The key by which the server signs versions of the agent; `None` when it has not said so yet.
    #[must_use]
    pub fn release_key(&self) -> Option<Vec<u8>> {
        fs::read(self.folder.join(RELEASE_KEY)).ok()
    }

    /// Takes the key by which the server signs versions of the agent, if it has said one.
    ///
    /// # Errors
    /// It cannot be stored.
    pub fn store_release_key(&self, key: &[u8]) -> Result<(), IdentityError> {
        store_release_key(&self.folder, key)
    }

    /// The authorities that this device trusts.
    #[must_use]
    pub fn authorities(&self) -> &[CertificateDer<'static>] {
        &self.authorities
    }

    /// From when to when the certificate is valid; `None` when it cannot be read.
    #[must_use]
    pub fn validity(&self) -> Option<Validity> {
        Validity::of(&self.certificate)
    }

    fn store_certificates(&self) -> Result<(), IdentityError> {
        let authorities: Vec<_> = self.authorities.iter().map(|certificate| to_pem(certificate)).collect();
        store(&self.folder, "authorities.pem", authorities.concat().as_bytes())?;
        store(&self.folder, "certificate.pem", to_pem(&self.certificate).as_bytes())
    }
}

fn store(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), IdentityError> {
    let path = folder.join(name);
    durable::create_folder(folder)
        .and_then(|()| durable::write(&path, bytes))
        .map_err(|source| IdentityError::Io { path, source })
}

fn to_pem(certificate: &CertificateDer<'_>) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE", certificate.to_vec()))
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Its first moment.
    pub begins: Timestamp,
    /// Its last moment.
    pub ends: Timestamp,
}

impl Validity {
    fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let validity = certificate.validity();
        let moment = |seconds| Timestamp::from_second(seconds).ok();
        Some(Self {
            begins: moment(validity.not_before.timestamp())?,
            ends: moment(validity.not_after.timestamp())?,
        })
    }

    /// Whether two thirds of its life are over at `now`: time for the next one. The last third is for a server
    /// that cannot be reached.
    #[must_use]
    pub fn is_renewal_due(self, now: Timestamp) -> bool {
        let life: SignedDuration = self.begins.duration_until(self.ends);
        now >= self.begins.saturating_add(life * 2 / 3).unwrap_or(self.ends)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use uuid::Uuid;

    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + day * 86_400).expect("in range")
    }

    fn self_signed(key: &KeyPair) -> CertificateDer<'static> {
        CertificateParams::default().self_signed(key).expect("a certificate").der().clone()
    }

    fn create(folder: &Path) -> Result<Identity, IdentityError> {
        let certificate = self_signed(&key(folder).expect("a key"));
        let device = DeviceId(Uuid::from_u128(7));
        let server = Uri::from_static("https://guardhouse.test:8443");
        Identity::create(folder, server, device, None, certificate.clone(), vec![certificate])
    }

    #[test]
    fn an_identity_survives_and_stays_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("identity");
        let created = create(&folder).expect("created");
        let loaded = Identity::load(&folder).expect("loaded");
        assert_eq!(loaded.device, created.device);
        assert_eq!(loaded.server, "https://guardhouse.test:8443/");
        assert_eq!(loaded.certificate, created.certificate);
        assert_eq!(loaded.key.serialize_der(), created.key.serialize_der());

        let mode =
            |name: &str| fs::metadata(folder.join(name)).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode("key.pem"), mode(".")), (0o600, 0o700));
    }

    #[test]
    fn a_key_is_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = key(folder.path()).expect("made");
        let second = key(folder.path()).expect("found");
        assert_eq!(first.serialize_der(), second.serialize_der());
        assert!(!exists(folder.path()), "a key alone is no identity");
        let error = Identity::load(folder.path()).expect_err("not enrolled");
        assert!(matches!(error, IdentityError::NotEnrolled(_)), "{error}");
    }

    #[test]
    fn a_certificate_of_another_key_is_not_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut identity = create(folder.path()).expect("created");
        let foreign = self_signed(&KeyPair::generate().expect("a key"));
        let earlier = identity.certificate.clone();
        let authorities = identity.authorities.clone();
        identity.renew(foreign, authorities.clone()).expect_err("does not fit");
        assert_eq!(identity.certificate, earlier);

        let next = self_signed(&identity.key);
        identity.renew(next.clone(), authorities).expect("fits");
        assert_eq!(Identity::load(folder.path()).expect("loaded").certificate, next);
    }

    #[test]
    fn spoilt_files_are_named() {
        for (name, content) in [("server.json", "{}"), ("certificate.pem", "x"), ("key.pem", "x")] {
            let folder = tempfile::tempdir().expect("a folder");
            create(folder.path()).expect("created");
            fs::write(folder.path().join(name), content).expect("spoilt");
            let error = Identity::load(folder.path()).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains("--force"), "{error}");
        }
    }

    #[test]
    fn renewal_is_due_after_two_thirds() {
        let validity = Validity { begins: at(0), ends: at(30) };
        assert!(!validity.is_renewal_due(at(0)));
        assert!(!validity.is_renewal_due(at(19)));
        assert!(validity.is_renewal_due(at(20)));
        assert!(validity.is_renewal_due(at(40)));
    }
}
