//! The verbs, over plain maps.

use guardhouse_model::{
    Timestamp,
    agentless::{
        ReportStatus, TaskStatus,
        queue::{self, Lapse},
    },
};
use guardhouse_store::{
    AgentlessSubtask, AgentlessTaskAdded, AgentlessTotals, Lease, LeaseAnswer, LeasedSubtask,
    NewAgentlessTask, NewSnapshotOrder, Retried, SubtaskEnd, SubtaskLease, SubtaskOutcome, SubtaskProgress,
    TakeSubtasks,
};
use uuid::Uuid;

use super::{KeptResult, KeptScan, KeptSubtask, Report, Scans, State};
use crate::bench::{Model, Refusal};

impl Model {
    pub fn agentless_task_add(&mut self, task: NewAgentlessTask) -> Result<AgentlessTaskAdded, Refusal> {
        let scans = &mut self.scans;
        let is_same = |kept: &&KeptScan| {
            let asked = (task.account, &task.client_token);
            task.account.is_some()
                && !task.client_token.is_empty()
                && (kept.new.account, &kept.new.client_token) == asked
        };
        if let Some(earlier) = scans.tasks.values().find(is_same) {
            return Ok(AgentlessTaskAdded::Repeated(earlier.new.id));
        }
        let mut busy: Vec<String> = task
            .targets
            .iter()
            .map(|target| target.instance_id.clone())
            .filter(|asset| scans.is_busy(asset))
            .collect();
        busy.sort_unstable();
        busy.dedup();
        if !busy.is_empty() {
            return Ok(AgentlessTaskAdded::Busy(busy));
        }
        if scans.tasks.contains_key(&task.id) {
            return Err(Refusal::Taken);
        }
        let mut assets: Vec<&str> = Vec::new();
        for target in &task.targets {
            if assets.contains(&target.instance_id.as_str()) {
                continue;
            }
            let position = assets.len();
            assets.push(&target.instance_id);
            let queue_time = queue::turn(task.start_time, position);
            let shown = AgentlessSubtask {
                id: target.id,
                task: task.id,
                task_name: task.name.clone(),
                instance_id: target.instance_id.clone(),
                location: target.location,
                target_type: target.target_type,
                target_name: target.target_name.clone(),
                instance_name: target.instance_name.clone(),
                internet_ip: target.internet_ip.clone(),
                intranet_ip: target.intranet_ip.clone(),
                size_bytes: target.size_bytes,
                status: TaskStatus::Running,
                is_cancelled: false,
                worker: String::new(),
                progress: 0,
                progress_by_project: String::new(),
                start_time: task.start_time,
                begin_time: None,
                end_time: None,
                attempts: 0,
                reason: String::new(),
                measure_bytes: 0,
                report_status: ReportStatus::None,
            };
            let kept = KeptSubtask {
                shown,
                position,
                state: State::Queued,
                queue_time,
                fence: 0,
                report: Report::NONE,
            };
            scans.subtasks.insert(target.id, kept);
        }
        let end_time = task.targets.is_empty().then_some(task.start_time);
        scans.tasks.insert(task.id, KeptScan { new: task, end_time, report: Report::NONE });
        Ok(AgentlessTaskAdded::Added)
    }

    pub fn agentless_subtasks_take(&mut self, take: TakeSubtasks) -> Vec<LeasedSubtask> {
        let mut queued: Vec<&mut KeptSubtask> =
            self.scans.subtasks.values_mut().filter(|kept| kept.state == State::Queued).collect();
        queued.sort_by_key(|kept| (kept.queue_time, kept.shown.id));
        let tasks = &self.scans.tasks;
        let give = |kept: &mut KeptSubtask| {
            let deadline = take.time_limit.deadline(take.now, kept.shown.size_bytes);
            kept.state = State::Leased { until: queue::lease_end(take.until, deadline), deadline };
            kept.fence += 1;
            kept.shown.worker = take.worker.clone();
            kept.shown.begin_time = kept.shown.begin_time.or(Some(take.now));
            let shown = &kept.shown;
            LeasedSubtask {
                lease: SubtaskLease { subtask: shown.id, fence: kept.fence },
                task: shown.task,
                instance_id: shown.instance_id.clone(),
                location: shown.location,
                target_type: shown.target_type,
                target_name: shown.target_name.clone(),
                size_bytes: shown.size_bytes,
                options: tasks[&shown.task].new.options.clone(),
                deadline,
                address: None,
                sealed_credentials: None,
            }
        };
        queued.into_iter().take(take.limit).map(give).collect()
    }

    pub fn agentless_subtasks_progress(
        &mut self,
        progress: Vec<SubtaskProgress>,
        until: Timestamp,
    ) -> Vec<LeaseAnswer> {
        let mut answers = Vec::new();
        let mut last = std::collections::BTreeMap::new();
        for said in progress {
            let answer = match self.scans.held(said.lease) {
                None => LeaseAnswer::Lost,
                Some(kept) if kept.shown.is_cancelled => LeaseAnswer::Cancelled,
                Some(_) => {
                    last.insert(said.lease.subtask, said);
                    LeaseAnswer::Renewed
                }
            };
            answers.push(answer);
        }
        for said in last.into_values() {
            let kept = self.scans.held(said.lease).expect("is renewed");
            kept.shown.progress = kept.shown.progress.max(said.progress.min(100));
            kept.shown.progress_by_project = said.progress_by_project;
            if let State::Leased { deadline, .. } = kept.state {
                kept.state = State::Leased { until: queue::lease_end(until, deadline), deadline };
            }
        }
        answers
    }

    /// What somebody cancelled is so however it ends, unless it was done before its worker heard of it.
    pub fn agentless_subtask_end(&mut self, end: SubtaskEnd) -> bool {
        let scans = &mut self.scans;
        let Some(kept) = scans.held(end.lease) else { return false };
        let id = end.lease.subtask;
        let (asset, target_type) = (kept.shown.instance_id.clone(), kept.shown.target_type);
        let cancelled = (TaskStatus::Cancelled, queue::CANCELLED.to_owned());
        let is_cancelled = kept.shown.is_cancelled;
        let (status, reason) = match &end.outcome {
            SubtaskOutcome::Done(_) => (TaskStatus::Done, String::new()),
            _ if is_cancelled => cancelled,
            SubtaskOutcome::Failed(reason) => (TaskStatus::Failed, reason.clone()),
            SubtaskOutcome::TimedOut(reason) => (TaskStatus::TimedOut, reason.clone()),
            SubtaskOutcome::Cancelled => cancelled,
            SubtaskOutcome::GivenBack => {
                kept.queue_again();
                return true;
            }
        };
        scans.finish(id, status, reason, end.measure_bytes, end.now);
        if let SubtaskOutcome::Done(result) = end.outcome {
            if let Some(older) = scans.results.get(&asset).map(|result| result.subtask) {
                scans.forget_report(older);
            }
            let result = KeptResult {
                subtask: id,
                target_type,
                scan_time: end.now,
                expire_time: result.expire_time,
                cve: result.vulnerabilities.len() as u64,
            };
            scans.results.insert(asset, result);
        }
        true
    }

    pub fn agentless_leases_expire(
        &mut self,
        lease: Lease,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize, Refusal> {
        let lapsed = self.scans.subtasks.values().filter_map(|kept| match kept.state {
            State::Leased { until, deadline } if until < now => Some((until, kept.shown.id, deadline)),
            _ => None,
        });
        let mut lapsed: Vec<(Timestamp, Uuid, Timestamp)> = lapsed.collect();
        lapsed.sort_unstable();
        lapsed.truncate(limit);
        if !lapsed.is_empty() {
            self.holds(lease)?;
        }
        let scans = &mut self.scans;
        for &(_, id, deadline) in &lapsed {
            let kept = scans.subtasks.get_mut(&id).expect("was found");
            match Lapse::of(kept.shown.attempts, deadline, kept.shown.is_cancelled, now) {
                Lapse::Queued => {
                    kept.shown.attempts += 1;
                    kept.queue_again();
                    scans.remove_reports(id);
                }
                Lapse::Over(status, reason) => scans.finish(id, status, reason.to_owned(), 0, now),
            }
        }
        Ok(lapsed.len())
    }

    pub fn agentless_task_retry(
        &mut self,
        id: Uuid,
        now: Timestamp,
        _order: Option<NewSnapshotOrder>,
    ) -> Retried {
        let scans = &mut self.scans;
        let Some(mut meant) = scans.meant(id) else { return Retried::NotFound };
        meant.sort_by_key(|id| scans.subtasks[id].position);
        let status = |scans: &Scans, id: &Uuid| scans.subtasks[id].shown.status;
        if meant.iter().any(|id| status(scans, id) == TaskStatus::Running) {
            return Retried::Running;
        }
        meant.retain(|id| status(scans, id).can_be_retried());
        if meant.is_empty() {
            return Retried::NothingToRetry;
        }
        if meant.iter().any(|id| scans.is_busy(&scans.subtasks[id].shown.instance_id)) {
            return Retried::Running;
        }
        let task = scans.subtasks[&meant[0]].shown.task;
        let before = scans.tally(task).status();
        for (place, id) in meant.iter().enumerate() {
            let kept = scans.subtasks.get_mut(id).expect("is meant");
            kept.queue_again();
            kept.queue_time = queue::turn(now, place);
            let shown = &mut kept.shown;
            (shown.status, shown.is_cancelled, shown.attempts) = (TaskStatus::Running, false, 0);
            (shown.begin_time, shown.end_time, shown.measure_bytes) = (None, None, 0);
            shown.reason.clear();
        }
        scans.settle(task, before, now);
        Retried::Queued
    }

    pub fn agentless_task_cancel(&mut self, id: Uuid, now: Timestamp) -> Option<u64> {
        let scans = &mut self.scans;
        let meant = scans.meant(id)?;
        let mut count = 0;
        for id in meant {
            let kept = scans.subtasks.get_mut(&id).expect("is meant");
            match kept.state {
                State::Over => continue,
                State::Leased { .. } => kept.shown.is_cancelled = true,
                State::Queued => scans.finish(id, TaskStatus::Cancelled, queue::CANCELLED.to_owned(), 0, now),
            }
            count += 1;
        }
        Some(count)
    }

    pub fn agentless_task_delete(&mut self, task: Uuid) -> bool {
        let scans = &mut self.scans;
        if scans.tasks.remove(&task).is_none() {
            return false;
        }
        let gone: Vec<Uuid> = scans
            .subtasks
            .values()
            .filter(|kept| kept.shown.task == task)
            .map(|kept| kept.shown.id)
            .collect();
        scans.subtasks.retain(|id, _| !gone.contains(id));
        scans.results.retain(|_, result| !gone.contains(&result.subtask));
        scans.reports.retain(|(owner, ..), _| *owner != task && !gone.contains(owner));
        true
    }

    /// The oldest first, until they had `limit` subtasks.
    pub fn agentless_tasks_expire(
        &mut self,
        lease: Lease,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, Refusal> {
        let over = self.scans.tasks.values().filter_map(|kept| Some((kept.end_time?, kept.new.id)));
        let mut old: Vec<(Timestamp, Uuid)> = over.filter(|(end, _)| *end < before).collect();
        old.sort_unstable();
        old.truncate(limit);
        let (mut subtasks, mut gone) = (0, 0);
        for (_, task) in old {
            if subtasks >= limit {
                break;
            }
            if gone == 0 {
                self.holds(lease)?;
            }
            subtasks += self.scans.tally(task).subtasks as usize;
            self.agentless_task_delete(task);
            gone += 1;
        }
        Ok(gone)
    }

    pub fn agentless_results_expire(
        &mut self,
        lease: Lease,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize, Refusal> {
        let results = self.scans.results.iter();
        let mut old: Vec<(Timestamp, String, Uuid)> = results
            .filter(|(_, result)| result.expire_time <= now)
            .map(|(asset, result)| (result.expire_time, asset.clone(), result.subtask))
            .collect();
        old.sort_unstable();
        old.truncate(limit);
        if !old.is_empty() {
            self.holds(lease)?;
        }
        for (_, asset, subtask) in &old {
            self.scans.results.remove(asset);
            self.scans.forget_report(*subtask);
        }
        Ok(old.len())
    }

    pub fn agentless_results_count(
        &self,
        target_type: Option<i32>,
        instance_id: Option<String>,
        now: Timestamp,
    ) -> AgentlessTotals {
        let mut totals = AgentlessTotals::default();
        for (asset, result) in &self.scans.results {
            let is_other = target_type.is_some_and(|wanted| wanted != result.target_type)
                || instance_id.as_ref().is_some_and(|wanted| wanted != asset);
            if is_other || result.expire_time <= now {
                continue;
            }
            totals.scanned += 1;
            totals.cve += result.cve;
            totals.risky += u64::from(result.cve > 0);
            totals.scan_time = totals.scan_time.max(Some(result.scan_time));
        }
        totals
    }
}

impl KeptSubtask {
    fn queue_again(&mut self) {
        self.state = State::Queued;
        self.shown.progress = 0;
        self.shown.progress_by_project.clear();
        self.shown.worker.clear();
    }
}

impl Scans {
    fn is_busy(&self, asset: &str) -> bool {
        self.subtasks.values().any(|kept| kept.shown.instance_id == asset && kept.state != State::Over)
    }

    /// The subtask, if this lease of it is the newest and nobody took it away.
    pub(super) fn held(&mut self, lease: SubtaskLease) -> Option<&mut KeptSubtask> {
        let kept = self.subtasks.get_mut(&lease.subtask)?;
        (kept.fence == lease.fence && matches!(kept.state, State::Leased { .. })).then_some(kept)
    }

    fn finish(&mut self, id: Uuid, status: TaskStatus, reason: String, measure_bytes: u64, now: Timestamp) {
        let task = self.subtasks[&id].shown.task;
        let before = self.tally(task).status();
        let kept = self.subtasks.get_mut(&id).expect("was found");
        kept.state = State::Over;
        let shown = &mut kept.shown;
        (shown.status, shown.reason, shown.end_time) = (status, reason, Some(now));
        shown.measure_bytes = measure_bytes;
        if status == TaskStatus::Done {
            shown.progress = 100;
            kept.report = Report { status: ReportStatus::Prepared, due: Some(now) };
        } else {
            kept.report = Report::NONE;
            self.remove_reports(id);
        }
        self.settle(task, before, now);
    }
}
