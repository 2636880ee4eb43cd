//! What a session tells its device: the policy, orders, withdrawals, versions of the agent.

use std::{collections::HashSet, sync::Arc};

use guardhouse_contract::{
    automation::Action,
    link::{CancelRun, Order, Settled, Withdraw, go_away::Reason, server_frame::Kind},
    time::to_proto,
};
use guardhouse_model::RunId;
use guardhouse_store::{OpenRun, Store, StoreError};
use prost::Message as _;
use tracing::info;

use super::{Gone, Session};
use crate::{forbidden, looks::Look, policies::Document, releases};

/// What a device is told of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// To carry it out.
    Order,
    /// Not to begin it.
    Withdraw,
    /// To stop it, if it can be stopped.
    Cancel,
}

impl Session<'_> {
    /// Sends what the device has to know and does not know yet.
    pub(super) async fn reconcile(&mut self) -> Result<Result<(), Gone>, Arc<StoreError>> {
        loop {
            let (runs, policy) = match self.dispatcher.looks.ask(self.claim()).await? {
                Look::Known { runs, policy } => (runs, policy),
                Look::NotManaged => {
                    let _ = self.go_away(Reason::NotManaged).await;
                    return Ok(Err(Gone));
                }
                Look::Superseded => {
                    let _ = self.go_away(Reason::Superseded).await;
                    return Ok(Err(Gone));
                }
            };
            // Before the orders: it rules them.
            if self.tell_policy(&policy).await.is_err() {
                return Ok(Err(Gone));
            }
            let open: HashSet<RunId> = runs.iter().map(|run| run.id).collect();
            self.sent.retain(|run, _| open.contains(run));
            let mut news = 0;
            for run in runs {
                let word = word(&run);
                if self.sent.get(&run.id) == Some(&word) {
                    continue;
                }
                news += 1;
                self.sent.insert(run.id, word);
                if let Some(news) = self.announce(run, word).await?
                    && self.send(news).await.is_err()
                {
                    return Ok(Err(Gone));
                }
            }
            // The store hands out a bounded number at a time: look again while there may be more.
            if news < Store::HAND_OUT {
                break;
            }
        }
        if self.tell_releases().await.is_err() {
            return Ok(Err(Gone));
        }
        if !self.settled {
            self.settled = true;
            if self.send(Kind::Settled(Settled {})).await.is_err() {
                return Ok(Err(Gone));
            }
        }
        self.keep_policy_report().await;
        Ok(Ok(()))
    }

    /// Tells the device which versions of the agent it is to have, when that has changed.
    async fn tell_releases(&mut self) -> Result<(), Gone> {
        let wanted = self.dispatcher.releases.wanted().await;
        if *wanted == *self.releases {
            return Ok(());
        }
        for release in wanted.iter().filter(|release| !self.releases.contains(release)) {
            if releases::is_for(release, &self.agent_version) {
                self.send(Kind::AgentRelease(releases::frame(release))).await?;
            }
        }
        self.releases = wanted;
        Ok(())
    }

    /// What the device is told of a run. `None`: nothing, as the server forbids its action and has ended it. A run that has
    /// begun, as far as is known, is not ended: the device says how it goes.
    async fn announce(&self, run: OpenRun, word: Word) -> Result<Option<Kind>, StoreError> {
        let run_uuid = run.id.to_string();
        match word {
            Word::Withdraw => return Ok(Some(Kind::Withdraw(Withdraw { run_uuid }))),
            // Never ordered first: the agent would begin it.
            Word::Cancel => return Ok(Some(Kind::CancelRun(CancelRun { run_uuid }))),
            Word::Order => {}
        }
        let action = Action::decode(run.action.as_slice())
            .map_err(|error| StoreError::Inconsistent(format!("action of run {run_uuid}: {error}")))?;
        let (now, forbidden) = (self.dispatcher.environment.now(), &self.dispatcher.forbidden);
        if let Some(end) = forbidden::end(forbidden, self.device, run.id, &action, now)
            && self.dispatcher.store.task_run_suppress(end).await?
        {
            info!(device = %self.device, run = run_uuid, action = action.name, "the server forbids the action");
            return Ok(None);
        }
        let expire_time = Some(to_proto(run.expire_time));
        Ok(Some(Kind::Order(Order { run_uuid, action: Some(action), expire_time })))
    }

    /// Sends the policy of the device, if it has another one.
    async fn tell_policy(&mut self, policy: &Document) -> Result<(), Gone> {
        let generation = policy.effective.generation;
        let is_news = match self.policy {
            Some(known) => known != generation,
            None => !policy.effective.is_empty(),
        };
        if !is_news || !policy.is_deliverable() {
            return Ok(());
        }
        self.policy = Some(generation);
        self.send(Kind::Policy(policy.effective.frame())).await
    }
}

fn word(run: &OpenRun) -> Word {
    match run {
        OpenRun { withdrawn: true, .. } => Word::Withdraw,
        OpenRun { cancelled: true, .. } => Word::Cancel,
        OpenRun { .. } => Word::Order,
    }
}
