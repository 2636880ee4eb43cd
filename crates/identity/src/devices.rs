//! Devices by their client certificates.

use std::sync::Arc;

use guardhouse_model::DeviceId;
use guardhouse_store::Store;
use uuid::Uuid;
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

use crate::{
    Authority, Failure,
    digest::sha256,
    signing_request::{CsrError, SigningRequest},
};

/// The device that a certificate (DER) names, and the SHA-256 of its public key (SubjectPublicKeyInfo).
/// `None`: it is not a device certificate.
///
/// This only reads. That the authority signed it, that it has not expired and that the peer holds its key is
/// what the TLS layer has checked before.
#[must_use]
pub fn device_of_certificate(der: &[u8]) -> Option<(DeviceId, [u8; 32])> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    let [GeneralName::URI(name)] = names.value.general_names[..] else { return None };
    let device = Uuid::try_parse(name.strip_prefix("urn:uuid:")?).ok()?;
    Some((DeviceId(device), sha256(certificate.public_key().raw)))
}

/// Tells which device a certificate stands for, and renews certificates. Clones share everything.
#[derive(Debug, Clone)]
pub struct Devices {
    store: Store,
    authority: Arc<Authority>,
}

/// Why a certificate is not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The signing request is not good.
    #[error(transparent)]
    SigningRequest(#[from] CsrError),
    /// The key is not the one that the device enrolled with.
    #[error("the key of the signing request is not the present key of the device; enrol to change it")]
    OtherKey,
    /// Not the caller's fault.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Devices {
    /// The devices in `store`, with certificates by `authority`.
    #[must_use]
    pub fn new(store: Store, authority: Arc<Authority>) -> Self {
        Self { store, authority }
    }

    /// The device that a verified client certificate (DER) stands for. `None`: it is not a device certificate,
    /// or its device was deleted: a certificate counts only while its key is in the store.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn authenticate(&self, certificate: &[u8]) -> Result<Option<DeviceId>, Failure> {
        let Some((device, key_digest)) = device_of_certificate(certificate) else { return Ok(None) };
        let holder = self.store.device_of_key(key_digest).await?;
        Ok(holder.filter(|holder| *holder == device))
    }

    /// The same for a device that is managed no longer and whose key was good until it left: all it may do is to hear so
    /// again, when the first answer was lost.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn authenticate_retired(&self, certificate: &[u8]) -> Result<Option<DeviceId>, Failure> {
        let Some((device, key_digest)) = device_of_certificate(certificate) else { return Ok(None) };
        let holder = self.store.device_of_retired_key(key_digest).await?;
        Ok(holder.filter(|holder| *holder == device))
    }

    /// The next certificate (DER) of `device`, which is already authenticated, for the key it has.
    ///
    /// # Errors
    /// [`RenewError`] says what is wrong with the request.
    pub async fn renew(&self, device: DeviceId, signing_request: &[u8]) -> Result<Vec<u8>, RenewError> {
        let request = SigningRequest::read(signing_request)?;
        let holder = self.store.device_of_key(request.key_digest()).await.map_err(Failure::from)?;
        if holder != Some(device) {
            return Err(RenewError::OtherKey);
        }
        Ok(self.authority.device_certificate(&request, device)?)
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_model::{GroupId, RunId, dynamic_groups::AttributeFacts, groups::ALL, machines::Machine};
    use guardhouse_store::{EnrolDevice, EnrolOutcome, Group, GroupMove, NewEnrolmentToken};
    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::fixture::Fixture;

    fn request(key: &KeyPair) -> Vec<u8> {
        CertificateParams::default().serialize_request(key).expect("signs").der().to_vec()
    }

    const GROUP: GroupId = GroupId(Uuid::from_u128(0x77));

    /// A device with `key` in the store, member of [`GROUP`].
    async fn enrol(fixture: &Fixture, key: &KeyPair) -> DeviceId {
        let id: [u8; 8] = fixture.environment.random();
        let token = NewEnrolmentToken {
            id,
            secret_digest: [0; 32],
            group: GROUP,
            uses: 1,
            expire_time: fixture.environment.now(),
            question: None,
        };
        assert!(fixture.store.enrolment_token_create(token).await.expect("writes"));
        let host = EnrolDevice {
            token_id: id,
            secret_digest: [0; 32],
            key_digest: SigningRequest::read(&request(key)).expect("is good").key_digest(),
            new_id: DeviceId(fixture.environment.uuid()),
            machine: Machine::default(),
            question_id: fixture.environment.uuid(),
            host_name: "alpha".to_owned(),
            attributes: Vec::new(),
            facts: AttributeFacts::default(),
            public_ip_address: String::new(),
            now: fixture.environment.now(),
        };
        match fixture.store.device_enrol(host).await.expect("writes") {
            EnrolOutcome::Enrolled(device) => device,
            other => panic!("{other:?}"),
        }
    }

    async fn devices(fixture: &Fixture) -> Devices {
        let group = Group {
            is_dynamic: false,
            id: GROUP,
            parent: Some(ALL),
            display_name: "Laptops".to_owned(),
            description: String::new(),
            external_reference: String::new(),
            external_type: 0,
            version: 1,
        };
        let created = fixture.store.group_create(group).await.expect("writes");
        assert!(matches!(created, GroupMove::Done(_)));
        let authority = Authority::load_or_create(&fixture.store, &fixture.environment).await.expect("loads");
        Devices::new(fixture.store.clone(), Arc::new(authority))
    }

    #[tokio::test]
    async fn a_certificate_stands_for_its_device_while_the_device_is_there() {
        let fixture = Fixture::new();
        let devices = devices(&fixture).await;
        let (key, other_key) =
            (KeyPair::generate().expect("generates"), KeyPair::generate().expect("generates"));
        let (device, other) = (enrol(&fixture, &key).await, enrol(&fixture, &other_key).await);
        let certificate = devices.renew(device, &request(&key)).await.expect("renews");
        let key_digest = SigningRequest::read(&request(&key)).expect("is good").key_digest();
        assert_eq!(device_of_certificate(&certificate), Some((device, key_digest)));
        assert_eq!(devices.authenticate(&certificate).await.expect("reads"), Some(device));

        let read = SigningRequest::read(&request(&key)).expect("is good");
        let crossed = devices.authority.device_certificate(&read, other).expect("signs");
        assert_eq!(devices.authenticate(&crossed).await.expect("reads"), None, "the key of another device");

        fixture.store.group_delete(GROUP, fixture.environment.now()).await.expect("writes");
        assert_eq!(devices.authenticate(&certificate).await.expect("reads"), None, "the device is gone");
    }

    #[tokio::test]
    async fn other_certificates_stand_for_no_device() {
        let fixture = Fixture::new();
        let devices = devices(&fixture).await;
        let server = devices.authority.server_certificate(&["localhost".to_owned()]).expect("signs");
        let key = KeyPair::generate().expect("generates");
        let named = |names: Vec<rcgen::SanType>| {
            let mut parameters = CertificateParams::default();
            parameters.subject_alt_names = names;
            parameters.self_signed(&key).expect("signs").der().to_vec()
        };
        let uri = |text: &str| rcgen::SanType::URI(text.try_into().expect("ASCII"));
        let good = format!("urn:uuid:{}", Uuid::from_u128(7));
        assert!(device_of_certificate(&named(vec![uri(&good)])).is_some());
        let table = [
            ("empty", Vec::new()),
            ("no certificate", b"certificate".to_vec()),
            ("authority", devices.authority.certificate_der().to_vec()),
            ("server", server.chain[0].to_vec()),
            ("two names", named(vec![uri(&good), uri(&good)])),
            ("another scheme", named(vec![uri("https://example.org/")])),
            ("no uuid", named(vec![uri("urn:uuid:7")])),
        ];
        for (case, der) in table {
            assert_eq!(device_of_certificate(&der), None, "{case}");
            assert_eq!(devices.authenticate(&der).await.expect("reads"), None, "{case}");
        }
    }

    #[tokio::test]
    async fn the_key_of_a_device_that_left_is_good_to_hear_so() {
        let fixture = Fixture::new();
        let devices = devices(&fixture).await;
        let key = KeyPair::generate().expect("generates");
        let device = enrol(&fixture, &key).await;
        let certificate = devices.renew(device, &request(&key)).await.expect("renews");
        assert_eq!(devices.authenticate_retired(&certificate).await.expect("reads"), None);
        let run = RunId(fixture.environment.uuid());
        assert!(fixture.store.device_retire(device, run, fixture.environment.now()).await.expect("writes"));
        assert_eq!(devices.authenticate(&certificate).await.expect("reads"), None);
        assert_eq!(devices.authenticate_retired(&certificate).await.expect("reads"), Some(device));
        let renewed = devices.renew(device, &request(&key)).await;
        assert!(matches!(renewed, Err(RenewError::OtherKey)), "{renewed:?}");
    }

    #[tokio::test]
    async fn only_the_present_key_is_renewed() {
        let fixture = Fixture::new();
        let devices = devices(&fixture).await;
        let (key, other_key) =
            (KeyPair::generate().expect("generates"), KeyPair::generate().expect("generates"));
        let device = enrol(&fixture, &key).await;
        enrol(&fixture, &other_key).await;
        devices.renew(device, &request(&key)).await.expect("renews");
        let new_key = KeyPair::generate().expect("generates");
        for (case, key) in [("unknown key", &new_key), ("key of another device", &other_key)] {
            let refused = devices.renew(device, &request(key)).await;
            assert!(matches!(refused, Err(RenewError::OtherKey)), "{case}");
        }
        let refused = devices.renew(device, b"no request").await;
        assert!(matches!(refused, Err(RenewError::SigningRequest(CsrError::NotParsed))));
    }
}
