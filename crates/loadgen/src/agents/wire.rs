//! The stream of one link: gRPC over HTTP/2 over a TLS connection of its own.
//!
//! An agent speaks through tonic. A process that simulates tens of thousands of them on the machine of the server
//! cannot afford tonic's tasks and buffers for each, so this writes the same bytes with h2 alone. The server
//! cannot tell them apart.

use std::sync::Arc;

use anyhow::Context as _;
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use guardhouse_contract::link::{AgentFrame, ServerFrame, agent_frame};
use guardhouse_link::channel::{CONNECT_TIMEOUT, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT};
use h2::{Ping, PingPong, RecvStream, SendStream, client};
use http::{HeaderMap, Method, Request, Version, header};
use prost::Message as _;
use rustls::ClientConfig;
use tokio::{
    net::TcpStream,
    time::{Instant, interval_at, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::endpoint::Endpoint;

const CONNECT: &str = "guardhouse.link.v1.AgentLink/Connect";

/// A flag that says whether the message is compressed, and its length (gRPC over HTTP/2, "Length-Prefixed-Message").
const PREFIX: usize = 5;

/// Bytes that wait for the connection: a few frames of an agent.
const SEND_BUFFER: usize = 16 * 1024;

/// A stream that stands. Dropping it closes the connection.
#[derive(Debug)]
pub struct Wire {
    outbound: SendStream<Bytes>,
    inbound: RecvStream,
    /// What has arrived of frames that are not complete.
    pending: BytesMut,
}

impl Wire {
    /// Connects and calls the server; `hello` is the first frame, as the server answers nothing before it.
    ///
    /// # Errors
    /// The server cannot be reached, is not the trusted one, or refuses the call.
    pub async fn open(
        endpoint: &Endpoint,
        tls: Arc<ClientConfig>,
        number: usize,
        hello: agent_frame::Kind,
    ) -> anyhow::Result<Self> {
        let stream = timeout(CONNECT_TIMEOUT, secure(endpoint, tls, number)).await;
        let stream = stream.context("no connection in time")??;
        let (mut requests, mut connection) = client::Builder::new()
            .enable_push(false)
            .max_send_buffer_size(SEND_BUFFER)
            .handshake::<_, Bytes>(stream)
            .await?;
        let pings = connection.ping_pong().context("a new connection answers pings")?;
        tokio::spawn(async move {
            tokio::select! {
                // The stream tells its holder why the connection ended.
                _ = connection => {}
                () = keep_alive(pings) => {}
            }
        });

        let uri = format!("{}{CONNECT}", endpoint.server);
        let request = Request::builder()
            .method(Method::POST)
            .version(Version::HTTP_2)
            .uri(uri)
            .header(header::CONTENT_TYPE, "application/grpc")
            .header(header::TE, "trailers")
            .body(())?;
        let (answer, mut outbound) = requests.send_request(request, false)?;
        outbound.send_data(encode(hello), false)?;
        let answer = answer.await?;
        anyhow::ensure!(answer.status().is_success(), "the server answered {}", answer.status());
        accept(answer.headers())?;
        Ok(Self { outbound, inbound: answer.into_body(), pending: BytesMut::new() })
    }

    /// Hands a frame to the connection.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn send(&mut self, kind: agent_frame::Kind) -> anyhow::Result<()> {
        Ok(self.outbound.send_data(encode(kind), false)?)
    }

    /// The frames that have arrived together, at least one. `None`: the server closed the stream in order.
    ///
    /// # Errors
    /// The connection is gone, the server ends the call with an error, or what it says is not a frame.
    pub async fn receive(&mut self) -> anyhow::Result<Option<Vec<ServerFrame>>> {
        loop {
            let mut frames = Vec::new();
            while let Some(message) = take_message(&mut self.pending)? {
                frames.push(ServerFrame::decode(message)?);
            }
            if !frames.is_empty() {
                return Ok(Some(frames));
            }
            let Some(data) = self.inbound.data().await.transpose()? else {
                let trailers = self.inbound.trailers().await?.unwrap_or_default();
                return accept(&trailers).map(|()| None);
            };
            self.inbound.flow_control().release_capacity(data.len())?;
            self.pending.extend_from_slice(&data);
        }
    }
}

async fn secure(
    endpoint: &Endpoint,
    tls: Arc<ClientConfig>,
    number: usize,
) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = endpoint.dial(number).await?;
    TlsConnector::from(tls).connect(endpoint.name.clone(), tcp).await
}

/// Asks as often as an agent does whether the server still lives; returns when it does not.
async fn keep_alive(mut pings: PingPong) {
    #[allow(clippy::disallowed_methods, reason = "tokio's clock; it only paces pings")]
    let mut due = interval_at(Instant::now() + KEEP_ALIVE_INTERVAL, KEEP_ALIVE_INTERVAL);
    loop {
        due.tick().await;
        match timeout(KEEP_ALIVE_TIMEOUT, pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => {}
            // The connection is over; the other branch of the select sees it, with its reason.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => return,
        }
    }
}

fn encode(kind: agent_frame::Kind) -> Bytes {
    let frame = AgentFrame { kind: Some(kind) };
    let length = frame.encoded_len();
    let mut bytes = BytesMut::with_capacity(PREFIX + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).expect("frames of simulated agents are small"));
    frame.encode(&mut bytes).expect("the buffer grows");
    bytes.freeze()
}

/// The next complete message, taken out of `pending`.
fn take_message(pending: &mut BytesMut) -> anyhow::Result<Option<Bytes>> {
    let Some((prefix, rest)) = pending.split_at_checked(PREFIX) else { return Ok(None) };
    let [compressed, length @ ..] = prefix else { return Ok(None) };
    anyhow::ensure!(*compressed == 0, "the server sent a compressed frame, which was not agreed");
    let length = u32::from_be_bytes(length.try_into()?) as usize;
    if rest.len() < length {
        return Ok(None);
    }
    pending.advance(PREFIX);
    let message = pending.split_to(length).freeze();
    if pending.is_empty() {
        // A connection that is idle again holds nothing.
        *pending = BytesMut::new();
    }
    Ok(Some(message))
}

/// Whether the call is going on or ended well.
fn accept(fields: &HeaderMap) -> anyhow::Result<()> {
    let field = |name| fields.get(name).and_then(|value| value.to_str().ok());
    match field("grpc-status") {
        None | Some("0") => Ok(()),
        Some(code) => {
            anyhow::bail!(
                "the server closed the link: {} (gRPC status {code})",
                field("grpc-message").unwrap_or_default()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::link::RunStarted;
    use proptest::prelude::*;

    use super::*;

    fn started(run_uuid: &str) -> agent_frame::Kind {
        agent_frame::Kind::RunStarted(RunStarted { run_uuid: run_uuid.to_owned() })
    }

    #[test]
    fn a_refusal_is_told() {
        let mut fields = HeaderMap::new();
        accept(&fields).expect("going on");
        fields.insert("grpc-status", "0".parse().expect("a value"));
        accept(&fields).expect("ended well");
        fields.insert("grpc-status", "7".parse().expect("a value"));
        fields.insert("grpc-message", "no".parse().expect("a value"));
        assert_eq!(
            accept(&fields).expect_err("refused").to_string(),
            "the server closed the link: no (gRPC status 7)"
        );
    }

    #[test]
    fn compressed_frames_are_refused() {
        take_message(&mut BytesMut::from(&[1, 0, 0, 0, 0][..])).expect_err("not agreed");
    }

    proptest! {
        #[test]
        fn frames_survive_being_cut_anywhere(
            runs in prop::collection::vec("[a-z]{0,40}", 1..6),
            cuts in prop::collection::vec(1_usize..20, 1..40),
        ) {
            let bytes: Vec<u8> = runs.iter().flat_map(|run| encode(started(run))).collect();
            let (mut pending, mut seen, mut at) = (BytesMut::new(), Vec::new(), 0);
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(bytes.len());
                pending.extend_from_slice(&bytes[at..end]);
                at = end;
                while let Some(message) = take_message(&mut pending).expect("good frames") {
                    seen.push(AgentFrame::decode(message).expect("a frame"));
                }
                if at == bytes.len() {
                    break;
                }
            }
            let sent: Vec<_> = runs.iter().map(|run| AgentFrame { kind: Some(started(run)) }).collect();
            prop_assert_eq!(seen, sent);
            prop_assert!(pending.is_empty());
        }
    }
}
