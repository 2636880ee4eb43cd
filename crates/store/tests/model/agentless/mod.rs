//! Agentless scans: tasks, the queue of their subtasks, results and reports.

mod commands;
mod lists;
mod reports;
mod verbs;

use std::collections::BTreeMap;

use guardhouse_model::{
    Timestamp,
    agentless::{ReportStatus, Tally, TaskStatus},
};
use guardhouse_store::{AgentlessSubtask, NewAgentlessTask};
use uuid::Uuid;

pub use commands::{Command, carry_out, commands, compare, creations};

/// Everything of agentless scans.
#[derive(Debug, Default)]
pub struct Scans {
    tasks: BTreeMap<Uuid, KeptScan>,
    subtasks: BTreeMap<Uuid, KeptSubtask>,
    /// By asset.
    results: BTreeMap<String, KeptResult>,
    /// By owner, format and position.
    reports: BTreeMap<(Uuid, &'static str, u32), Vec<u8>>,
}

/// A root task. What its subtasks make of it is counted whenever it is asked for.
#[derive(Debug)]
struct KeptScan {
    new: NewAgentlessTask,
    /// When the last of its subtasks was over.
    end_time: Option<Timestamp>,
    report: Report,
}

#[derive(Debug)]
struct KeptSubtask {
    /// As it is listed, but for the report.
    shown: AgentlessSubtask,
    position: usize,
    state: State,
    queue_time: Timestamp,
    fence: i64,
    report: Report,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Queued,
    Leased { until: Timestamp, deadline: Timestamp },
    Over,
}

/// A report, and when it is to be made.
#[derive(Debug, Clone, Copy)]
struct Report {
    status: ReportStatus,
    due: Option<Timestamp>,
}

impl Report {
    const NONE: Self = Self { status: ReportStatus::None, due: None };
}

#[derive(Debug)]
struct KeptResult {
    subtask: Uuid,
    target_type: i32,
    scan_time: Timestamp,
    expire_time: Timestamp,
    cve: u64,
}

impl Scans {
    /// The subtasks of a task, counted.
    fn tally(&self, task: Uuid) -> Tally {
        let mut tally = Tally::default();
        for kept in self.subtasks.values().filter(|kept| kept.shown.task == task) {
            tally.subtasks += 1;
            match kept.shown.status {
                TaskStatus::Running => {}
                TaskStatus::Done => tally.done += 1,
                TaskStatus::Failed => tally.failed += 1,
                TaskStatus::TimedOut => tally.timed_out += 1,
                TaskStatus::Cancelled => tally.cancelled += 1,
            }
            tally.progress_sum += u64::from(kept.shown.progress);
        }
        tally
    }

    /// The subtasks that are meant by the id of one, or of a task.
    fn meant(&self, id: Uuid) -> Option<Vec<Uuid>> {
        if self.subtasks.contains_key(&id) {
            return Some(vec![id]);
        }
        let of_task = self.subtasks.iter().filter(|(_, kept)| kept.shown.task == id);
        self.tasks.contains_key(&id).then(|| of_task.map(|(id, _)| *id).collect())
    }

    /// Notes that something below a task changed whose status was this before.
    fn settle(&mut self, task: Uuid, before: TaskStatus, now: Timestamp) {
        let tally = self.tally(task);
        if tally.status() == before {
            return;
        }
        let is_over = tally.is_over();
        if !is_over {
            self.remove_reports(task);
        }
        let kept = self.tasks.get_mut(&task).expect("whoever changes below it knows it");
        kept.end_time = is_over.then_some(now);
        let has_report = is_over && tally.done > 0;
        kept.report =
            if has_report { Report { status: ReportStatus::Prepared, due: Some(now) } } else { Report::NONE };
    }

    fn remove_reports(&mut self, owner: Uuid) {
        self.reports.retain(|(of, ..), _| *of != owner);
    }
}
