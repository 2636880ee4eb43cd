//! One link of a simulated agent, from Hello to its end.

use std::{collections::HashMap, time::Duration};

use anyhow::Context as _;
use guardhouse_contract::{
    action::{Output, RunCommandResult},
    link::{
        Hello, Order, PolicyReport, RunEnded, RunStarted, RunWithdrawn, ServerFrame, agent_frame::Kind,
        go_away::Reason, server_frame,
    },
    pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
    time::to_proto,
};
use guardhouse_model::Environment;
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, timeout},
};

use super::{
    endpoint::Endpoint,
    host::Host,
    mark::{Mark, Series},
    wire::Wire,
};

/// How long the server may take for the connection and its Welcome; an agent waits as long.
const WELCOME_LIMIT: Duration = Duration::from_secs(30);

/// What agents tell the measurement.
#[derive(Debug)]
pub enum Event {
    /// The server acknowledged the end of a run, which therefore is on its disk.
    Stored(Mark, Instant),
    /// An agent got a policy, and reports it in the same moment.
    Ruled {
        /// Which agent, counted from 1.
        number: usize,
        /// Names the content of the policy: 64 hexadecimal digits.
        generation: String,
        /// When.
        at: Instant,
    },
    /// The link of an agent is over.
    Lost {
        /// Of which agent, counted from 1.
        number: usize,
        /// Why.
        reason: String,
    },
    /// An agent that lost its link has another one, at the end of so many attempts.
    Back {
        /// Which agent, counted from 1.
        number: usize,
        /// The moment of Welcome.
        at: Instant,
        /// Attempts, the successful one included.
        attempts: u32,
    },
}

/// Runs that ended and are not acknowledged, with the marks of their tasks. They outlive a link.
pub type Unacknowledged = HashMap<String, Option<Mark>>;

/// A link that stands.
#[derive(Debug)]
pub struct Link(Wire);

impl Link {
    /// Connects, says Hello and waits for Welcome.
    ///
    /// # Errors
    /// The server cannot be reached or does not welcome the device.
    pub async fn open(endpoint: &Endpoint, host: &Host) -> anyhow::Result<Self> {
        let link = timeout(WELCOME_LIMIT, Self::greet(endpoint, host)).await;
        let link = link.unwrap_or_else(|_| anyhow::bail!("no Welcome within {} s", WELCOME_LIMIT.as_secs()));
        link.with_context(|| format!("{} got no link", host.name()))
    }

    async fn greet(endpoint: &Endpoint, host: &Host) -> anyhow::Result<Self> {
        let hello = Kind::Hello(Hello { inventory: Some(host.inventory()), ..Default::default() });
        let mut wire = Wire::open(endpoint, host.tls.clone(), host.number, hello).await?;
        let frames = wire.receive().await?.unwrap_or_default();
        // Orders come only after the inventory is stored, so Welcome arrives alone.
        match frames.as_slice() {
            [ServerFrame { kind: Some(server_frame::Kind::Welcome(_)) }] => Ok(Self(wire)),
            other => anyhow::bail!("the server began with {other:?} instead of Welcome"),
        }
    }

    /// Answers every order of the agent with this number at once, until the link is over; answers the reason that the server gave, if any.
    ///
    /// # Errors
    /// The link was lost.
    pub async fn talk(
        &mut self,
        number: usize,
        series: Series,
        ended: &mut Unacknowledged,
        environment: &Environment,
        events: &UnboundedSender<Event>,
    ) -> anyhow::Result<Option<Reason>> {
        while let Some(frames) = self.0.receive().await? {
            for kind in frames.into_iter().filter_map(|frame| frame.kind) {
                match kind {
                    server_frame::Kind::Order(order) => self.obey(order, series, ended, environment)?,
                    server_frame::Kind::Withdraw(withdraw) => {
                        // Orders are answered at once, so whatever is withdrawn has ended or was never known.
                        if !ended.contains_key(&withdraw.run_uuid) {
                            self.0.send(Kind::RunWithdrawn(RunWithdrawn { run_uuid: withdraw.run_uuid }))?;
                        }
                    }
                    server_frame::Kind::RunEndedAck(ack) => {
                        if let Some(mark) = ended.remove(&ack.run_uuid).flatten() {
                            // Nobody listens any more when the measurement is over.
                            let _ = events.send(Event::Stored(mark, now()));
                        }
                    }
                    server_frame::Kind::GoAway(farewell) => return Ok(Some(farewell.reason())),
                    server_frame::Kind::Policy(policy) => {
                        let generation = policy.generation.iter().map(|byte| format!("{byte:02x}")).collect();
                        let report = PolicyReport { generation: policy.generation, ..Default::default() };
                        self.0.send(Kind::PolicyReport(report))?;
                        let _ = events.send(Event::Ruled { number, generation, at: now() });
                    }
                    server_frame::Kind::Welcome(_)
                    | server_frame::Kind::Settled(_)
                    | server_frame::Kind::CancelRun(_)
                    | server_frame::Kind::AgentRelease(_)
                    | server_frame::Kind::EnrolAnew(_) => {}
                }
            }
        }
        Ok(None)
    }

    fn obey(
        &mut self,
        order: Order,
        series: Series,
        ended: &mut Unacknowledged,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let mark = order
            .action
            .and_then(|action| action.params)
            .and_then(|params| params.to_msg::<RunCommand>().ok())
            .and_then(|command| series.mark_in(&command.command_line));
        let run_uuid = order.run_uuid;
        ended.insert(run_uuid.clone(), mark);
        self.0.send(Kind::RunStarted(RunStarted { run_uuid: run_uuid.clone() }))?;
        let result = RunCommandResult {
            stdout: Some(Output { head: "done\n".to_owned(), ..Default::default() }),
            duration: Some(prost_types::Duration { seconds: 0, nanos: 2_000_000 }),
            ..Default::default()
        };
        let end_time = Some(to_proto(environment.now()));
        let result = Some(pack(&result));
        self.0.send(Kind::RunEnded(RunEnded {
            run_uuid,
            succeeded: true,
            result,
            end_time,
            suppressed: false,
        }))
    }
}

/// The moment, for measuring.
#[allow(clippy::disallowed_methods, reason = "a generator of load measures real time")]
pub fn now() -> Instant {
    Instant::now()
}
