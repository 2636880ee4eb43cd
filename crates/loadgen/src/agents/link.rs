//! The link of one simulated agent.

use std::{collections::HashMap, time::Duration};

use anyhow::Context as _;
use guardhouse_contract::{
    action::{Output, RunCommandResult},
    link::{
        AgentFrame, Hello, Order, RunEnded, RunStarted, RunWithdrawn, ServerFrame, agent_frame::Kind,
        agent_link_client::AgentLinkClient, server_frame,
    },
    pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
    time::to_proto,
};
use guardhouse_link::channel;
use guardhouse_model::Environment;
use http::Uri;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};

use super::{
    host::Host,
    mark::{Mark, Series},
};

/// How long the server may take for the connection and its Welcome.
const WELCOME_LIMIT: Duration = Duration::from_secs(60);

/// Frames that wait between an agent and its connection.
const OUTBOUND: usize = 8;

/// What agents tell the measurement.
#[derive(Debug)]
pub enum Event {
    /// The server acknowledged the end of a run, which therefore is on its disk.
    Stored(Mark, Instant),
    /// A link is over.
    Lost(String),
}

/// A link that stands.
#[derive(Debug)]
pub struct Link {
    host_name: String,
    /// Keeps the connection: a channel without a handle closes.
    _channel: Channel,
    outbound: mpsc::Sender<AgentFrame>,
    inbound: Streaming<ServerFrame>,
    environment: Environment,
    /// Runs that ended and are not acknowledged, with the marks of their tasks.
    ended: HashMap<String, Option<Mark>>,
}

impl Link {
    /// Connects, says Hello and waits for Welcome.
    ///
    /// # Errors
    /// The server cannot be reached or does not welcome the device.
    pub async fn open(server: &Uri, host: &Host, environment: Environment) -> anyhow::Result<Self> {
        let name = &host.inventory.host_name;
        match timeout(WELCOME_LIMIT, Self::greet(server, host, environment)).await {
            Ok(link) => link.with_context(|| format!("{name} got no link")),
            Err(_) => anyhow::bail!("{name} was not welcomed within {} s", WELCOME_LIMIT.as_secs()),
        }
    }

    async fn greet(server: &Uri, host: &Host, environment: Environment) -> anyhow::Result<Self> {
        let channel = channel::connect(server, host.tls.clone()).await?;
        let (outbound, frames) = mpsc::channel(OUTBOUND);
        let hello = Kind::Hello(Hello { inventory: Some(host.inventory.clone()) });
        outbound.send(AgentFrame { kind: Some(hello) }).await?;
        let answer = AgentLinkClient::new(channel.clone()).connect(ReceiverStream::new(frames)).await?;
        let mut inbound = answer.into_inner();
        let first = inbound.message().await?.and_then(|frame| frame.kind);
        anyhow::ensure!(
            matches!(first, Some(server_frame::Kind::Welcome(_))),
            "the server began with {first:?} instead of Welcome"
        );
        let host_name = host.inventory.host_name.clone();
        Ok(Self { host_name, _channel: channel, outbound, inbound, environment, ended: HashMap::new() })
    }

    /// Answers every order at once, until the link is over.
    pub async fn work(mut self, series: Series, events: mpsc::UnboundedSender<Event>) {
        let reason = match self.talk(series, &events).await {
            Ok(()) => "the server closed the link".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        // Nobody listens any more when the measurement is over.
        let _ = events.send(Event::Lost(format!("{}: {reason}", self.host_name)));
    }

    async fn talk(&mut self, series: Series, events: &mpsc::UnboundedSender<Event>) -> anyhow::Result<()> {
        while let Some(frame) = self.inbound.message().await? {
            match frame.kind {
                Some(server_frame::Kind::Order(order)) => self.obey(order, series).await?,
                Some(server_frame::Kind::Withdraw(withdraw)) => {
                    // Orders are answered at once, so whatever is withdrawn has ended or was never known.
                    if !self.ended.contains_key(&withdraw.run_uuid) {
                        let run_uuid = withdraw.run_uuid;
                        self.send(Kind::RunWithdrawn(RunWithdrawn { run_uuid })).await?;
                    }
                }
                Some(server_frame::Kind::RunEndedAck(ack)) => {
                    if let Some(mark) = self.ended.remove(&ack.run_uuid).flatten() {
                        events.send(Event::Stored(mark, now()))?;
                    }
                }
                Some(server_frame::Kind::GoAway(farewell)) => {
                    anyhow::bail!("the server closes the link: {:?}", farewell.reason());
                }
                Some(server_frame::Kind::Welcome(_)) | None => {}
            }
        }
        Ok(())
    }

    async fn obey(&mut self, order: Order, series: Series) -> anyhow::Result<()> {
        let mark = order
            .action
            .and_then(|action| action.params)
            .and_then(|params| params.to_msg::<RunCommand>().ok())
            .and_then(|command| series.mark_in(&command.command_line));
        let run_uuid = order.run_uuid;
        self.ended.insert(run_uuid.clone(), mark);
        self.send(Kind::RunStarted(RunStarted { run_uuid: run_uuid.clone() })).await?;
        let result = RunCommandResult {
            stdout: Some(Output { head: "done\n".to_owned(), ..Default::default() }),
            duration: Some(prost_types::Duration { seconds: 0, nanos: 2_000_000 }),
            ..Default::default()
        };
        let end_time = Some(to_proto(self.environment.now()));
        self.send(Kind::RunEnded(RunEnded {
            run_uuid,
            succeeded: true,
            result: Some(pack(&result)),
            end_time,
        }))
        .await
    }

    async fn send(&self, kind: Kind) -> anyhow::Result<()> {
        self.outbound.send(AgentFrame { kind: Some(kind) }).await.context("the connection is gone")
    }
}

/// The moment, for measuring.
#[allow(clippy::disallowed_methods, reason = "a generator of load measures real time")]
pub fn now() -> Instant {
    Instant::now()
}
