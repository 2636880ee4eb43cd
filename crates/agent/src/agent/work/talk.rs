//! What happens on a link that stands.

use std::{future::pending, pin::Pin, time::Duration};

use guardhouse_contract::link::{AgentFrame, AgentRelease, Inventory, agent_frame, go_away::Reason};
use http::Uri;
use tokio::{
    sync::mpsc::Permit,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tonic::transport::Channel;

use super::{
    super::{
        AgentError, Ended, HOUSEKEEPING,
        dial::{TRIAL, try_out},
        renew_if_due,
    },
    Work,
};
use crate::{
    control::protocol::Link,
    enrol,
    identity::Identity,
    inventory, kill_points,
    session::{Session, leave},
    update::fetch::{self, FetchError},
    version,
};

/// How often the progress of runs at work is looked at, and sent where it changed.
const PROGRESS: Duration = Duration::from_secs(1);

/// A version of the agent that is on its way.
type Download = Pin<Box<dyn Future<Output = Result<String, FetchError>> + Send>>;

/// A link that is tried by the addresses of a policy.
type Trial = Pin<Box<dyn Future<Output = Result<Session, String>> + Send>>;

impl Work {
    /// Talks to the server until the link ends.
    pub(in crate::agent) async fn talk(
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
