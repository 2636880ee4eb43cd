//! Tasks and subtasks as rows of the public API.

use std::collections::HashMap;

use guardhouse_contract::agentless::AgentlessTaskRow;
use guardhouse_model::{
    Timestamp,
    agentless::{ReportStatus, TaskStatus},
};
use guardhouse_store::{AgentlessSubtask, AgentlessTask};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::reports::ReportLinks;

/// In a map of [`AgentlessTaskRow`]: where the report is as JSON.
const JSON_LINK: &str = "reportJsonDownloadUrl";

/// An id of a task or a subtask, as the public API shows it.
pub fn shown_id(id: Uuid) -> String {
    id.simple().to_string()
}

/// The row of a subtask. `projects` are those that there are, of which nothing is known until a worker begins; `links`
/// those of its report, once it is there.
pub fn subtask(
    subtask: &AgentlessSubtask,
    projects: &[&str],
    links: Option<ReportLinks>,
) -> AgentlessTaskRow {
    AgentlessTaskRow {
        task_id: shown_id(subtask.id),
        task_name: subtask.task_name.clone(),
        target_type: subtask.target_type,
        status: shown_status(subtask.status),
        progress: subtask.progress.into(),
        start_time: subtask.start_time.as_millisecond(),
        end_time: subtask.end_time.map_or(0, Timestamp::as_millisecond),
        result: result(subtask.status, || subtask.reason.clone()),
        uuid: subtask.instance_id.clone(),
        internet_ip: subtask.internet_ip.clone(),
        intranet_ip: subtask.intranet_ip.clone(),
        instance_name: subtask.instance_name.clone(),
        target_name: subtask.target_name.clone(),
        progress_by_project: projects_of(subtask, projects),
        measure_space: mebibytes(subtask.measure_bytes),
        instance_id: subtask.instance_id.clone(),
        ..report(subtask.report_status, links)
    }
}

/// How far the projects of a subtask are. What its worker said last is from before its end, and a short scan is over before
/// it says anything.
fn projects_of(subtask: &AgentlessSubtask, projects: &[&str]) -> String {
    let said = serde_json::from_str::<Map<String, Value>>(&subtask.progress_by_project).unwrap_or_default();
    let said_of: Vec<&str> = said.keys().map(String::as_str).collect();
    let named = if said_of.is_empty() { projects } else { &said_of };
    match subtask.status {
        TaskStatus::Done => progress_by_project(named, 100),
        _ if said.is_empty() => progress_by_project(named, subtask.progress),
        _ => subtask.progress_by_project.clone(),
    }
}

/// The row of a root task, which runs `projects`.
pub fn task(task: &AgentlessTask, projects: &[&str], links: Option<ReportLinks>) -> AgentlessTaskRow {
    AgentlessTaskRow {
        task_id: shown_id(task.id),
        task_name: task.name.clone(),
        target_type: task.target_type,
        status: shown_status(task.status),
        progress: task.tally.progress().into(),
        start_time: task.start_time.as_millisecond(),
        end_time: task.end_time.map_or(0, Timestamp::as_millisecond),
        result: result(task.status, || what_went_wrong(task)),
        progress_by_project: progress_by_project(projects, task.tally.progress()),
        measure_space: mebibytes(task.measure_bytes),
        ..report(task.report_status, links)
    }
}

fn report(status: ReportStatus, links: Option<ReportLinks>) -> AgentlessTaskRow {
    let links = links.filter(|_| status == ReportStatus::Success);
    let (html, json) = links.map_or_else(Default::default, |links| (links.html, Some(links.json)));
    AgentlessTaskRow {
        report_status: status.word().to_owned(),
        report_download_url: html,
        extension: json.map(|json| (JSON_LINK.to_owned(), json)).into_iter().collect::<HashMap<_, _>>(),
        ..AgentlessTaskRow::default()
    }
}

/// The number of a status. What somebody ended has failed: that API does not know more.
fn shown_status(status: TaskStatus) -> i32 {
    match status {
        TaskStatus::Cancelled => TaskStatus::Failed as i32,
        status => status as i32,
    }
}

/// How it went, in words.
fn result(status: TaskStatus, reason: impl FnOnce() -> String) -> String {
    match status {
        TaskStatus::Running => String::new(),
        TaskStatus::Done => "True".to_owned(),
        TaskStatus::Cancelled => "cancelled".to_owned(),
        TaskStatus::Failed | TaskStatus::TimedOut => reason(),
    }
}

/// `2 of 10 assets failed, 1 took too long`
fn what_went_wrong(task: &AgentlessTask) -> String {
    let tally = &task.tally;
    let of = format!("of {} {}", tally.subtasks, if tally.subtasks == 1 { "asset" } else { "assets" });
    match (tally.failed, tally.timed_out) {
        (failed, 0) => format!("{failed} {of} failed"),
        (0, timed_out) => format!("{timed_out} {of} took too long"),
        (failed, timed_out) => format!("{failed} {of} failed, {timed_out} took too long"),
    }
}

/// A text with an object: each project, and how far it is.
pub fn progress_by_project(projects: &[&str], progress: u8) -> String {
    let entries = projects.iter().map(|project| ((*project).to_owned(), Value::from(progress)));
    Value::Object(entries.collect::<Map<_, _>>()).to_string()
}

/// In MiB, with two decimals at most, rounded up: what little was read is not nothing.
pub fn mebibytes(bytes: u64) -> f64 {
    const MIB: u128 = 1 << 20;
    let hundredths = (u128::from(bytes) * 100).div_ceil(MIB);
    // Of fewer than 2^53 hundredths, which are 80 PiB, none is lost.
    hundredths as f64 / 100.0
}

#[cfg(test)]
#[path = "task_rows/tests.rs"]
mod tests;
