//! A machine that says of itself what a test wants: the agent's own link, without its agent.

use std::path::Path;

use guardhouse_agent::{
    identity::{self, Identity},
    isolation::pins::Route,
    session::{Session, SessionError},
};
use guardhouse_contract::link::{
    AgentFrame, DeviceState, EnrolRequest, Hello, Inventory, MachineIdentity, PutSnapshotPartRequest,
    RenewRequest, RetireRequest, ServerFrame, agent_frame, device_snapshots_client::DeviceSnapshotsClient,
    enrolment_client::EnrolmentClient, server_frame::Kind,
};
use guardhouse_link::channel;
use tempfile::TempDir;
use tonic::{Status, transport::Channel};

use super::{Server, tls_channel};

/// What the firmware and the kernel of a machine say, as a number each; 0: nothing.
#[derive(Debug, Clone, Copy)]
pub struct Firmware {
    pub uuid: u8,
    pub serial_number: u8,
    pub boot: u8,
}

impl Firmware {
    fn identity(self) -> MachineIdentity {
        let digest = |number: u8| if number == 0 { Vec::new() } else { vec![number; 32] };
        MachineIdentity {
            uuid_digest: digest(self.uuid),
            serial_number_digest: digest(self.serial_number),
            boot_digest: digest(self.boot),
        }
    }
}

/// A machine with the identity of a device. Whoever says something else of its firmware is a copy of it.
#[derive(Debug)]
pub struct Machine {
    identity: Identity,
    host_name: String,
    _folder: Option<TempDir>,
}

impl Machine {
    /// Enrols a machine with a key of its own.
    pub async fn enrol(server: &Server, token: &str, host_name: &str, firmware: Firmware) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = identity::key(folder.path()).expect("a key");
        let request = EnrolRequest {
            token: token.to_owned(),
            signing_request: identity::signing_request(&key).expect("a request"),
            inventory: Some(inventory(host_name)),
            machine: Some(firmware.identity()),
        };
        let answer = EnrolmentClient::new(tls_channel(server).await).enrol(request).await;
        let answer = answer.expect("a device").into_inner();
        let uri = server.url("https").parse().expect("an address");
        let device = answer.device_uuid.parse().expect("a uuid");
        let authorities = answer.authorities.into_iter().map(Into::into).collect();
        let certificate = answer.certificate.into();
        let identity = Identity::create(folder.path(), uri, device, None, certificate, authorities);
        Self {
            identity: identity.expect("an identity"),
            host_name: host_name.to_owned(),
            _folder: Some(folder),
        }
    }

    /// A machine with the identity in the state folder of an agent.
    pub fn load(state: &Path, host_name: &str) -> Self {
        let identity = Identity::load(&state.join("identity")).expect("an identity");
        Self { identity, host_name: host_name.to_owned(), _folder: None }
    }

    /// The device that it is.
    pub fn device(&self) -> String {
        self.identity.device.to_string()
    }

    /// Opens the link.
    pub async fn connect(&self, firmware: Firmware) -> Result<Session, SessionError> {
        self.connect_in(firmware, DeviceState::default()).await
    }

    /// Opens the link, and tells what the device is in.
    pub async fn connect_in(&self, firmware: Firmware, state: DeviceState) -> Result<Session, SessionError> {
        self.open(firmware.identity(), state).await
    }

    /// Opens the link as a machine with these digests.
    pub async fn connect_as(&self, machine: MachineIdentity) -> Result<Session, SessionError> {
        self.open(machine, DeviceState::default()).await
    }

    async fn open(&self, machine: MachineIdentity, state: DeviceState) -> Result<Session, SessionError> {
        let hello = Hello {
            inventory: Some(inventory(&self.host_name)),
            machine: Some(machine),
            state: Some(state),
            ..Default::default()
        };
        let tls = self.identity.tls().expect("TLS");
        Session::open(self.identity.server.clone(), Route::ByName, tls, hello).await
    }

    /// Opens the link, which the server answers with a token; answers it.
    pub async fn invited(&self, firmware: Firmware) -> String {
        match self.connect(firmware).await {
            Err(SessionError::EnrolAnew(token)) => token,
            other => panic!("{other:?}"),
        }
    }

    /// Says that the management ends, as this run has asked.
    pub async fn retire(&self, run: &str) -> Result<(), Status> {
        let request = RetireRequest { run_uuid: run.to_owned() };
        EnrolmentClient::new(self.channel().await).retire(request).await.map(|_| ())
    }

    /// Sends a part of a snapshot; answers how much the server has of it then.
    pub async fn put_part(&self, part: PutSnapshotPartRequest) -> Result<u64, Status> {
        let mut client = DeviceSnapshotsClient::new(self.channel().await);
        client.put_part(part).await.map(|answer| answer.into_inner().kept_bytes)
    }

    /// Asks for the next certificate.
    pub async fn renew(&self) -> Result<(), Status> {
        let signing_request = self.identity.signing_request().expect("a request");
        EnrolmentClient::new(self.channel().await).renew(RenewRequest { signing_request }).await.map(|_| ())
    }

    async fn channel(&self) -> Channel {
        let tls = self.identity.tls().expect("TLS");
        channel::connect(&self.identity.server, tls).await.expect("a connection")
    }
}

/// Waits for a frame that `wanted` takes; others are passed over. `None`: the server ended the link.
pub async fn heard<T>(session: &mut Session, mut wanted: impl FnMut(Kind) -> Option<T>) -> Option<T> {
    while let Ok(frames) = session.inbound.receive().await {
        let kinds = frames.into_iter().filter_map(|ServerFrame { kind }| kind);
        if let Some(found) = kinds.filter_map(&mut wanted).next() {
            return Some(found);
        }
    }
    None
}

/// Says something to the server.
pub async fn say(session: &Session, kind: agent_frame::Kind) {
    session.outbound.send(AgentFrame { kind: Some(kind) }).await.expect("the link stands");
}

fn inventory(host_name: &str) -> Inventory {
    Inventory {
        host_name: host_name.to_owned(),
        primary_local_ip_address: "10.0.0.7".to_owned(),
        ..Default::default()
    }
}
