//! The agent at work: one loop that keeps the link and drives the runs.

use std::{convert::Infallible, ffi::OsString, time::Duration};

use guardhouse_contract::link::{
    AgentFrame, Inventory, ServerFrame, agent_frame, go_away::Reason, server_frame,
};
use guardhouse_link::{Backoff, backoff::jitter};
use guardhouse_model::{Environment, RunId};
use tokio::{
    sync::mpsc::{Permit, UnboundedReceiver},
    time::{MissedTickBehavior, interval, sleep},
};
use tonic::transport::Channel;

use crate::{
    enrol,
    identity::{Identity, IdentityError},
    inventory,
    journal::{Journal, JournalError},
    kill_points::{self, KillPoint},
    runs::{Launcher, Runs, RunsError},
    session::{Session, SessionError},
    state::StateDir,
};

/// How often the agent looks whether its certificate is due and its inventory changed.
const HOUSEKEEPING: Duration = Duration::from_secs(60 * 60);

/// The most that agents wait before they come back to a server that restarts.
const RESTART_JITTER: Duration = Duration::from_secs(2);

/// How the agent works.
#[derive(Debug, Clone)]
pub struct Options {
    /// How to start this program again, up to and including what precedes the word `runner`.
    pub self_command: Vec<OsString>,
    /// How long a script may run.
    pub command_time_limit: Duration,
}

/// Why the agent stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Its identity cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its runs cannot be recorded.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// The server manages it no longer.
    #[error(
        "the server no longer manages this device; the agent stops. To manage it again, enrol it with a new token \
         and --force"
    )]
    NotManaged,
}

/// Works until the server dismisses the device. Dropping the future stops the agent at any point: what counts
/// is on disk, and scripts go on under their runners.
///
/// # Errors
/// [`AgentError`]; nothing else ends the agent.
pub async fn run(
    state: &StateDir,
    options: Options,
    environment: Environment,
) -> Result<Infallible, AgentError> {
    let mut identity = Identity::load(&state.identity())?;
    let kill_point = KillPoint::from_env(state.path());
    let journal = Journal::open(&state.journal(), environment.clone(), kill_point.clone())?;
    let launcher = Launcher::new(options.self_command, options.command_time_limit);
    let (runs, exited) = Runs::new(journal, state.runs(), launcher, environment.clone(), kill_point.clone())?;
    let mut work = Work { runs, exited, kill_point };

    let mut backoff = Backoff::new();
    loop {
        let inventory = inventory::read(identity.host_name.as_deref());
        let ended = match work.during(Session::open(&identity, inventory.clone())).await? {
            Ok(session) => {
                backoff.reset();
                let ended = work.talk(session, &mut identity, inventory, &environment).await?;
                work.runs.disconnected();
                ended
            }
            Err(error) => Ended::Lost(error),
        };
        let wait = match &ended {
            Ended::GoneAway(Reason::NotManaged) => return Err(AgentError::NotManaged),
            // The device was deleted while there was no link to say so.
            Ended::Lost(error) if error.is_not_managed() => return Err(AgentError::NotManaged),
            Ended::GoneAway(Reason::ShuttingDown) => jitter(RESTART_JITTER, environment.random()),
            Ended::GoneAway(_) | Ended::Lost(_) => backoff.next(environment.random()),
        };
        explain(&ended, &identity, &environment, wait);
        work.during(sleep(wait)).await?;
    }
}

/// How a connection ended.
#[derive(Debug)]
enum Ended {
    GoneAway(Reason),
    Lost(SessionError),
}

fn explain(ended: &Ended, identity: &Identity, environment: &Environment, wait: Duration) {
    match ended {
        Ended::GoneAway(Reason::Superseded) => tracing::warn!(
            ?wait,
            "another agent connected as this device; is its state folder used on two machines?"
        ),
        Ended::GoneAway(reason) => tracing::info!(?reason, ?wait, "the server closed the link"),
        Ended::Lost(error) => tracing::warn!(error = %chain(error), ?wait, "no link"),
    }
    if let Some(validity) = identity.validity()
        && validity.ends < environment.now()
    {
        tracing::error!(
            ended = %validity.ends,
            "the certificate of this device is no longer valid; if the clock is right, enrol again with --force"
        );
    }
}

/// An error with its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

/// The runs, and what is heard of their runners. Goes on whether there is a link or not.
struct Work {
    runs: Runs,
    exited: UnboundedReceiver<RunId>,
    kill_point: KillPoint,
}

impl Work {
    /// Drives the runs while `future` is waited for.
    async fn during<T>(&mut self, future: impl Future<Output = T>) -> Result<T, AgentError> {
        tokio::pin!(future);
        loop {
            tokio::select! {
                done = &mut future => return Ok(done),
                Some(run) = self.exited.recv() => self.runs.runner_exited(run)?,
            }
        }
    }

    /// Talks to the server until the link ends.
    async fn talk(
        &mut self,
        session: Session,
        identity: &mut Identity,
        mut inventory: Inventory,
        environment: &Environment,
    ) -> Result<Ended, AgentError> {
        let Session { channel, outbound, mut inbound, server_time } = session;
        self.runs.connected(server_time)?;
        let mut housekeeping = interval(HOUSEKEEPING);
        housekeeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                frames = inbound.receive() => match frames {
                    Ok(frames) => {
                        if let Some(reason) = self.take(frames)? {
                            return Ok(Ended::GoneAway(reason));
                        }
                    }
                    Err(error) => return Ok(Ended::Lost(error)),
                },
                Ok(place) = outbound.reserve(), if self.runs.has_frames() => {
                    if let Some(frame) = self.runs.next_frame() {
                        self.send(place, frame).await;
                    }
                }
                Some(run) = self.exited.recv() => self.runs.runner_exited(run)?,
                _ = housekeeping.tick() => {
                    self.during(renew_if_due(identity, &channel, environment)).await?;
                    let now = inventory::read(identity.host_name.as_deref());
                    if now != inventory {
                        inventory = now.clone();
                        let frame = AgentFrame { kind: Some(agent_frame::Kind::Inventory(now)) };
                        // Fails only when the link is over; the next Hello carries it then.
                        let _ = outbound.send(frame).await;
                    }
                }
            }
        }
    }

    /// Takes frames that arrived together; answers why the server closes the link, if it does.
    fn take(&mut self, frames: Vec<ServerFrame>) -> Result<Option<Reason>, AgentError> {
        let (mut orders, mut acks, mut goes_away) = (Vec::new(), Vec::new(), None);
        for kind in frames.into_iter().filter_map(|frame| frame.kind) {
            match kind {
                server_frame::Kind::Order(order) => orders.push(order),
                server_frame::Kind::RunEndedAck(ack) => acks.push(ack),
                server_frame::Kind::Withdraw(withdraw) => {
                    // In the order of arrival: it may concern an order that came with it.
                    self.runs.order(std::mem::take(&mut orders))?;
                    self.runs.withdraw(withdraw)?;
                }
                server_frame::Kind::GoAway(go_away) => goes_away = Some(go_away.reason()),
                server_frame::Kind::Welcome(_)
                | server_frame::Kind::Policy(_)
                | server_frame::Kind::Settled(_) => {}
            }
        }
        self.runs.order(orders)?;
        self.runs.acknowledged(acks)?;
        Ok(goes_away)
    }

    async fn send(&self, place: Permit<'_, AgentFrame>, frame: AgentFrame) {
        let is_end = matches!(frame.kind, Some(agent_frame::Kind::RunEnded(_)));
        if is_end {
            self.kill_point.reach(kill_points::RUN_ENDED_UNSENT);
        }
        place.send(frame);
        if is_end && self.kill_point.is_armed(kill_points::RUN_ENDED_SENT) {
            // The drill wants the frame on the wire before the agent dies.
            sleep(Duration::from_millis(100)).await;
            self.kill_point.reach(kill_points::RUN_ENDED_SENT);
        }
    }
}

async fn renew_if_due(identity: &mut Identity, channel: &Channel, environment: &Environment) {
    if !identity.validity().is_some_and(|validity| validity.is_renewal_due(environment.now())) {
        return;
    }
    match enrol::renew(identity, channel.clone()).await {
        Ok(()) => {
            tracing::info!(valid_until = ?identity.validity().map(|validity| validity.ends), "certificate renewed")
        }
        Err(error) => {
            tracing::warn!(error = %chain(&error), "certificate not renewed; trying again in an hour")
        }
    }
}
