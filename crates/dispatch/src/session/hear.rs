//! What a session hears from its device: runs that begin and end, inventories, states, reports of the policy.

use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _, stream::FusedStream};
use guardhouse_contract::link::{
    AgentFrame, DeviceState, Inventory, PolicyReport, RunEndedAck, agent_frame, server_frame::Kind,
};
use guardhouse_model::RunId;
use guardhouse_store::{RunReport, StoreError};
use tracing::{debug, warn};

use super::{Gone, Session, now_instant};
use crate::{inventory, policies::report, results, states};

/// Most frames that are taken together: bounds how long a wake-up waits for them.
const TOGETHER: usize = 64;

impl Session<'_> {
    /// Takes frames that arrived together: what they say of runs goes to the store as one question. Inventories go
    /// on their own, and only the last counts, as each says everything; so it is with reports of the policy.
    pub(super) async fn receive_all(
        &mut self,
        frames: Vec<AgentFrame>,
    ) -> Result<Result<(), Gone>, Arc<StoreError>> {
        let (mut reports, mut withdrawn, mut acknowledgements) = (Vec::new(), Vec::new(), Vec::new());
        let (mut inventory, mut policy_report, mut state) = (None, None, None);
        let device = self.device;
        for frame in frames {
            match frame.kind {
                Some(agent_frame::Kind::RunStarted(started)) => {
                    let run = self.run_id(&started.run_uuid);
                    let time = self.dispatcher.environment.now();
                    reports.extend(run.map(|run| RunReport::Started { run, device, time }));
                }
                Some(agent_frame::Kind::RunEnded(ended)) => {
                    acknowledgements.push(ended.run_uuid.clone());
                    if let Some(run) = self.run_id(&ended.run_uuid) {
                        // What ended has begun: keeping both would be a write too many.
                        reports.retain(|report| !is_start_of(run, report));
                        if let Some(waiting) = &mut self.progress {
                            waiting.forget(run);
                        }
                        let now = self.dispatcher.environment.now();
                        reports.push(RunReport::Ended(results::judge(device, run, ended, now)));
                    }
                }
                Some(agent_frame::Kind::RunWithdrawn(frame)) => {
                    withdrawn.extend(self.run_id(&frame.run_uuid));
                }
                Some(agent_frame::Kind::Inventory(frame)) => inventory = Some(frame),
                Some(agent_frame::Kind::PolicyReport(frame)) => policy_report = Some(frame),
                Some(agent_frame::Kind::RunProgress(said)) => {
                    if let Some(run) = self.run_id(&said.run_uuid)
                        && !self.progress.get_or_insert_default().take(run, said)
                    {
                        debug!(%device, %run, "progress that cannot be kept");
                    }
                }
                Some(agent_frame::Kind::State(frame)) => state = Some(frame),
                Some(agent_frame::Kind::Hello(_)) | None => {
                    debug!(%device, "a frame without meaning here")
                }
            }
        }
        if let Some(state) = state {
            // Before the end of the run that changed it, as the agent says it: who sees that end finds the state.
            self.report_state(state).await?;
        }
        if !reports.is_empty() {
            self.keep(reports).await?;
        }
        for run_uuid in acknowledgements {
            // Only now: what is acknowledged is on disk. An unknown run is acknowledged too, because the device
            // would repeat it for ever.
            if self.send(Kind::RunEndedAck(RunEndedAck { run_uuid })).await.is_err() {
                return Ok(Err(Gone));
            }
        }
        for run in withdrawn {
            self.dispatcher.store.task_run_withdrawn(run, self.claim()).await?;
            // The device may have become a target again while the withdrawal was under way.
            self.dispatcher.registry.wake(&[device]);
        }
        if let Some(inventory) = inventory {
            self.report(inventory).await?;
        }
        if let Some(report) = policy_report {
            self.report_policy(report).await;
        }
        Ok(Ok(()))
    }

    async fn keep(&self, reports: Vec<RunReport>) -> Result<(), Arc<StoreError>> {
        let runs: Vec<RunId> = reports.iter().map(RunReport::run).collect();
        let known = self.dispatcher.reports.ask(reports).await?;
        for (run, _) in runs.iter().zip(known).filter(|(_, known)| !known) {
            warn!(device = %self.device, %run, "the device reported a run that is not known");
        }
        Ok(())
    }

    pub(super) async fn report(&self, inventory: Inventory) -> Result<(), StoreError> {
        let store = &self.dispatcher.store;
        let Some(kept) = store.device_get(self.device).await? else { return Ok(()) };
        match inventory::report(&kept.attributes, inventory) {
            // The same report comes with every connection; it must not become a write.
            Ok(report)
                if report.host_name == kept.original_display_name && report.attributes == kept.attributes => {
            }
            Ok(report) => {
                store.device_reported(self.device, report).await?;
                // It may be in other dynamic groups now: what they ask of it comes at once.
                self.dispatcher.registry.wake(&[self.device]);
            }
            Err(error) => warn!(device = %self.device, %error, "the inventory is not kept"),
        }
        Ok(())
    }

    pub(super) async fn report_state(&self, state: DeviceState) -> Result<(), StoreError> {
        let report = states::judge(state, self.dispatcher.environment.now());
        self.dispatcher.store.device_state_report(self.claim(), report).await
    }

    pub(super) async fn report_policy(&mut self, report: PolicyReport) {
        match report::judge(report, self.dispatcher.environment.now()) {
            Some(report) => {
                self.unkept = Some(Box::new(report));
                self.keep_policy_report().await;
            }
            None => warn!(device = %self.device, "the device reported a policy without a valid generation"),
        }
    }

    /// Keeps what the device said last of its policy. It may fail: the next look tries again.
    pub(super) async fn keep_policy_report(&mut self) {
        if let Some(report) = &self.unkept
            && self.dispatcher.policy_reports.ask((self.claim(), (**report).clone())).await.is_ok()
        {
            self.unkept = None;
        }
    }

    /// Lets the store hear how far runs are. It may fail: the next word will do.
    pub(super) async fn pass_progress_on(&mut self) {
        let Some(waiting) = &mut self.progress else { return };
        let now = self.dispatcher.environment.now();
        let heard = waiting.let_go(self.device, now, now_instant());
        let _ = self.dispatcher.progress.ask(heard).await;
    }

    fn run_id(&self, text: &str) -> Option<RunId> {
        text.parse().inspect_err(|_| warn!(device = %self.device, "a run without a valid id")).ok()
    }
}

/// A frame and those that are already there behind it.
pub(super) fn together(
    first: AgentFrame,
    rest: &mut (impl FusedStream<Item = AgentFrame> + Unpin),
) -> Vec<AgentFrame> {
    let mut frames = vec![first];
    // The end of the stream is not lost here: the next look finds it again, as the stream is fused.
    while frames.len() < TOGETHER
        && let Some(Some(frame)) = rest.next().now_or_never()
    {
        frames.push(frame);
    }
    frames
}

fn is_start_of(ended: RunId, report: &RunReport) -> bool {
    matches!(report, RunReport::Started { run, .. } if *run == ended)
}
