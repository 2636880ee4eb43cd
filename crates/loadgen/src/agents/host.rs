//! Simulated hosts: how they become devices.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use guardhouse_contract::{
    devices::OperatingSystem,
    link::{EnrolRequest, Inventory, enrolment_client::EnrolmentClient},
};
use guardhouse_link::{
    EnrolmentToken,
    tls::{self, Trust},
};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    ClientConfig,
    client::Resumption,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tonic::transport::Channel;

/// A host that is enrolled.
#[derive(Debug, Clone)]
pub struct Host {
    /// Counted from 1.
    pub number: usize,
    /// Its device.
    pub device_uuid: String,
    /// How it proves who it is.
    pub tls: Arc<ClientConfig>,
}

/// What all hosts agree about: whom they trust. Filled by the first that enrols.
#[derive(Debug, Default)]
pub struct Common(OnceLock<(Vec<CertificateDer<'static>>, Arc<ClientConfig>)>);

impl Host {
    /// Enrols the simulated host with this number, counted from 1.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn enrol(
        channel: Channel,
        token: &EnrolmentToken,
        number: usize,
        common: &Common,
    ) -> anyhow::Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let request = EnrolRequest {
            token: token.to_string(),
            signing_request: CertificateParams::default().serialize_request(&key)?.der().to_vec(),
            inventory: Some(inventory(number)),
            machine: None,
        };
        let answer = EnrolmentClient::new(channel).enrol(request).await;
        let answer = answer.with_context(|| format!("{} was not enrolled", name(number)))?.into_inner();

        let mut config = common.config(answer.authorities)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let identity =
            CertifiedKey::from_der(vec![answer.certificate.into()], key, config.crypto_provider())?;
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(identity));
        Ok(Self { number, device_uuid: answer.device_uuid, tls: Arc::new(config) })
    }

    /// Its host name.
    pub fn name(&self) -> String {
        name(self.number)
    }

    /// What it says of itself. Made anew each time: kept, it would be a good part of the memory of an agent.
    pub fn inventory(&self) -> Inventory {
        inventory(self.number)
    }
}

impl Common {
    /// A configuration without identity.
    fn config(&self, authorities: Vec<Vec<u8>>) -> anyhow::Result<ClientConfig> {
        let authorities: Vec<CertificateDer<'static>> =
            authorities.into_iter().map(CertificateDer::from).collect();
        if let Some((known, config)) = self.0.get()
            && *known == authorities
        {
            return Ok(ClientConfig::clone(config));
        }
        let config = tls::client_config(Trust::Authorities(authorities.clone()), None, &[tls::HTTP_2])?;
        let mut config = ClientConfig::clone(&config);
        // A cache of sessions per host would be most of the memory of the generator; an agent that comes back
        // after the server restarted has nothing to resume anyway.
        config.resumption = Resumption::disabled();
        // Another host may have been first; both say the same.
        let _ = self.0.set((authorities, Arc::new(config.clone())));
        Ok(config)
    }
}

fn name(number: usize) -> String {
    format!("load-{number:06}")
}

/// What an ordinary server says of itself, without the long lists of hardware.
fn inventory(number: usize) -> Inventory {
    Inventory {
        host_name: name(number),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        operating_system: Some(OperatingSystem {
            display_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            ..Default::default()
        }),
        primary_local_ip_address: "127.0.0.1".to_owned(),
        ..Default::default()
    }
}
