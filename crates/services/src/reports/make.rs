//! Makes the reports of tasks and subtasks that are over.
//!
//! The report of a subtask is there as JSON, as its worker kept it; the page is made of it. The report of a task is made of
//! those of its subtasks, one after the other: what is kept of each is a line, so that a task of thousands of assets needs
//! no more memory than one.

use std::{io, time::Duration};

use guardhouse_model::{
    Environment, Timestamp,
    agentless::{ReportStatus, TaskStatus},
};
use guardhouse_report::{
    Report, html,
    model::ProjectReport,
    task::{self, AssetLine, Ending, Task, TaskReport},
};
use guardhouse_scan::event::PROJECT_NAMES;
use guardhouse_store::{
    AgentlessSubtask, AgentlessSubtaskFilter, AgentlessTask, PageNumber, ReportFormat, ReportWanted, Store,
    StoreError,
};
use tokio::runtime::Handle;
use tracing::{debug, warn};
use uuid::Uuid;

use super::parts::{Desk, NotWanted};
use crate::agentless::projects;

/// How much earlier than it is given to somebody else the making of a report ends.
const MARGIN: Duration = Duration::from_secs(60);

/// Largest report of an asset of which a page is made, in bytes of JSON. The report itself may be larger.
const LARGEST: u64 = 256 << 20;

/// Subtasks that are read at a time.
const STEP: usize = 200;

/// Makes reports.
#[derive(Debug, Clone)]
pub struct ReportMaker {
    /// Where they are.
    pub store: Store,
    /// The clock.
    pub environment: Environment,
}

impl ReportMaker {
    /// Makes one report that is wanted. False: none is, at the moment.
    ///
    /// What is not finished, because this process ends or the store fails, is given to whoever asks after
    /// [`Store::AGENTLESS_REPORT_LIMIT`].
    ///
    /// # Errors
    /// The store fails.
    pub async fn make_one(&self) -> Result<bool, StoreError> {
        let now = self.environment.now();
        let wanted = self.store.agentless_reports_wanted(now, 1).await?;
        let Some(&report) = wanted.first() else { return Ok(false) };
        let deadline = now.saturating_add(Store::AGENTLESS_REPORT_LIMIT - MARGIN).unwrap_or(Timestamp::MAX);
        let desk = Desk {
            store: self.store.clone(),
            environment: self.environment.clone(),
            runtime: Handle::current(),
            deadline,
        };
        // Reports are read and written by code that waits.
        let made = tokio::task::spawn_blocking(move || make(&desk, report)).await;
        let made = made.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        let status = match made {
            Ok(()) => ReportStatus::Success,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                warn!(?report, "a report took too long");
                ReportStatus::Timeout
            }
            Err(error) if is::<NotWanted>(&error) => {
                debug!(?report, %error, "a report was left unfinished");
                return Ok(true);
            }
            Err(error) if is::<StoreError>(&error) => {
                warn!(?report, %error, "a report was not made; it is tried again later");
                return Ok(true);
            }
            Err(error) => {
                warn!(?report, %error, "a report cannot be made");
                ReportStatus::Failed
            }
        };
        self.store.agentless_report_settle(report, status).await?;
        Ok(true)
    }
}

/// Whether an error is of that type, or another was made of it.
fn is<E: std::error::Error + 'static>(error: &io::Error) -> bool {
    let mut next = error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static));
    while let Some(inner) = next {
        if inner.is::<E>() {
            return true;
        }
        next = match inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(below) => Some(below),
            None => inner.source(),
        };
    }
    false
}

fn make(desk: &Desk, report: ReportWanted) -> io::Result<()> {
    match report {
        ReportWanted::Subtask(subtask) => {
            let document = io::Read::take(desk.read(subtask, ReportFormat::Json)?, LARGEST);
            let read: Report = serde_json::from_reader(io::BufReader::new(document))?;
            desk.write(report, ReportFormat::Html, |out| html::write(&read, out))
        }
        ReportWanted::Task(task) => {
            let found =
                desk.runtime.block_on(desk.store.agentless_task_get(task)).map_err(io::Error::other)?;
            let summary = sum_up(desk, &found.ok_or_else(|| io::Error::other(NotWanted))?)?;
            desk.write(report, ReportFormat::Json, |out| summary.write_json(out))?;
            desk.write(report, ReportFormat::Html, |out| task::html::write(&summary, out))
        }
    }
}

fn sum_up(desk: &Desk, task: &AgentlessTask) -> io::Result<TaskReport> {
    let run = projects::of(&task.options).map_err(io::Error::other)?;
    let project = |name: &str| ProjectReport { name: name.to_owned(), run: run.contains(&name) };
    let head = Task {
        id: task.id.simple().to_string(),
        name: task.name.clone(),
        started: task.start_time,
        ended: task.end_time,
    };
    let mut report =
        TaskReport::new(env!("CARGO_PKG_VERSION"), head, PROJECT_NAMES.into_iter().map(project).collect());
    let filter = AgentlessSubtaskFilter { task: Some(task.id), ..AgentlessSubtaskFilter::default() };
    let mut skip = 0;
    loop {
        let page = desk.store.agentless_subtasks_list(filter.clone(), PageNumber { skip, size: STEP });
        let page = desk.runtime.block_on(page).map_err(io::Error::other)?.rows;
        skip += page.len() as u64;
        let is_last = page.len() < STEP;
        for subtask in page {
            desk.check_time()?;
            report.add(line(desk, subtask)?);
        }
        if is_last {
            return Ok(report);
        }
    }
}

fn line(desk: &Desk, subtask: AgentlessSubtask) -> io::Result<AssetLine> {
    let ending = match subtask.status {
        TaskStatus::Done => Ending::Done,
        TaskStatus::Failed => Ending::Failed,
        TaskStatus::TimedOut => Ending::TimedOut,
        TaskStatus::Cancelled => Ending::Cancelled,
        // It was tried again meanwhile, and there will be another report.
        TaskStatus::Running => return Err(io::Error::other(NotWanted)),
    };
    // A newer scan of the same asset takes the result of this one away.
    let is_kept = ending == Ending::Done && subtask.report_status != ReportStatus::None;
    let found = if is_kept { Some(digest(desk, subtask.id)?) } else { None };
    Ok(AssetLine {
        instance_id: subtask.instance_id,
        name: subtask.target_name,
        scan: subtask.id.simple().to_string(),
        ending,
        reason: subtask.reason,
        ended: subtask.end_time,
        bytes_read: subtask.measure_bytes,
        found,
    })
}

fn digest(desk: &Desk, subtask: Uuid) -> io::Result<task::Found> {
    Ok(task::digest(desk.read(subtask, ReportFormat::Json)?)?.0)
}

#[cfg(test)]
#[path = "make/tests.rs"]
mod tests;
