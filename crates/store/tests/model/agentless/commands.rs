//! The commands that call the verbs. Their moments are hours, so that deadlines pass, too.

use std::ops::Range;

use guardhouse_model::{
    Timestamp,
    agentless::{Necessity, ReportStatus, TaskStatus, VulnerabilityKind},
};
use guardhouse_store::{
    AgentlessResult, AgentlessSubtaskFilter, AgentlessTaskFilter, NewAgentlessSubtask, NewAgentlessTask,
    NewVulnerability, PageNumber, ReportFormat, ReportWriter, SubtaskEnd, SubtaskLease, SubtaskOutcome,
    SubtaskProgress, TakeSubtasks,
};
use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*, sample::select};
use uuid::Uuid;

use crate::{
    bench::{Bench, Model, Outcome},
    pools::{LIMITS, at, spread},
    retention::{self, Fence},
};

const TASKS: Range<u8> = 0..6;
const ASSETS: Range<u8> = 0..5;
const HOURS: Range<u8> = 0..30;
/// For commands about the how-manieth subtask that there is, counted around.
const SUBTASKS: Range<u8> = 0..20;

#[derive(Debug, Clone)]
pub enum Command {
    Add { task: u8, account: Option<u8>, token: &'static str, hour: u8, assets: Vec<u8> },
    Take { limit: usize, hour: u8 },
    Progress { said: Vec<(u8, bool, u8)>, hour: u8 },
    End { subtask: u8, old: bool, outcome: u8, hour: u8 },
    ExpireLeases { lease: Fence, hour: u8, limit: usize },
    ExpireResults { lease: Fence, hour: u8, limit: usize },
    ExpireTasks { lease: Fence, hour: u8, limit: usize },
    Retry { id: Id, hour: u8 },
    Cancel { id: Id, hour: u8 },
    Delete { id: Id },
    Write { subtask: u8, position: u32 },
    Make { limit: usize, hour: u8, status: ReportStatus, settle: usize },
}

/// Of a task or a subtask.
#[derive(Debug, Clone, Copy)]
pub enum Id {
    Task(u8),
    Subtask(u8),
}

fn hour(number: u8) -> Timestamp {
    at(0) + SignedDuration::from_hours(number.into())
}

fn task(number: u8) -> Uuid {
    spread(number)
}

/// A subtask that there is, with its newest lease; counted around.
fn lease(model: &Model, number: u8) -> SubtaskLease {
    let subtasks = &model.scans.subtasks;
    let place = usize::from(number).checked_rem(subtasks.len()).unwrap_or_default();
    let found =
        subtasks.iter().nth(place).map(|(&subtask, kept)| SubtaskLease { subtask, fence: kept.fence });
    found.unwrap_or(SubtaskLease { subtask: Uuid::nil(), fence: 1 })
}

impl Id {
    fn of(self, model: &Model) -> Uuid {
        match self {
            Self::Task(number) => task(number),
            Self::Subtask(number) => lease(model, number).subtask,
        }
    }
}

pub fn creations() -> impl Strategy<Value = Command> {
    let accounts = prop::option::of(0..2_u8);
    (TASKS, accounts, select(&["", "a", "b"][..]), HOURS, vec(ASSETS, 0..4))
        .prop_map(|(task, account, token, hour, assets)| Command::Add { task, account, token, hour, assets })
}

pub fn commands() -> impl Strategy<Value = Command> {
    let ids = || prop_oneof![TASKS.prop_map(Id::Task), SUBTASKS.prop_map(Id::Subtask)];
    let rarely = || prop::bool::weighted(0.1);
    let statuses = select(&[ReportStatus::Success, ReportStatus::Failed, ReportStatus::Timeout][..]);
    let words = vec((SUBTASKS, rarely(), 0..=255_u8), 0..5);
    let ends = (SUBTASKS, rarely(), 0..8_u8, HOURS);
    prop_oneof![
        3 => creations(),
        5 => (LIMITS, HOURS).prop_map(|(limit, hour)| Command::Take { limit, hour }),
        3 => (words, HOURS).prop_map(|(said, hour)| Command::Progress { said, hour }),
        6 => ends.prop_map(|(subtask, old, outcome, hour)| Command::End { subtask, old, outcome, hour }),
        3 => (retention::fences(), HOURS, LIMITS)
            .prop_map(|(lease, hour, limit)| Command::ExpireLeases { lease, hour, limit }),
        1 => (retention::fences(), HOURS, LIMITS)
            .prop_map(|(lease, hour, limit)| Command::ExpireResults { lease, hour, limit }),
        1 => (retention::fences(), HOURS, LIMITS)
            .prop_map(|(lease, hour, limit)| Command::ExpireTasks { lease, hour, limit }),
        2 => (ids(), HOURS).prop_map(|(id, hour)| Command::Retry { id, hour }),
        2 => (ids(), HOURS).prop_map(|(id, hour)| Command::Cancel { id, hour }),
        1 => ids().prop_map(|id| Command::Delete { id }),
        2 => (SUBTASKS, 0..2_u32).prop_map(|(subtask, position)| Command::Write { subtask, position }),
        2 => (LIMITS, HOURS, statuses, 0..3_usize)
            .prop_map(|(limit, hour, status, settle)| Command::Make { limit, hour, status, settle }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Add { task: number, account, token, hour: start, assets } => {
            let new = new_task(bench, number, account, token, hour(start), &assets);
            agree!(bench.agentless_task_add(new.clone())?);
        }
        Command::Take { limit, hour: now } => {
            let until = hour(now + 2);
            let take = TakeSubtasks {
                worker: "worker".to_owned(),
                limit,
                now: hour(now),
                until,
                time_limit: Default::default(),
            };
            agree!(bench.agentless_subtasks_take(take.clone()));
        }
        Command::Progress { said, hour: until } => {
            let word = |&(number, old, progress): &(u8, bool, u8)| SubtaskProgress {
                lease: of(&bench.model, number, old),
                progress,
                progress_by_project: format!("{{{progress}}}"),
            };
            let words: Vec<SubtaskProgress> = said.iter().map(word).collect();
            agree!(bench.agentless_subtasks_progress(words.clone(), hour(until)));
        }
        Command::End { subtask, old, outcome, hour: now } => {
            let lease = of(&bench.model, subtask, old);
            let outcome = outcome_of(outcome, hour(now + 5));
            let end = SubtaskEnd { lease, now: hour(now), outcome, measure_bytes: now.into() };
            agree!(bench.agentless_subtask_end(end.clone()));
        }
        Command::ExpireLeases { lease, hour: now, limit } => {
            let lease = retention::record(&bench.model, &lease);
            agree!(bench.agentless_leases_expire(lease, hour(now), limit)?);
        }
        Command::ExpireResults { lease, hour: now, limit } => {
            let lease = retention::record(&bench.model, &lease);
            agree!(bench.agentless_results_expire(lease, hour(now), limit)?);
        }
        Command::ExpireTasks { lease, hour: before, limit } => {
            let lease = retention::record(&bench.model, &lease);
            agree!(bench.agentless_tasks_expire(lease, hour(before), limit)?);
        }
        Command::Retry { id, hour: now } => {
            let id = id.of(&bench.model);
            agree!(bench.agentless_task_retry(id, hour(now), None));
        }
        Command::Cancel { id, hour: now } => {
            let id = id.of(&bench.model);
            agree!(bench.agentless_task_cancel(id, hour(now)));
        }
        Command::Delete { id } => {
            let id = id.of(&bench.model);
            agree!(bench.agentless_task_delete(id));
        }
        Command::Write { subtask, position } => {
            let writer = ReportWriter::Worker(lease(&bench.model, subtask));
            agree!(bench.agentless_report_write(writer, ReportFormat::Json, position, vec![subtask]));
        }
        Command::Make { limit, hour: now, status, settle } => {
            for report in agree!(bench.agentless_reports_wanted(hour(now), limit)).into_iter().take(settle) {
                let writer = ReportWriter::Maker(report);
                agree!(bench.agentless_report_write(writer, ReportFormat::Html, 0, vec![now]));
                agree!(bench.agentless_report_settle(report, status));
                agree!(bench.agentless_report_settle(report, status));
            }
        }
    }
    Ok(())
}

fn new_task(
    bench: &mut Bench,
    number: u8,
    account: Option<u8>,
    token: &str,
    start_time: Timestamp,
    assets: &[u8],
) -> NewAgentlessTask {
    let target_type = 3 + i32::from(number % 2);
    let targets = assets.iter().map(|asset| {
        bench.last_fresh += 1;
        NewAgentlessSubtask {
            id: Uuid::from_u128(bench.last_fresh << 64 | u128::from(*asset)),
            instance_id: format!("s-{asset}"),
            target_type,
            target_name: ["Disk", "disk_ä", "100%"][usize::from(asset % 3)].to_owned(),
            internet_ip: format!("192.0.2.{}", asset % 2),
            size_bytes: u64::from(*asset) << 30,
            ..NewAgentlessSubtask::default()
        }
    });
    let targets = targets.collect();
    NewAgentlessTask {
        id: task(number),
        name: format!("scan {number}"),
        target_type,
        account: account.map(spread),
        client_token: token.to_owned(),
        options: vec![number],
        start_time,
        targets,
        ..NewAgentlessTask::default()
    }
}

/// The newest lease of a subtask, or the one before it.
fn of(model: &Model, number: u8, old: bool) -> SubtaskLease {
    let lease = lease(model, number);
    SubtaskLease { fence: lease.fence - i64::from(old), ..lease }
}

fn vulnerability(number: u8) -> NewVulnerability {
    NewVulnerability {
        finding: Uuid::from_u128(number.into()),
        kind: VulnerabilityKind::Cve,
        name: format!("CVE-{number}"),
        alias: String::new(),
        related: String::new(),
        necessity: Necessity::Later,
        score: None,
        package: "package".to_owned(),
        package_kind: "deb".to_owned(),
        version: "1".to_owned(),
        fixed: String::new(),
        path: "/var/lib/dpkg/status".to_owned(),
        os: "debian".to_owned(),
        os_release: "12".to_owned(),
    }
}

fn outcome_of(number: u8, expire_time: Timestamp) -> SubtaskOutcome {
    match number {
        0 => SubtaskOutcome::Failed("no system".to_owned()),
        1 => SubtaskOutcome::TimedOut("slow".to_owned()),
        2 => SubtaskOutcome::Cancelled,
        3 => SubtaskOutcome::GivenBack,
        _ => SubtaskOutcome::Done(AgentlessResult {
            platform: "Debian".to_owned(),
            expire_time,
            vulnerabilities: (4..number).map(vulnerability).collect(),
            ..Default::default()
        }),
    }
}

/// Compares everything that can be read.
pub async fn compare(bench: &mut Bench) -> Outcome {
    let any = AgentlessTaskFilter::default;
    let statuses = |statuses: &[TaskStatus]| AgentlessTaskFilter { statuses: statuses.to_vec(), ..any() };
    let ids: Vec<Uuid> =
        (0..20).map(|number| lease(&bench.model, number).subtask).chain(TASKS.map(task)).collect();
    let filters = [
        any(),
        statuses(&[TaskStatus::Running]),
        statuses(&[TaskStatus::Done, TaskStatus::Failed]),
        statuses(&[TaskStatus::Cancelled]),
        AgentlessTaskFilter { target_type: Some(3), ..any() },
        AgentlessTaskFilter { from: Some(hour(10)), until: Some(hour(20)), ..any() },
        AgentlessTaskFilter { ids: Some(ids.iter().copied().step_by(2).collect()), ..any() },
    ];
    for common in filters {
        let filter = AgentlessSubtaskFilter { common: common.clone(), ..Default::default() };
        let of_task = AgentlessSubtaskFilter { task: Some(task(0)), ..filter.clone() };
        for skip in [0, 2, 5] {
            let page = PageNumber { skip, size: 3 };
            agree!(bench.agentless_tasks_list(common.clone(), page));
            agree!(bench.agentless_subtasks_list(filter.clone(), page));
            agree!(bench.agentless_subtasks_list(of_task.clone(), page));
        }
    }
    for (target_name, internet_ip, instance_id) in
        [("DISK", "", ""), ("_", "", ""), ("0%", "", ""), ("", "192.0.2.1", ""), ("", "", "s-2")]
    {
        let filter = AgentlessSubtaskFilter {
            target_name: target_name.to_owned(),
            internet_ip: internet_ip.to_owned(),
            instance_id: instance_id.to_owned(),
            ..Default::default()
        };
        agree!(bench.agentless_subtasks_list(filter.clone(), PageNumber { skip: 1, size: 3 }));
    }
    for id in ids {
        agree!(bench.agentless_task_get(id));
        agree!(bench.agentless_subtask_get(id));
        for format in [ReportFormat::Json, ReportFormat::Html] {
            agree!(bench.agentless_report_part(id, format, 0));
            agree!(bench.agentless_report_part(id, format, 1));
        }
    }
    for (target_type, asset) in [(None, None), (Some(3), None), (None, Some("s-1".to_owned()))] {
        agree!(bench.agentless_results_count(target_type, asset.clone(), hour(12)));
    }
    // Those that are queued, in their order, with their fences.
    let take = TakeSubtasks {
        worker: "last".to_owned(),
        limit: 100,
        now: hour(40),
        until: hour(41),
        time_limit: Default::default(),
    };
    agree!(bench.agentless_subtasks_take(take.clone()));
    Ok(())
}
