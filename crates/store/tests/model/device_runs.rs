//! How tasks stand on devices; what ends runs other than a report.

use std::collections::BTreeMap;

use guardhouse_model::{
    DeviceId, RunId, TaskId, Timestamp, TriggerId,
    device_runs::{DeviceRunState, Missed},
    tasks::{RunStatus, run_id},
};
use guardhouse_store::{
    Cancelled, Closure, DeviceContact, DeviceRun, DeviceRunPage, Lease, Overdue, Run, RunProgress,
    RunTrigger, Trigger,
};
use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    pools::{DEVICES, LIMITS, RUNS, SECONDS, TASKS, at, device, task},
    retention::{Fence, fences, record},
    runs::{self, KeptRun},
};

impl Model {
    pub fn task_runs_cancel(
        &mut self,
        task: TaskId,
        only: Option<Vec<DeviceId>>,
        now: Timestamp,
    ) -> Option<Cancelled> {
        let kept = self.tasks.get(&task)?;
        let due: Vec<Trigger> =
            kept.task.triggers.iter().copied().filter(|trigger| now <= trigger.expire_time).collect();
        match &only {
            None => self.end_triggers(task, &due, now),
            Some(devices) => devices.iter().for_each(|&device| self.withhold(task, device, &due, now)),
        }
        let mut asked = Vec::new();
        for kept in self.runs.values_mut().filter(|kept| kept.run.task == task) {
            let is_meant = only.as_ref().is_none_or(|devices| devices.contains(&kept.run.device));
            if is_meant && !kept.run.status.is_over() && !kept.withdrawn {
                kept.detail.cancel_time.get_or_insert(now);
                asked.push(kept.run.device);
            }
        }
        let open_runs = asked.len() as u64;
        asked.sort();
        asked.dedup();
        Some(Cancelled { asked, open_runs })
    }

    fn end_triggers(&mut self, task: TaskId, due: &[Trigger], now: Timestamp) {
        if due.is_empty() {
            return;
        }
        let Some(kept) = self.tasks.get_mut(&task) else { return };
        for trigger in kept.task.triggers.iter_mut().filter(|trigger| due.contains(trigger)) {
            trigger.expire_time = now - SignedDuration::from_micros(1);
            kept.cancelled.insert(trigger.id, now);
        }
        kept.task.version += 1;
        kept.task.update_time = now;
    }

    fn withhold(&mut self, task: TaskId, device: DeviceId, due: &[Trigger], now: Timestamp) {
        let kept = &self.tasks[&task];
        if !self.devices.contains_key(&device) || !self.is_target(device, &kept.task.targets) {
            return;
        }
        let action = kept.task.action.clone();
        for trigger in due {
            let id = run_id(trigger.id, device);
            if self.runs.contains_key(&id) {
                continue;
            }
            let closure = Closure {
                code: "CANCELLED".to_owned(),
                reason: "the task was cancelled before it was handed out to the device".to_owned(),
            };
            let run = Run {
                id,
                task,
                device,
                status: RunStatus::Failed,
                start_time: now,
                end_time: Some(now),
                result: None,
                closure: Some(closure),
            };
            let mut kept = KeptRun::new(run, *trigger, action.clone());
            kept.detail.code = Some("CANCELLED".to_owned());
            kept.detail.cancel_time = Some(now);
            self.runs.insert(id, kept);
        }
    }

    pub fn task_runs_time_out(
        &mut self,
        lease: Lease,
        overdue: Overdue,
        limit: usize,
    ) -> Result<usize, Refusal> {
        let mut undelivered: Vec<(Timestamp, RunId)> = Vec::new();
        let mut silent: Vec<(Timestamp, RunId)> = Vec::new();
        for kept in self.runs.values() {
            let (id, expire_time) = (kept.run.id, kept.trigger.expire_time);
            match (kept.run.status, kept.heard_time) {
                (RunStatus::Queued, _) if !kept.withdrawn && expire_time < overdue.expired_before => {
                    undelivered.push((expire_time, id));
                }
                (RunStatus::Running, Some(heard)) if heard < overdue.silent_since => silent.push((heard, id)),
                _ => {}
            }
        }
        if undelivered.is_empty() && silent.is_empty() {
            return Ok(0);
        }
        self.holds(lease)?;
        undelivered.sort();
        silent.sort();
        undelivered.truncate(limit);
        silent.truncate(limit);
        for (_, id) in &undelivered {
            let kept = self.runs.get_mut(id).expect("is there");
            let (code, reason) = match kept.detail.cancel_time {
                None => ("DELIVERY_TIMED_OUT", "the task expired before the device said that it began"),
                Some(_) => {
                    ("CANCELLED", "the task was cancelled, and the device never said that it had begun")
                }
            };
            kept.suppose(code, reason, overdue.now);
        }
        for (_, id) in &silent {
            let reason = "the action began, and the device has not said for very long how it goes";
            let kept = self.runs.get_mut(id).expect("is there");
            kept.suppose("EXECUTION_TIMED_OUT", reason, overdue.now);
        }
        Ok(undelivered.len() + silent.len())
    }

    pub fn task_runs_progress(&mut self, progress: Vec<RunProgress>) {
        for said in progress {
            let Some(kept) = self.runs.get_mut(&said.run) else { continue };
            if kept.run.device == said.device && kept.run.status == RunStatus::Running {
                kept.detail.progress = Some(said.progress);
                kept.heard_time = Some(said.time);
            }
        }
    }

    pub fn device_runs_list(
        &self,
        task: TaskId,
        states: Vec<DeviceRunState>,
        after: Option<DeviceId>,
        limit: usize,
        now: Timestamp,
    ) -> Option<DeviceRunPage> {
        let rows = self.device_runs(task, now)?;
        let mut rows: Vec<DeviceRun> =
            rows.into_iter().filter(|row| Some(row.device) > after).take(limit).collect();
        let next = rows.get(limit - 1).map(|last| last.device);
        rows.retain(|row| states.is_empty() || row.state().is_some_and(|state| states.contains(&state)));
        Some(DeviceRunPage { rows, next })
    }

    pub fn device_runs_count(&self, task: TaskId, now: Timestamp) -> Option<BTreeMap<DeviceRunState, u64>> {
        let mut counts = BTreeMap::new();
        for row in self.device_runs(task, now)? {
            if let Some(state) = row.state() {
                *counts.entry(state).or_default() += 1;
            }
        }
        Some(counts)
    }

    pub fn device_run_get(&self, run: RunId) -> Option<(TaskId, DeviceRun)> {
        let kept = self.runs.get(&run)?;
        let (task, device) = (kept.run.task, kept.run.device);
        let place = |kept: &KeptRun| (kept.run.start_time, kept.run.id);
        let attempts = self.runs_on(task, device).into_iter().filter(|other| place(other) <= place(kept));
        let row = DeviceRun {
            device,
            contact: self.contact(device),
            is_target: self.is_target_of(task, device),
            missed: None,
            attempts: u32::try_from(attempts.count()).expect("a handful"),
            last: Some(kept.detail()),
        };
        Some((task, row))
    }

    /// The rows of a task, in the order of the devices.
    fn device_runs(&self, task: TaskId, now: Timestamp) -> Option<Vec<DeviceRun>> {
        self.tasks.get(&task)?;
        let mut devices: Vec<DeviceId> =
            self.devices.keys().copied().filter(|&device| self.is_target_of(task, device)).collect();
        devices.extend(self.runs.values().filter(|kept| kept.run.task == task).map(|kept| kept.run.device));
        devices.sort();
        devices.dedup();
        Some(devices.into_iter().map(|device| self.device_run(task, device, now)).collect())
    }

    fn device_run(&self, task: TaskId, device: DeviceId, now: Timestamp) -> DeviceRun {
        let runs = self.runs_on(task, device);
        let last = runs.last().copied();
        let is_target = self.is_target_of(task, device);
        let led = |trigger: TriggerId| runs.iter().any(|kept| kept.trigger.id == trigger);
        let mut triggers = self.triggers_of(task);
        triggers.sort_by_key(|trigger| std::cmp::Reverse((trigger.create_time, trigger.id.0)));
        let due = triggers.iter().find(|trigger| now <= trigger.expire_time && !led(trigger.id));
        let newest = triggers.first().filter(|trigger| {
            !led(trigger.id) && last.is_none_or(|last| trigger.create_time > last.run.start_time)
        });
        let missed = match (due, newest) {
            (Some(due), _) => Some((Missed::Due, *due)),
            (None, Some(newest)) if newest.cancel_time.is_some() => Some((Missed::Cancelled, *newest)),
            (None, Some(newest)) => Some((Missed::Expired, *newest)),
            (None, None) => None,
        };
        DeviceRun {
            device,
            contact: self.contact(device),
            is_target,
            missed: missed.filter(|_| is_target),
            attempts: u32::try_from(runs.len()).expect("a handful"),
            last: last.map(KeptRun::detail),
        }
    }

    fn triggers_of(&self, task: TaskId) -> Vec<RunTrigger> {
        let kept = &self.tasks[&task];
        let trigger = |trigger: &Trigger| RunTrigger {
            id: trigger.id,
            create_time: trigger.create_time,
            expire_time: trigger.expire_time,
            cancel_time: kept.cancelled.get(&trigger.id).copied(),
        };
        kept.task.triggers.iter().map(trigger).collect()
    }

    fn is_target_of(&self, task: TaskId, device: DeviceId) -> bool {
        let targets = self.tasks.get(&task).map(|kept| &kept.task.targets);
        self.devices.contains_key(&device) && targets.is_some_and(|targets| self.is_target(device, targets))
    }

    fn contact(&self, device: DeviceId) -> Option<DeviceContact> {
        self.devices.get(&device).map(|device| DeviceContact {
            display_name: device.display_name.clone(),
            last_sync_time: device.last_sync_time,
        })
    }

    /// The runs of a task on a device, newest last.
    fn runs_on(&self, task: TaskId, device: DeviceId) -> Vec<&KeptRun> {
        let of = self.runs.values().filter(|kept| kept.run.task == task && kept.run.device == device);
        let mut runs: Vec<_> = of.collect();
        runs.sort_by_key(|kept| (kept.run.start_time, kept.run.id));
        runs
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Cancel { task: u8, only: Option<Vec<u8>>, now: u8 },
    TimeOut { lease: Fence, expired: u8, silent: u8, now: u8, limit: usize },
    Progress { progress: Vec<(u8, Option<u8>, u8, u8)> },
    List { task: u8, states: Vec<DeviceRunState>, after: Option<u8>, limit: usize, now: u8 },
    Count { task: u8, now: u8 },
    Get { run: u8 },
}

pub fn commands() -> impl Strategy<Value = Command> {
    let later = || 0..60_u8;
    let said = (RUNS, prop::option::weighted(0.2, DEVICES), SECONDS, 0..9_u8);
    prop_oneof![
        2 => (TASKS, prop::option::of(vec(DEVICES, 0..3)), SECONDS)
            .prop_map(|(task, only, now)| Command::Cancel { task, only, now }),
        2 => (fences(), later(), later(), later(), 1..4_usize).prop_map(
            |(lease, expired, silent, now, limit)| Command::TimeOut { lease, expired, silent, now, limit }
        ),
        2 => vec(said, 1..5).prop_map(|progress| Command::Progress { progress }),
        3 => (TASKS, vec(select(&DeviceRunState::ALL[..]), 0..3), prop::option::of(DEVICES), LIMITS, later())
            .prop_map(|(task, states, after, limit, now)| Command::List { task, states, after, limit, now }),
        2 => (TASKS, later()).prop_map(|(task, now)| Command::Count { task, now }),
        1 => RUNS.prop_map(|run| Command::Get { run }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Cancel { task: number, only, now } => {
            let only: Option<Vec<DeviceId>> = only.map(|only| only.into_iter().map(device).collect());
            agree!(bench.task_runs_cancel(task(number), only.clone(), at(now)));
        }
        Command::TimeOut { lease, expired, silent, now, limit } => {
            let lease = record(&bench.model, &lease);
            let overdue = Overdue { expired_before: at(expired), silent_since: at(silent), now: at(now) };
            while let Some(1..) = agree!(bench.task_runs_time_out(lease, overdue, limit)?) {}
        }
        Command::Progress { progress } => {
            let said = |&(number, by, time, byte): &(u8, Option<u8>, u8, u8)| {
                let (run, device) = runs::run(&bench.model, number, by);
                RunProgress { run, device, time: at(time), progress: vec![byte] }
            };
            let progress: Vec<RunProgress> = progress.iter().map(said).collect();
            agree!(bench.task_runs_progress(progress.clone()));
        }
        Command::List { task: number, states, after, limit, now } => {
            agree!(bench.device_runs_list(task(number), states.clone(), after.map(device), limit, at(now)));
        }
        Command::Count { task: number, now } => {
            agree!(bench.device_runs_count(task(number), at(now)));
        }
        Command::Get { run } => {
            let (run, _) = runs::run(&bench.model, run, None);
            agree!(bench.device_run_get(run));
        }
    }
    Ok(())
}
