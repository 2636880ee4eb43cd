//! What the agent does on a link, and what goes on without one.

use std::{future::pending, path::PathBuf, pin::Pin, time::Duration};

use guardhouse_contract::{
    link::{
        AgentFrame, AgentRelease, DeviceState, FailedUpdate, Hello, Inventory, ServerFrame, agent_frame,
        go_away::Reason, server_frame,
    },
    time,
};
use guardhouse_link::release::own_platform;
use guardhouse_model::{Environment, RunId};
use http::Uri;
use tokio::{
    sync::{
        mpsc::{Permit, UnboundedReceiver},
        watch,
    },
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tonic::transport::Channel;

use super::{
    AgentError, Ended, HOUSEKEEPING,
    desk::Said,
    dial::{TRIAL, try_out},
    renew_if_due,
    wait::until,
};
use crate::{
    control::protocol::Link,
    departure::{self, ASK_AGAIN, Departure},
    device_state, enrol,
    identity::Identity,
    inventory,
    isolation::keeper::Keeper,
    kill_points::{self, KillPoint},
    logging::LogControl,
    policy::Policies,
    power::{self, watch::PowerWatch},
    runs::Runs,
    session::{Inbound, Session, leave},
    update::{
        Updates,
        fetch::{self, FetchError},
    },
    version,
};

/// How often the progress of runs at work is looked at, and sent where it changed.
const PROGRESS: Duration = Duration::from_secs(1);

/// The runs, the policy and the isolation, and what is heard of runners. Goes on whether there is a link or not.
pub(super) struct Work {
    /// The state folder.
    pub(super) folder: PathBuf,
    pub(super) runs: Runs,
    pub(super) exited: UnboundedReceiver<RunId>,
    pub(super) policies: Policies,
    pub(super) departure: Departure,
    pub(super) updates: Updates,
    /// This program may become another version of itself.
    pub(super) can_update: bool,
    pub(super) keeper: Keeper,
    /// The address with which the device enrolled.
    pub(super) enrolled: Uri,
    /// The restart or shutdown that is scheduled.
    pub(super) power: PowerWatch,
    /// Where people who ask are told what only this loop knows.
    pub(super) said: watch::Sender<Said>,
    pub(super) log: Option<LogControl>,
    /// The name that an administrator gave this device instead of that of the host.
    pub(super) host_name: Option<String>,
    pub(super) environment: Environment,
    pub(super) kill_point: KillPoint,
}

/// What happens by itself.
enum Stir {
    /// The runner of a run is over.
    Exited(RunId),
    /// The moment came at which they have to be looked at.
    Due,
    /// The isolation has to be looked at.
    Isolation,
    /// A restart or shutdown was scheduled, put off or cancelled.
    Power,
}

/// What frames that arrived together changed, besides the runs.
#[derive(Default)]
struct Taken {
    /// Why the server closes the link.
    goes_away: Option<Reason>,
    /// The server has said what it had to say when the link opened.
    settled: bool,
    /// There was a policy.
    policy: bool,
    /// The device is to leave.
    departs: bool,
    /// The version of the agent that the device should have.
    release: Option<AgentRelease>,
}

/// A version of the agent that is on its way.
type Download = Pin<Box<dyn Future<Output = Result<String, FetchError>> + Send>>;

/// A link that is tried by the addresses of a policy.
type Trial = Pin<Box<dyn Future<Output = Result<Session, String>> + Send>>;

impl Work {
    /// What the agent says first on a link.
    pub(super) fn hello(&self, inventory: Inventory) -> Hello {
        Hello {
            inventory: Some(inventory),
            policy_report: self.policies.report(),
            state: Some(self.state()),
            machine: Some(inventory::machine(self.host_name.as_deref())),
        }
    }

    /// What the device is in.
    fn state(&self) -> DeviceState {
        let disabled_actions = self.policies.rules().disabled_actions.iter().cloned().collect();
        let failed_update = self.updates.plan().failed().map(|failed| FailedUpdate {
            version: failed.version.clone(),
            fail_time: Some(time::to_proto(failed.fail_time)),
            reason: failed.reason.clone(),
        });
        DeviceState { disabled_actions, failed_update, ..device_state::gather(&self.folder) }
    }

    /// Puts what the kept policy says in force.
    pub(super) fn obey(&mut self) -> Result<(), AgentError> {
        let rules = self.policies.rules();
        if let Some(log) = &self.log {
            log.set(rules.log_level);
        }
        Ok(self.runs.rule(rules.clone())?)
    }

    /// Drives the runs while `future` is waited for.
    pub(super) async fn during<T>(&mut self, future: impl Future<Output = T>) -> Result<T, AgentError> {
        tokio::pin!(future);
        loop {
            tokio::select! {
                done = &mut future => return Ok(done),
                stir = self.stir() => self.stirred(stir).await?,
            }
        }
    }

    /// Waits until something happens by itself. Nothing is lost when the future is dropped.
    async fn stir(&mut self) -> Stir {
        tokio::select! {
            Some(run) = self.exited.recv() => Stir::Exited(run),
            () = self.power.changed() => Stir::Power,
            () = until(&self.environment, self.runs.due()) => Stir::Due,
            () = self.keeper.due() => Stir::Isolation,
        }
    }

    async fn stirred(&mut self, stir: Stir) -> Result<(), AgentError> {
        match stir {
            Stir::Exited(run) => {
                // Before the end of the run is recorded and its folder goes.
                self.look_after_isolation().await;
                // Known before the next run may begin: this one may have scheduled a restart.
                self.power_changed()?;
                self.power.look();
                self.runs.runner_exited(run)?;
            }
            Stir::Due => self.runs.look()?,
            Stir::Isolation => self.look_after_isolation().await,
            Stir::Power => self.power_changed()?,
        }
        self.take_back();
        Ok(())
    }

    /// Makes the isolation what it should be, by the runs that have ended and by the policy.
    pub(super) async fn look_after_isolation(&mut self) {
        let wishes = self.policies.isolation(&self.enrolled);
        let runs = &self.runs;
        self.keeper.look(&wishes, &|run| runs.succeeded(run)).await;
    }

    /// Has taken back what runs scheduled that ended without a word.
    pub(super) fn take_back(&mut self) {
        self.runs.take_silent().into_iter().for_each(|run| self.power.take_back(run));
    }

    /// Tells the runs what is scheduled now.
    pub(super) fn power_changed(&mut self) -> Result<(), AgentError> {
        let scheduled = power::recorded(&self.folder);
        Ok(self.runs.expect_power_action(scheduled.map(|scheduled| scheduled.time))?)
    }

    /// Says what only this loop knows to those who ask over the control socket.
    pub(super) fn tell_desk(&self, link: Option<Link>) {
        let policy_generation = self.policies.generation();
        let disabled_actions = self.policies.rules().disabled_actions.iter().cloned().collect();
        self.said.send_modify(|said| {
            let last_contact_time = match (&link, &said.link) {
                (Some(_), _) => None,
                (None, Some(_)) => Some(self.environment.now()),
                (None, None) => said.last_contact_time,
            };
            *said = Said { link, last_contact_time, policy_generation, disabled_actions };
        });
    }

    /// Talks to the server until the link ends.
    pub(super) async fn talk(
        &mut self,
        session: Session,
        identity: &mut Identity,
        mut inventory: Inventory,
    ) -> Result<Ended, AgentError> {
        let Session { server, channel, outbound, mut inbound, server_time, mut told_state } = session;
        self.runs.connected(server_time)?;
        // Hello carried the report; what this link proves is news.
        let (mut trial, mut report_due) = self.prove(&server, identity, &inventory)?;
        let link = Link { server: server.to_string(), connect_time: self.environment.now() };
        self.tell_desk(Some(link.clone()));
        let mut settled = false;
        let mut download: Option<Download> = None;
        let mut offered = None;
        let mut state = self.state();
        let mut housekeeping = interval(HOUSEKEEPING);
        housekeeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut progress = interval(PROGRESS);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let told = !report_due && state == told_state && self.runs.is_idle();
            let may_leave = settled && told && trial.is_none() && download.is_none();
            if may_leave && self.policies.rules().connection_interval.is_some() {
                self.during(leave(outbound, inbound)).await?;
                return Ok(Ended::Left);
            }
            tokio::select! {
                frames = inbound.receive() => match frames {
                    Ok(frames) => {
                        let taken = self.take(frames)?;
                        if taken.departs {
                            return self.depart(channel, inbound).await;
                        }
                        if let Some(reason) = taken.goes_away {
                            return self.or_moved(trial, Ended::GoneAway(reason)).await;
                        }
                        settled |= taken.settled;
                        if taken.release.is_some() || taken.policy {
                            // Another version takes the place of the earlier one, and the policy may have changed its mind.
                            offered = taken.release.or(offered);
                            download = self.begin_download(offered.clone(), identity, &channel).await?;
                        }
                        if taken.policy {
                            self.tell_desk(Some(link.clone()));
                            // Before its servers are tried: what was excepted may not be any more.
                            self.look_after_isolation().await;
                            (trial, _) = self.prove(&server, identity, &inventory)?;
                            report_due = trial.is_none();
                        }
                    }
                    Err(error) => return self.or_moved(trial, Ended::Lost(error)).await,
                },
                Ok(place) = outbound.reserve(), if report_due || state != told_state || self.runs.has_frames() => {
                    if state != told_state {
                        // Before the end of the run that changed it.
                        told_state = state.clone();
                        place.send(AgentFrame { kind: Some(agent_frame::Kind::State(state.clone())) });
                    } else if std::mem::take(&mut report_due) {
                        place.send(AgentFrame { kind: self.policies.report().map(agent_frame::Kind::PolicyReport) });
                    } else if let Some(frame) = self.runs.next_frame() {
                        self.send(place, frame).await;
                    }
                }
                fetched = fetched(&mut download) => {
                    download = None;
                    match fetched {
                        Ok(version) => {
                            let installed = self.updates.installed();
                            self.updates.change(|plan| plan.try_out(&version, &installed))?;
                            return Ok(Ended::Succeeded);
                        }
                        Err(error) => tracing::error!(%error, "another version of the agent is not taken"),
                    }
                }
                tried = outcome(&mut trial) => {
                    trial = None;
                    match tried {
                        Ok(session) => return Ok(Ended::Moved(Box::new(session))),
                        Err(failure) => {
                            tracing::error!(failure, "the servers of the policy are not in use");
                            self.policies.keep_servers(failure)?;
                            report_due = true;
                        }
                    }
                }
                stir = self.stir() => {
                    self.stirred(stir).await?;
                    state = self.state();
                }
                _ = housekeeping.tick() => {
                    let environment = self.environment.clone();
                    self.during(renew_if_due(identity, &channel, &environment)).await?;
                    state = self.state();
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

    /// Begins to fetch the version of the agent that the server offers, if the device is to have it.
    async fn begin_download(
        &mut self,
        offered: Option<AgentRelease>,
        identity: &mut Identity,
        channel: &Channel,
    ) -> Result<Option<Download>, AgentError> {
        let Some(release) = offered.filter(|_| self.policies.rules().follows_releases) else {
            return Ok(None);
        };
        let version = release.version.clone();
        if !self.can_update || !self.updates.plan().wants(&version, version::version()) {
            return Ok(None);
        }
        if identity.release_key().is_none() {
            // It enrolled with a server that signed nothing yet.
            let renewed = self.during(enrol::renew(identity, channel.clone())).await?;
            if let Err(error) = renewed {
                tracing::warn!(%error, "the release key of the server does not come");
            }
        }
        if let Err(error) = fetch::check(&release, identity.release_key().as_deref()) {
            tracing::error!(version, %error, "another version of the agent is not taken");
            return Ok(None);
        }
        tracing::info!(version, "fetching another version of the agent");
        let fetch = fetch::fetch(channel.clone(), release, self.updates.program(&version));
        Ok(Some(Box::pin(async move { fetch.await.map(|()| version) })))
    }

    /// Takes frames that arrived together, in the order of their arrival.
    fn take(&mut self, frames: Vec<ServerFrame>) -> Result<Taken, AgentError> {
        let (mut orders, mut acks, mut taken) = (Vec::new(), Vec::new(), Taken::default());
        for kind in frames.into_iter().filter_map(|frame| frame.kind) {
            match kind {
                // Orders that came together share one sync to disk.
                server_frame::Kind::Order(order) => orders.push(order),
                server_frame::Kind::RunEndedAck(ack) => acks.push(ack),
                server_frame::Kind::Withdraw(withdraw) => {
                    // It may concern an order that came with it.
                    self.runs.order(std::mem::take(&mut orders))?;
                    self.runs.withdraw(withdraw)?;
                }
                server_frame::Kind::Policy(policy) => {
                    // It rules the orders behind it.
                    self.runs.order(std::mem::take(&mut orders))?;
                    self.policies.take(policy)?;
                    self.obey()?;
                    taken.policy = true;
                }
                server_frame::Kind::CancelRun(cancel) => {
                    // The same.
                    self.runs.order(std::mem::take(&mut orders))?;
                    self.runs.cancel(cancel)?;
                }
                server_frame::Kind::Settled(_) => taken.settled = true,
                server_frame::Kind::GoAway(go_away) => taken.goes_away = Some(go_away.reason()),
                // The server says them all, as it need not know what kind of machine this is.
                server_frame::Kind::AgentRelease(release) => {
                    taken.release =
                        Some(release).filter(|release| release.platform == own_platform()).or(taken.release);
                }
                server_frame::Kind::Welcome(_) | server_frame::Kind::EnrolAnew(_) => {}
            }
        }
        if let Some(run) = self.runs.departure(&acks) {
            // Before the journal forgets the run. What was ordered with its acknowledgement will not be done.
            self.departure.begin(run)?;
            self.runs.acknowledged(acks)?;
            return Ok(Taken { departs: true, ..taken });
        }
        self.runs.order(orders)?;
        self.runs.acknowledged(acks)?;
        if taken.settled {
            self.runs.settled()?;
        }
        Ok(taken)
    }

    /// Asks the server over a link that stands, and that the caller keeps, to manage this device no longer. Nothing else is done for it any more.
    pub(super) async fn depart(
        &mut self,
        channel: Channel,
        mut inbound: Inbound,
    ) -> Result<Ended, AgentError> {
        let run = self.departure.run().unwrap_or_default().to_owned();
        let asking = async {
            while let Err(reason) = departure::retire(channel.clone(), &run).await {
                tracing::warn!(reason, "the server has not agreed to let this device go; asking again");
                sleep(ASK_AGAIN).await;
            }
        };
        let closed = async {
            loop {
                match inbound.receive().await {
                    Ok(frames) => {
                        let kinds = frames.into_iter().filter_map(|frame| frame.kind);
                        let mut reasons = kinds.filter_map(|kind| match kind {
                            server_frame::Kind::GoAway(go_away) => Some(go_away.reason()),
                            _ => None,
                        });
                        if let Some(reason) = reasons.next() {
                            return Ended::GoneAway(reason);
                        }
                    }
                    Err(error) => return Ended::Lost(error),
                }
            }
        };
        let ended = tokio::select! {
            // The server closes the link of a device that it has let go.
            biased;
            () = asking => Ended::Departed,
            ended = closed => ended,
        };
        if matches!(ended, Ended::Departed) {
            self.departure.agree()?;
        }
        Ok(ended)
    }

    /// Takes the addresses of the policy in use if the link to `present` proves them; answers whether it did.
    /// Otherwise answers a link to them that is to be tried, if there are any that are not in use.
    fn prove(
        &mut self,
        present: &Uri,
        identity: &Identity,
        inventory: &Inventory,
    ) -> Result<(Option<Trial>, bool), AgentError> {
        let Some(addresses) = self.policies.unused_servers(&identity.server) else {
            return Ok((None, false));
        };
        if addresses.contains(present) {
            self.policies.use_servers()?;
            tracing::info!(?addresses, "the servers of the policy are in use");
            return Ok((None, true));
        }
        let trial = try_out(self.folder.clone(), addresses, identity.tls()?, self.hello(inventory.clone()));
        Ok((Some(Box::pin(trial)), false))
    }

    /// How a link ended while another one may have been tried: the server closes the earlier one when a later one stands,
    /// and may be heard to do so before the later one is.
    async fn or_moved(&mut self, trial: Option<Trial>, ended: Ended) -> Result<Ended, AgentError> {
        let Some(trial) = trial.filter(|_| !matches!(ended, Ended::GoneAway(Reason::NotManaged))) else {
            return Ok(ended);
        };
        match self.during(timeout(TRIAL, trial)).await? {
            Ok(Ok(session)) => Ok(Ended::Moved(Box::new(session))),
            // The next link begins another trial.
            Ok(Err(_)) | Err(_) => Ok(ended),
        }
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

/// Waits for what comes of a download; for ever when there is none.
async fn fetched(download: &mut Option<Download>) -> Result<String, FetchError> {
    match download {
        Some(download) => download.await,
        None => pending().await,
    }
}

/// Waits for what comes of a trial; for ever when there is none.
async fn outcome(trial: &mut Option<Trial>) -> Result<Session, String> {
    match trial {
        Some(trial) => trial.await,
        None => pending().await,
    }
}
