//! Runs: hand-out to devices, what they report, lists.

use std::cmp::Reverse;

use guardhouse_model::{
    DeviceId, GroupId, RunId, TaskId, Timestamp,
    tasks::{RunStatus, run_id},
};
use guardhouse_store::{
    Claim, Closure, OpenRun, Run, RunDetail, RunEnd, RunPosition, RunReport, Targets, Trigger, Work,
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    bench::{Bench, Model, Outcome},
    pools::{DEVICES, LIMITS, RUNS, SECONDS, TASKS, at, device, task},
};

/// A run and what no list shows of it.
#[derive(Debug, Clone)]
pub struct KeptRun {
    pub run: Run,
    /// As it was when it led to the run.
    pub trigger: Trigger,
    action: Vec<u8>,
    pub withdrawn: bool,
    /// When its device last said something of it.
    pub heard_time: Option<Timestamp>,
    /// What else is known of it; the run in it is that from its beginning.
    pub detail: RunDetail,
}

impl KeptRun {
    /// A run that nothing happened to.
    pub fn new(run: Run, trigger: Trigger, action: Vec<u8>) -> Self {
        let detail = RunDetail {
            run: run.clone(),
            expire_time: trigger.expire_time,
            withdrawn: false,
            begin_time: None,
            cancel_time: None,
            code: None,
            supposed: false,
            progress: None,
        };
        Self { run, trigger, action, withdrawn: false, heard_time: None, detail }
    }

    /// The run as its trace shows it.
    pub fn detail(&self) -> RunDetail {
        RunDetail { run: self.run.clone(), withdrawn: self.withdrawn, ..self.detail.clone() }
    }

    /// Ends it in the name of the server.
    pub fn close(&mut self, code: &str, reason: &str, now: Timestamp) {
        self.run.status = RunStatus::Failed;
        self.run.end_time = Some(now.max(self.run.start_time));
        self.run.closure = Some(Closure { code: code.to_owned(), reason: reason.to_owned() });
        self.detail.code = Some(code.to_owned());
        self.detail.progress = None;
        self.withdrawn = false;
    }

    /// The same, until its device knows better.
    pub fn suppose(&mut self, code: &str, reason: &str, now: Timestamp) {
        self.close(code, reason, now);
        self.detail.supposed = true;
    }

    /// It is no longer wanted and has not begun, as far as is known: so nobody is shown it.
    fn is_lost(&self) -> bool {
        self.withdrawn && self.run.status == RunStatus::Queued
    }
}

impl Model {
    /// Each device is handed out fewer runs than [`guardhouse_store::Store::HAND_OUT`]: the pools are too small.
    pub fn task_runs_claim(&mut self, claims: Vec<Claim>, now: Timestamp) -> Vec<Work> {
        for claim in &claims {
            if self.devices.contains_key(&claim.device) && self.epoch(claim.device) <= claim.epoch {
                self.hand_out(claim.device, now);
            }
        }
        claims.iter().map(|claim| self.work(claim)).collect()
    }

    /// The epoch of the latest connection of a device; 0: none yet.
    fn epoch(&self, device: DeviceId) -> u64 {
        self.epochs.get(&device).copied().unwrap_or(0)
    }

    fn work(&self, claim: &Claim) -> Work {
        if !self.devices.contains_key(&claim.device) {
            return Work::NotManaged;
        }
        if self.epoch(claim.device) > claim.epoch {
            return Work::Superseded;
        }
        let of_device = self.runs.values().filter(|kept| kept.run.device == claim.device);
        let open = of_device.filter(|kept| !kept.run.status.is_over()).map(|kept| OpenRun {
            id: kept.run.id,
            action: kept.action.clone(),
            expire_time: kept.trigger.expire_time,
            withdrawn: kept.withdrawn,
            cancelled: kept.detail.cancel_time.is_some(),
        });
        Work::Runs(open.collect())
    }

    /// Each trigger that has not expired leads to one run on each target of its task.
    fn hand_out(&mut self, device: DeviceId, now: Timestamp) {
        for kept in self.tasks.values().filter(|kept| kept.delete_time.is_none()) {
            for trigger in kept.task.triggers.iter().filter(|trigger| now <= trigger.expire_time) {
                let id = run_id(trigger.id, device);
                if !self.is_target(device, &kept.task.targets) || self.runs.contains_key(&id) {
                    continue;
                }
                let run = Run {
                    id,
                    task: kept.task.id,
                    device,
                    status: RunStatus::Queued,
                    start_time: now,
                    end_time: None,
                    result: None,
                    closure: None,
                };
                let action = kept.task.action.clone();
                self.runs.insert(id, KeptRun::new(run, *trigger, action));
            }
        }
    }

    /// Whether a device is listed itself, or is below or in a listed group.
    pub fn is_target(&self, device: DeviceId, targets: &Targets) -> bool {
        let above = self.devices.get(&device).map(|device| self.path(device.group)).unwrap_or_default();
        let is_in =
            |group: &GroupId| above.contains(group) || self.dynamic_members.contains(&(*group, device));
        targets.devices.contains(&device) || targets.groups.iter().any(is_in)
    }

    /// Marks the runs of a task that have not begun as no longer wanted, on devices that are `unwanted`.
    pub fn withdraw(&mut self, task: TaskId, unwanted: impl Fn(DeviceId) -> bool) {
        for kept in self.runs.values_mut() {
            let run = &kept.run;
            if run.task == task && run.status == RunStatus::Queued && unwanted(run.device) {
                kept.withdrawn = true;
            }
        }
    }

    pub fn task_runs_report(&mut self, reports: Vec<RunReport>) -> Vec<bool> {
        reports.into_iter().map(|report| self.report(report)).collect()
    }

    fn report(&mut self, report: RunReport) -> bool {
        let device = report.device();
        let Some(kept) = self.runs.get_mut(&report.run()).filter(|kept| kept.run.device == device) else {
            return false;
        };
        match report {
            RunReport::Started { time, .. } if !kept.run.status.is_over() => {
                kept.run.status = RunStatus::Running;
                kept.withdrawn = false;
                kept.detail.begin_time.get_or_insert(time);
                kept.heard_time = Some(time);
            }
            // What the server supposed gives way to what the device knows.
            RunReport::Ended(end) if !kept.run.status.is_over() || kept.detail.supposed => {
                kept.run.status = end.status;
                kept.run.closure = None;
                kept.detail.code = end.code;
                kept.detail.supposed = false;
                kept.detail.progress = None;
                // The clock of the device may be slow.
                kept.run.end_time = Some(end.end_time.max(kept.run.start_time));
                kept.run.result = end.result;
                kept.withdrawn = false;
            }
            RunReport::Started { .. } | RunReport::Ended(_) => {}
        }
        true
    }

    /// Ends what the devices have not ended, as the server does when they are gone.
    pub fn close_open_of(&mut self, devices: &[DeviceId], code: &str, reason: &str, now: Timestamp) {
        self.runs.retain(|_, kept| !devices.contains(&kept.run.device) || !kept.is_lost());
        let of_devices = self.runs.values_mut().filter(|kept| devices.contains(&kept.run.device));
        for kept in of_devices.filter(|kept| !kept.run.status.is_over()) {
            kept.close(code, reason, now);
        }
    }

    pub fn task_run_withdrawn(&mut self, run: RunId, by: Claim) {
        if self.epoch(by.device) > by.epoch {
            return;
        }
        self.runs.retain(|id, kept| *id != run || kept.run.device != by.device || !kept.is_lost());
    }

    pub fn task_runs_list(
        &self,
        task: TaskId,
        device: Option<DeviceId>,
        only_last: bool,
        after: Option<RunPosition>,
        limit: usize,
    ) -> Option<Vec<Run>> {
        self.tasks.get(&task)?;
        let shown = self.runs.values().filter(|kept| kept.run.task == task && !kept.is_lost());
        let mut runs: Vec<&Run> = shown.map(|kept| &kept.run).collect();
        let place = |run: &Run| Reverse((run.start_time, run.id));
        runs.sort_by_key(|run| place(run));
        if only_last {
            // The first of each device, as the newest is the first.
            let mut seen = Vec::new();
            runs.retain(|run| {
                let is_last = !seen.contains(&run.device);
                seen.push(run.device);
                is_last
            });
        }
        let page = runs.into_iter().filter(|run| {
            device.is_none_or(|device| run.device == device)
                && after.is_none_or(|after| place(run) > Reverse((after.start_time, after.id)))
        });
        Some(page.take(limit).cloned().collect())
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Claim {
        claims: Vec<Asking>,
        now: u8,
    },
    /// Reports of a few runs from the first, so that some are of the same.
    Report {
        first: u8,
        reports: Vec<Report>,
    },
    Withdrawn {
        run: u8,
        by: Option<u8>,
        earlier: bool,
    },
    List {
        task: u8,
        device: Option<u8>,
        only_last: bool,
        after: Option<u8>,
        limit: usize,
    },
}

/// A device that asks, over its latest connection or one that is superseded.
#[derive(Debug, Clone)]
pub struct Asking {
    device: u8,
    earlier: bool,
}

/// A report of a run: by its device, or by another one.
#[derive(Debug, Clone)]
pub struct Report {
    run: u8,
    by: Option<u8>,
    /// When it is made.
    time: u8,
    /// `None`: that it began.
    end: Option<End>,
}

#[derive(Debug, Clone)]
pub struct End {
    status: RunStatus,
    time: u8,
    result: Option<u8>,
    code: Option<&'static str>,
}

pub fn commands() -> impl Strategy<Value = Command> {
    let asking =
        (DEVICES, prop::bool::weighted(0.1)).prop_map(|(device, earlier)| Asking { device, earlier });
    let by = || prop::option::weighted(0.2, DEVICES);
    let statuses = select(&[RunStatus::Finished, RunStatus::Failed, RunStatus::Suppressed][..]);
    let codes = prop::option::of(select(&["EXIT_CODE", "CANCELLED", "EXPIRED"][..]));
    let end = (statuses, SECONDS, prop::option::of(0..9_u8), codes)
        .prop_map(|(status, time, result, code)| End { status, time, result, code });
    let report = (0..3_u8, by(), SECONDS, prop::option::of(end)).prop_map(|(run, by, time, end)| Report {
        run,
        by,
        time,
        end,
    });
    let (devices, after) = (prop::option::of(DEVICES), prop::option::of(RUNS));
    prop_oneof![
        5 => (vec(asking, 1..6), SECONDS).prop_map(|(claims, now)| Command::Claim { claims, now }),
        4 => (RUNS, vec(report, 1..6)).prop_map(|(first, reports)| Command::Report { first, reports }),
        2 => (RUNS, by(), prop::bool::weighted(0.2))
            .prop_map(|(run, by, earlier)| Command::Withdrawn { run, by, earlier }),
        2 => (TASKS, devices, any::<bool>(), after, LIMITS).prop_map(
            |(task, device, only_last, after, limit)| Command::List { task, device, only_last, after, limit }
        ),
    ]
}

/// The run that a command means, and the device that speaks of it.
pub fn run(model: &Model, number: u8, by: Option<u8>) -> (RunId, DeviceId) {
    let run = model.runs.values().nth(usize::from(number) % model.runs.len().max(1));
    let (run, owner) =
        run.map_or((RunId(uuid::Uuid::nil()), device(0)), |kept| (kept.run.id, kept.run.device));
    (run, by.map_or(owner, device))
}

fn record(model: &Model, first: u8, report: &Report) -> RunReport {
    let (run, device) = run(model, first + report.run, report.by);
    match &report.end {
        None => RunReport::Started { run, device, time: at(report.time) },
        Some(end) => RunReport::Ended(RunEnd {
            run,
            device,
            status: end.status,
            end_time: at(end.time),
            result: end.result.map(|byte| vec![byte]),
            code: end.code.map(str::to_owned),
        }),
    }
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Claim { claims, now } => {
            let claim = |asking: &Asking| {
                let device = device(asking.device);
                let epoch = bench.model.epoch(device).saturating_sub(asking.earlier.into());
                Claim { device, epoch }
            };
            let claims: Vec<Claim> = claims.iter().map(claim).collect();
            agree!(bench.task_runs_claim(claims.clone(), at(now)));
        }
        Command::Report { first, reports } => {
            let reports: Vec<_> = reports.iter().map(|report| record(&bench.model, first, report)).collect();
            agree!(bench.task_runs_report(reports.clone()));
        }
        Command::Withdrawn { run: number, by, earlier } => {
            let (run, device) = run(&bench.model, number, by);
            let epoch = bench.model.epoch(device).saturating_sub(earlier.into());
            agree!(bench.task_run_withdrawn(run, Claim { device, epoch }));
        }
        Command::List { task: number, device: of, only_last, after, limit } => {
            let after = after.and_then(|number| {
                let (id, _) = run(&bench.model, number, None);
                let kept = bench.model.runs.get(&id)?;
                Some(RunPosition { start_time: kept.run.start_time, id })
            });
            agree!(bench.task_runs_list(task(number), of.map(device), only_last, after, limit));
        }
    }
    Ok(())
}
