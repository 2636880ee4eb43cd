//! Simulated hosts: how they become devices.

use std::sync::Arc;

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
};
use tonic::transport::Channel;

/// A host that is enrolled.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its device.
    pub device_uuid: String,
    /// How it proves who it is.
    pub tls: Arc<ClientConfig>,
    /// What it says of itself.
    pub inventory: Inventory,
}

impl Host {
    /// Enrols the simulated host with this number, counted from 1.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn enrol(channel: Channel, token: &EnrolmentToken, number: usize) -> anyhow::Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let inventory = inventory(number);
        let request = EnrolRequest {
            token: token.to_string(),
            signing_request: CertificateParams::default().serialize_request(&key)?.der().to_vec(),
            inventory: Some(inventory.clone()),
        };
        let answer = EnrolmentClient::new(channel).enrol(request).await;
        let answer =
            answer.with_context(|| format!("{} was not enrolled", inventory.host_name))?.into_inner();

        let authorities = answer.authorities.into_iter().map(CertificateDer::from).collect();
        let identity = (vec![answer.certificate.into()], PrivateKeyDer::Pkcs8(key.serialize_der().into()));
        let config = tls::client_config(Trust::Authorities(authorities), Some(identity), &[tls::HTTP_2])?;
        // A cache of sessions per host would be most of the memory of the generator; an agent that comes back
        // after the server restarted has nothing to resume anyway.
        let mut config = ClientConfig::clone(&config);
        config.resumption = Resumption::disabled();
        Ok(Self { device_uuid: answer.device_uuid, tls: Arc::new(config), inventory })
    }
}

/// What an ordinary server says of itself, without the long lists of hardware.
fn inventory(number: usize) -> Inventory {
    Inventory {
        host_name: format!("load-{number:06}"),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        operating_system: Some(OperatingSystem {
            display_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            ..Default::default()
        }),
        primary_local_ip_address: "127.0.0.1".to_owned(),
        ..Default::default()
    }
}
