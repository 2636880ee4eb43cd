//! How scans of subtasks end, as their workers say it.

use guardhouse_model::{
    Timestamp,
    agentless::{ReportStatus, TaskStatus, queue},
};
use uuid::Uuid;

use super::{
    baseline_checks,
    deliveries::{self, Notice},
    malicious_files, percentage, reports, results, roots,
    roots::Root,
    sensitive_files, snapshots, vulnerabilities,
};
use crate::{
    AgentlessEvent, AgentlessResult, Store, StoreError, SubtaskEnd, SubtaskLease, SubtaskOutcome,
    engine::{Transaction, Value, values},
};

/// A subtask that a worker has.
struct Held {
    progress: u8,
    is_cancelled: bool,
}

/// How a subtask is over.
pub struct Over<'a> {
    /// Which.
    pub subtask: Uuid,
    /// How.
    pub status: TaskStatus,
    /// Why, in a sentence; empty: it is done.
    pub reason: &'a str,
    /// How far it was.
    pub progress: u8,
    /// How much was read.
    pub measure_bytes: u64,
}

impl Store {
    /// Ends a subtask, or gives it back to the queue. With a result, an older one of the asset and its report go; what was
    /// found before and is found again keeps its id, and what people did about it. False: the worker does not have the
    /// subtask any more, and nothing was changed.
    pub async fn agentless_subtask_end(&self, end: SubtaskEnd) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                if let SubtaskOutcome::Done(_) = end.outcome {
                    vulnerabilities::enter(transaction)?;
                    malicious_files::enter(transaction)?;
                }
                let SubtaskLease { subtask, fence } = end.lease;
                let sql = "select task_uuid, instance_id from agentless_subtasks
                    where uuid = $1 and fence = $2 and state = 2";
                let found = transaction.find(sql, values![subtask, fence], |row| {
                    Ok((row.get::<Uuid>(0)?, row.get::<String>(1)?))
                })?;
                let Some((task, asset)) = found else { return Ok(false) };
                let Some(mut root) = roots::lock_one(transaction, task)? else { return Ok(false) };
                let older = match end.outcome {
                    SubtaskOutcome::Done(_) => results::subtask_of(transaction, &asset)?,
                    _ => None,
                };
                let older = older.filter(|older| *older != subtask);
                lock(transaction, [Some(subtask), older].into_iter().flatten().collect())?;
                let Some(held) = held(transaction, end.lease)? else { return Ok(false) };
                settle(transaction, &mut root, &end, &held, (&asset, older))?;
                Ok(true)
            })
            .await
    }
}

fn settle(
    transaction: &Transaction<'_>,
    root: &mut Root,
    end: &SubtaskEnd,
    held: &Held,
    (asset, older): (&str, Option<Uuid>),
) -> Result<(), StoreError> {
    let SubtaskEnd { lease: SubtaskLease { subtask, .. }, now, outcome, measure_bytes } = end;
    let (mut status, mut reason, mut progress) = match outcome {
        SubtaskOutcome::Done(_) => (TaskStatus::Done, "", 100),
        SubtaskOutcome::Failed(reason) => (TaskStatus::Failed, reason.as_str(), held.progress),
        SubtaskOutcome::TimedOut(reason) => (TaskStatus::TimedOut, reason.as_str(), held.progress),
        SubtaskOutcome::Cancelled => (TaskStatus::Cancelled, queue::CANCELLED, held.progress),
        SubtaskOutcome::GivenBack if !held.is_cancelled => {
            return requeue(transaction, &[*subtask], false);
        }
        SubtaskOutcome::GivenBack => (TaskStatus::Cancelled, queue::CANCELLED, held.progress),
    };
    if held.is_cancelled && status != TaskStatus::Done {
        (status, reason, progress) = (TaskStatus::Cancelled, queue::CANCELLED, held.progress);
    }
    let over = Over { subtask: *subtask, status, reason, progress, measure_bytes: *measure_bytes };
    finish(transaction, root, &over, *now)?;
    if let SubtaskOutcome::Done(result) = outcome {
        keep_result(transaction, *subtask, result, (asset, older), *now)?;
    }
    snapshots::over(transaction, *subtask, status, *now)?;
    root.keep(transaction, *now)
}

/// Ends a subtask that is locked, and counts it in its task, which is kept by the caller.
pub fn finish(
    transaction: &Transaction<'_>,
    root: &mut Root,
    over: &Over<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_done = over.status == TaskStatus::Done;
    let report = if is_done { ReportStatus::Prepared } else { ReportStatus::None };
    transaction.execute(
        "update agentless_subtasks set state = 3, status = $2, reason = $3, progress = $4, measure_bytes = $5,
             end_time = $6, report_status = $7, report_due = $8, lease_expire_time = null, deadline = null
         where uuid = $1",
        values![
            over.subtask,
            over.status as i32,
            over.reason,
            u32::from(over.progress),
            over.measure_bytes,
            now,
            report as i32,
            is_done.then_some(now),
        ],
    )?;
    if !is_done {
        // Parts that its worker sent.
        reports::remove(transaction, &[over.subtask])?;
    }
    if matches!(over.status, TaskStatus::Failed | TaskStatus::TimedOut) {
        let notice = Notice {
            event: AgentlessEvent::SubtaskFailed,
            task: root.id,
            subtask: Some(over.subtask),
            status: over.status,
            reason: over.reason,
            now,
        };
        deliveries::note(transaction, &notice)?;
    }
    root.over.add(over.status, over.progress);
    root.measure_bytes = root.measure_bytes.saturating_add(over.measure_bytes);
    Ok(())
}

/// Puts subtasks that are locked back to where they stood in the queue, where that is another attempt or not.
pub fn requeue(transaction: &Transaction<'_>, subtasks: &[Uuid], is_attempt: bool) -> Result<(), StoreError> {
    super::for_each_of(
        transaction,
        "update agentless_subtasks set state = 1, progress = 0, progress_by_project = '', worker = '',
             lease_expire_time = null, deadline = null, attempts = attempts + $1
         where uuid",
        values![is_attempt],
        subtasks,
    )
}

fn keep_result(
    transaction: &Transaction<'_>,
    subtask: Uuid,
    result: &AgentlessResult,
    (asset, older): (&str, Option<Uuid>),
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(older) = older {
        reports::forget(transaction, &[older])?;
    }
    results::replace(transaction, subtask, result, now)?;
    vulnerabilities::replace(transaction, subtask, now, &result.vulnerabilities)?;
    malicious_files::replace(transaction, asset, now, &result.malicious_files)?;
    sensitive_files::replace(transaction, asset, now, &result.sensitive_files)?;
    baseline_checks::replace(transaction, asset, now, &result.checks)
}

/// Locks subtasks, in the order of their ids.
pub fn lock(transaction: &Transaction<'_>, mut ids: Vec<Uuid>) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        ids.sort_unstable();
        let sql = "select 1 from agentless_subtasks where uuid = any($1) order by uuid for no key update";
        transaction.execute(sql, &[Value::Ids(&ids)])?;
    }
    Ok(())
}

fn held(transaction: &Transaction<'_>, lease: SubtaskLease) -> Result<Option<Held>, StoreError> {
    let sql = "select progress, cancel from agentless_subtasks where uuid = $1 and fence = $2 and state = 2";
    transaction.find(sql, values![lease.subtask, lease.fence], |row| {
        Ok(Held { progress: percentage(row, 0)?, is_cancelled: row.get(1)? })
    })
}
