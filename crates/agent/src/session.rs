//! One connection to the server, from Hello to its end.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use guardhouse_contract::{
    link::{
        AgentFrame, DeviceState, Hello, ServerFrame, agent_frame, agent_link_client::AgentLinkClient,
        go_away::Reason, server_frame,
    },
    rpc, time,
};
use guardhouse_link::channel::{self, ConnectError};
use guardhouse_model::Timestamp;
use http::Uri;
use prost::Message as _;
use rustls::ClientConfig;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};

use crate::isolation::pins::Route;

/// How long the server may take to answer Hello.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the server may take to end its side of a connection.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);

/// Frames that wait between the agent and the connection.
const OUTBOUND: usize = 8;

/// The most frames that are taken together, so that their records share one sync to disk.
const INBOUND: usize = 64;

/// The reason by which the server refuses the certificate of a device that was deleted.
const NOT_MANAGED: &str = "DEVICE_NOT_MANAGED";

/// Why a connection did not come about or ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The server cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The device is isolated, and nobody knows the address.
    #[error(
        "this device is isolated and asks no name server, so the name of the server cannot be resolved; \
         name the server by an address, or except a name server in isolationExceptions"
    )]
    Isolated,
    /// The server refuses or ends the stream with an error.
    #[error("the server closed the link: {}", .0.message())]
    Status(#[from] tonic::Status),
    /// The server closes the stream.
    #[error("the server closed the link")]
    Closed,
    /// The server does not speak.
    #[error("the server did not answer within {} seconds", WELCOME_TIMEOUT.as_secs())]
    TimedOut,
    /// The server lets this machine not in, and says why.
    #[error("the server closed the link: {}", .0.as_str_name())]
    Dismissed(Reason),
    /// The server says that this machine is to enrol with a new key.
    #[error("the server asks this machine to enrol anew")]
    EnrolAnew(String),
    /// The server says something else first.
    #[error("the server began with something else than Welcome")]
    NoWelcome,
}

impl SessionError {
    /// Whether the server says that it does not manage this device: its certificate is good, but the device was
    /// deleted. Coming back is useless then.
    #[must_use]
    pub fn is_not_managed(&self) -> bool {
        match self {
            Self::Dismissed(reason) => *reason == Reason::NotManaged,
            Self::Status(status) => says_not_managed(status),
            _ => false,
        }
    }

    /// Whether the server has answered, and what it said is not about this one connection.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.is_not_managed() || matches!(self, Self::Dismissed(_) | Self::EnrolAnew(_))
    }
}

/// Whether an answer of the server says that it does not manage the device that asked.
#[must_use]
pub fn says_not_managed(status: &tonic::Status) -> bool {
    let details = rpc::Status::decode(status.details()).unwrap_or_default().details;
    let mut infos = details.iter().filter_map(|detail| detail.to_msg::<rpc::ErrorInfo>().ok());
    infos.any(|info| info.reason == NOT_MANAGED)
}

/// A connection that stands.
#[derive(Debug)]
pub struct Session {
    /// Where it leads.
    pub server: Uri,
    /// The connection, for other calls.
    pub channel: Channel,
    /// Where frames to the server go.
    pub outbound: mpsc::Sender<AgentFrame>,
    /// Where frames of the server come from.
    pub inbound: Inbound,
    /// The server's clock when it answered.
    pub server_time: Option<Timestamp>,
    /// What Hello said of the state of the device.
    pub told_state: DeviceState,
}

impl Session {
    /// Connects to an address of the server by this route, says Hello and waits for Welcome.
    ///
    /// # Errors
    /// [`SessionError`]; all of them may pass.
    pub async fn open(
        server: Uri,
        route: Route,
        tls: Arc<ClientConfig>,
        hello: Hello,
    ) -> Result<Self, SessionError> {
        let channel = match route {
            Route::ByName => channel::connect(&server, tls).await?,
            Route::To(addresses) => channel::connect_to(&server, addresses, tls).await?,
            Route::Unknown => return Err(SessionError::Isolated),
        };
        match timeout(WELCOME_TIMEOUT, Self::greet(server, channel, hello)).await {
            Ok(session) => session,
            Err(_) => Err(SessionError::TimedOut),
        }
    }

    async fn greet(server: Uri, channel: Channel, hello: Hello) -> Result<Self, SessionError> {
        let (outbound, frames) = mpsc::channel(OUTBOUND);
        let told_state = hello.state.clone().unwrap_or_default();
        // The channel is empty and its receiver at hand: this neither waits nor fails.
        let _ = outbound.try_send(AgentFrame { kind: Some(agent_frame::Kind::Hello(hello)) });
        let mut link = AgentLinkClient::new(channel.clone())
            .max_decoding_message_size(guardhouse_contract::frames::LARGEST_TO_AGENT);
        let mut inbound = link.connect(ReceiverStream::new(frames)).await?.into_inner();
        let welcome = match inbound.message().await?.ok_or(SessionError::Closed)?.kind {
            Some(server_frame::Kind::Welcome(welcome)) => welcome,
            Some(server_frame::Kind::GoAway(go_away)) => {
                return Err(SessionError::Dismissed(go_away.reason()));
            }
            Some(server_frame::Kind::EnrolAnew(anew)) => return Err(SessionError::EnrolAnew(anew.token)),
            _ => return Err(SessionError::NoWelcome),
        };
        tracing::info!(%server, epoch = welcome.epoch, "connected");
        let server_time = welcome.server_time.as_ref().and_then(time::from_proto);
        Ok(Self { server, channel, outbound, inbound: Inbound(inbound), server_time, told_state })
    }
}

/// Ends a connection from this side: everything that was to be sent reaches the server, which then ends its side. What
/// it still says is left to the next connection: it repeats what the device does not answer.
pub async fn leave(outbound: mpsc::Sender<AgentFrame>, mut inbound: Inbound) {
    drop(outbound);
    let ended = async { while inbound.receive().await.is_ok() {} };
    if timeout(FAREWELL_TIMEOUT, ended).await.is_err() {
        tracing::debug!("the server did not end its side of the link");
    }
}

/// The frames of the server.
#[derive(Debug)]
pub struct Inbound(Streaming<ServerFrame>);

impl Inbound {
    /// Waits for frames and answers all that are there. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// The link is over.
    pub async fn receive(&mut self) -> Result<Vec<ServerFrame>, SessionError> {
        let mut frames = vec![self.0.message().await?.ok_or(SessionError::Closed)?];
        while frames.len() < INBOUND
            && let Some(Ok(Some(frame))) = self.0.message().now_or_never()
        {
            frames.push(frame);
        }
        Ok(frames)
    }
}
