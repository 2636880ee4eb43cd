//! What the agent does on a link (`talk`, `take`, `depart`), and what goes on without one.

mod depart;
mod take;
mod talk;

use std::path::PathBuf;

use guardhouse_contract::{
    link::{DeviceState, FailedUpdate, Hello, Inventory},
    time,
};
use guardhouse_model::{Environment, RunId};
use http::Uri;
use tokio::sync::{mpsc::UnboundedReceiver, watch};

use super::{AgentError, desk::Said, wait::until};
use crate::{
    control::protocol::Link,
    departure::Departure,
    device_state, inventory,
    isolation::keeper::Keeper,
    kill_points::KillPoint,
    logging::LogControl,
    policy::Policies,
    power::{self, watch::PowerWatch},
    runs::Runs,
    snapshots::{self, watch::SnapshotWatch},
    update::Updates,
};

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
    /// Of what snapshots can be taken.
    pub(super) snapshots: SnapshotWatch,
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
    /// Of what snapshots can be taken is something else now.
    Snapshots,
}

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
        let disabled_actions = &self.policies.rules().disabled_actions;
        let snapshot_volumes = match disabled_actions.contains(snapshots::ACTION) {
            true => Vec::new(),
            false => self.snapshots.volumes(),
        };
        let disabled_actions = disabled_actions.iter().cloned().collect();
        let failed_update = self.updates.plan().failed().map(|failed| FailedUpdate {
            version: failed.version.clone(),
            fail_time: Some(time::to_proto(failed.fail_time)),
            reason: failed.reason.clone(),
        });
        DeviceState {
            disabled_actions,
            failed_update,
            snapshot_volumes,
            ..device_state::gather(&self.folder)
        }
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
            () = self.snapshots.changed() => Stir::Snapshots,
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
                self.snapshots.runner_exited();
                self.runs.runner_exited(run)?;
            }
            Stir::Due => self.runs.look()?,
            Stir::Isolation => self.look_after_isolation().await,
            Stir::Power => self.power_changed()?,
            // The loop tells the server what has changed.
            Stir::Snapshots => {}
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
}
