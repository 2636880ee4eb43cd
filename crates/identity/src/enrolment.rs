//! Enrolment: how a host with a token becomes a device with a certificate.

use std::{sync::Arc, time::Duration};

use guardhouse_link::{EnrolmentToken, token::TokenError};
use guardhouse_model::{DeviceId, Environment, GroupId, dynamic_groups::AttributeFacts, machines::Machine};
use guardhouse_store::{EnrolDevice, EnrolOutcome, NewEnrolmentToken, Store};
use uuid::Uuid;

use crate::{
    Authority, Failure,
    digest::sha256,
    signing_request::{CsrError, SigningRequest},
};

/// How long the token of a newcomer is good: it is used as soon as it is there.
const NEWCOMER_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Creates and redeems enrolment tokens. Clones share everything.
#[derive(Debug, Clone)]
pub struct EnrolmentTokens {
    store: Store,
    environment: Environment,
    authority: Arc<Authority>,
}

/// Why an enrolment token was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The group for new devices does not exist.
    #[error("device group {0} does not exist")]
    NoSuchGroup(GroupId),
    /// A token that enrols nobody.
    #[error("an enrolment token must be good for at least one device")]
    Uses,
    /// A lifetime that is no time, or ends beyond the calendar.
    #[error("an enrolment token must live for at least a second and expire before the year 9999")]
    Lifetime,
    /// Not the caller's fault.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A host that asks for a place in the fleet.
#[derive(Debug, Clone)]
pub struct Host<'a> {
    /// The text of the enrolment token.
    pub token: &'a str,
    /// PKCS #10 signing request, DER.
    pub signing_request: &'a [u8],
    /// Host name; a pending placeholder of that name is claimed.
    pub host_name: String,
    /// An encoded contract `Device` with what the inventory says.
    pub attributes: Vec<u8>,
    /// What the rules of dynamic groups can look at of it.
    pub facts: AttributeFacts,
    /// Which machine it is.
    pub machine: Machine,
    /// Address as the server sees it.
    pub public_ip_address: String,
}

/// A host that has become a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The device.
    pub device: DeviceId,
    /// Its client certificate, DER.
    pub certificate: Vec<u8>,
}

/// Why a host is not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// The text is not an enrolment token.
    #[error(transparent)]
    TokenText(#[from] TokenError),
    /// There is no such token here, or its secret is another.
    #[error("the enrolment token is not known to this server; was it created for another one?")]
    UnknownToken,
    /// The token has expired.
    #[error("the enrolment token has expired; create another one")]
    Expired,
    /// The token has enrolled as many devices as it may.
    #[error("the enrolment token has been used as often as it may be; create another one")]
    UsedUp,
    /// The signing request is not good.
    #[error(transparent)]
    SigningRequest(#[from] CsrError),
    /// Not the caller's fault.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl EnrolmentTokens {
    /// The enrolment tokens in `store`, for certificates by `authority`.
    #[must_use]
    pub fn new(store: Store, environment: Environment, authority: Arc<Authority>) -> Self {
        Self { store, environment, authority }
    }

    /// Creates a token with which `uses` hosts may enrol within `lifetime`. Those that claim no placeholder
    /// become members of `group`. The secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`CreateError`] says what is wrong.
    pub async fn create(
        &self,
        group: GroupId,
        uses: u32,
        lifetime: Duration,
    ) -> Result<EnrolmentToken, CreateError> {
        self.create_for(None, group, uses, lifetime).await
    }

    /// Creates a token for the machine that an answered identity question is about, and for nobody else. It becomes the
    /// device that was decided, or a new one in `group`.
    ///
    /// # Errors
    /// As [`EnrolmentTokens::create`].
    pub async fn create_for_newcomer(
        &self,
        question: Uuid,
        group: GroupId,
    ) -> Result<EnrolmentToken, CreateError> {
        self.create_for(Some(question), group, 1, NEWCOMER_LIFETIME).await
    }

    async fn create_for(
        &self,
        question: Option<Uuid>,
        group: GroupId,
        uses: u32,
        lifetime: Duration,
    ) -> Result<EnrolmentToken, CreateError> {
        if uses == 0 {
            return Err(CreateError::Uses);
        }
        if lifetime < Duration::from_secs(1) {
            return Err(CreateError::Lifetime);
        }
        let expire_time = self.environment.now().checked_add(lifetime).map_err(|_| CreateError::Lifetime)?;
        let token = EnrolmentToken {
            id: self.environment.random(),
            secret: self.environment.random(),
            authority: self.authority.fingerprint(),
        };
        let record = NewEnrolmentToken {
            id: token.id,
            secret_digest: sha256(&token.secret),
            group,
            uses,
            expire_time,
            question,
        };
        let created = self.store.enrolment_token_create(record).await.map_err(Failure::from)?;
        if created { Ok(token) } else { Err(CreateError::NoSuchGroup(group)) }
    }

    /// Redeems the token of `host`: answers the device it is from now on, and its first certificate.
    ///
    /// A host whose answer was lost asks again with the same key: it is the same device, and no further use of
    /// the token is spent. Nor is one for a signing request that is not good.
    ///
    /// # Errors
    /// [`RedeemError`] says what is wrong with the token or the signing request.
    pub async fn redeem(&self, host: Host<'_>) -> Result<Enrolled, RedeemError> {
        let token: EnrolmentToken = host.token.parse()?;
        let request = SigningRequest::read(host.signing_request)?;
        let outcome = self
            .store
            .device_enrol(EnrolDevice {
                token_id: token.id,
                secret_digest: sha256(&token.secret),
                key_digest: request.key_digest(),
                new_id: DeviceId(self.environment.uuid()),
                host_name: host.host_name,
                attributes: host.attributes,
                facts: host.facts,
                machine: host.machine,
                question_id: self.environment.uuid(),
                public_ip_address: host.public_ip_address,
                now: self.environment.now(),
            })
            .await
            .map_err(Failure::from)?;
        match outcome {
            EnrolOutcome::Enrolled(device) => {
                Ok(Enrolled { device, certificate: self.authority.device_certificate(&request, device)? })
            }
            EnrolOutcome::UnknownToken => Err(RedeemError::UnknownToken),
            EnrolOutcome::Expired => Err(RedeemError::Expired),
            EnrolOutcome::UsedUp => Err(RedeemError::UsedUp),
        }
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_model::groups::ALL;
    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::{Devices, fixture::Fixture};

    const HOUR: Duration = Duration::from_secs(3600);

    async fn tokens(fixture: &Fixture) -> EnrolmentTokens {
        let authority = Authority::load_or_create(&fixture.store, &fixture.environment).await.expect("loads");
        EnrolmentTokens::new(fixture.store.clone(), fixture.environment.clone(), Arc::new(authority))
    }

    /// The signing request of a host with a key of its own.
    fn request() -> Vec<u8> {
        let key = KeyPair::generate().expect("generates");
        CertificateParams::default().serialize_request(&key).expect("signs").der().to_vec()
    }

    fn host<'a>(token: &'a str, signing_request: &'a [u8]) -> Host<'a> {
        Host {
            token,
            signing_request,
            host_name: "alpha".to_owned(),
            attributes: Vec::new(),
            facts: AttributeFacts::default(),
            machine: Machine::default(),
            public_ip_address: "192.0.2.7".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_token_makes_a_host_a_device_with_a_certificate_that_counts() {
        let fixture = Fixture::new();
        let tokens = tokens(&fixture).await;
        let token = tokens.create(ALL, 1, HOUR).await.expect("creates");
        assert_eq!(token.authority, tokens.authority.fingerprint());
        let (text, request) = (token.to_string(), request());
        let enrolled = tokens.redeem(host(&text, &request)).await.expect("enrols");
        let device = fixture.store.device_get(enrolled.device).await.expect("reads").expect("is there");
        assert_eq!((device.display_name.as_str(), device.group), ("alpha", ALL));
        let devices = Devices::new(fixture.store.clone(), Arc::clone(&tokens.authority));
        let known = devices.authenticate(&enrolled.certificate).await.expect("reads");
        assert_eq!(known, Some(enrolled.device));

        // The answer was lost, and the token is both used up and expired when the host asks again.
        fixture.clock.advance(2 * 3600);
        let again = tokens.redeem(host(&text, &request)).await.expect("enrols");
        assert_eq!(again.device, enrolled.device);
        assert_ne!(again.certificate, enrolled.certificate, "a fresh one");
    }

    #[tokio::test]
    async fn refusals_say_why_and_spend_nothing() {
        let fixture = Fixture::new();
        let tokens = tokens(&fixture).await;
        let token = tokens.create(ALL, 1, HOUR).await.expect("creates");
        let text = token.to_string();
        let elsewhere = EnrolmentToken { id: [9; 8], ..token }.to_string();
        let guessed = EnrolmentToken { secret: [9; 32], ..token }.to_string();
        let redeem = async |text: &str, request: &[u8]| tokens.redeem(host(text, request)).await;
        let (first, second) = (request(), request());

        assert!(matches!(redeem("ghe1", &first).await, Err(RedeemError::TokenText(TokenError::Parts(1)))));
        assert!(matches!(redeem(&elsewhere, &first).await, Err(RedeemError::UnknownToken)));
        assert!(matches!(redeem(&guessed, &first).await, Err(RedeemError::UnknownToken)));
        let refused = redeem(&text, b"no request").await;
        assert!(matches!(refused, Err(RedeemError::SigningRequest(CsrError::NotParsed))));

        redeem(&text, &first).await.expect("the one use is still there");
        assert!(matches!(redeem(&text, &second).await, Err(RedeemError::UsedUp)));
        fixture.clock.advance(3601);
        assert!(matches!(redeem(&text, &second).await, Err(RedeemError::Expired)));
    }

    #[tokio::test]
    async fn tokens_that_could_enrol_nobody_are_not_created() {
        let fixture = Fixture::new();
        let tokens = tokens(&fixture).await;
        let missing = GroupId(Uuid::from_u128(7));
        let error = tokens.create(missing, 1, HOUR).await.expect_err("no group");
        assert_eq!(error.to_string(), format!("device group {missing} does not exist"));
        assert!(matches!(tokens.create(ALL, 0, HOUR).await, Err(CreateError::Uses)));
        for lifetime in [Duration::ZERO, Duration::from_millis(999), Duration::MAX, HOUR * 24 * 366 * 10_000]
        {
            assert!(
                matches!(tokens.create(ALL, 1, lifetime).await, Err(CreateError::Lifetime)),
                "{lifetime:?}"
            );
        }
    }
}
