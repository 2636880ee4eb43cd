//! Root tasks, locked while something changes below them.

use guardhouse_model::{
    Timestamp,
    agentless::{ReportStatus, Tally, TaskStatus},
};
use uuid::Uuid;

use super::{
    deliveries::{self, Notice},
    reports, status,
};
use crate::{
    AgentlessEvent, StoreError,
    engine::{Row, Transaction, Value, values},
};

/// A root task that nobody else changes before the transaction ends.
pub struct Root {
    /// Which.
    pub id: Uuid,
    /// Of its subtasks, those that are over.
    pub over: Tally,
    /// How much was read for it.
    pub measure_bytes: u64,
    /// When it was over, as it was locked.
    pub end_time: Option<Timestamp>,
    /// How it was when it was locked.
    status: TaskStatus,
}

/// Locks root tasks, in the order of their ids; those that do not exist are left out.
pub fn lock(transaction: &Transaction<'_>, mut ids: Vec<Uuid>) -> Result<Vec<Root>, StoreError> {
    let columns =
        "select uuid, subtasks, done, failed, timed_out, cancelled, progress_sum, measure_bytes, status,
            end_time
        from agentless_tasks where uuid";
    ids.sort_unstable();
    ids.dedup();
    match transaction {
        Transaction::Postgres(_) => {
            let sql = format!("{columns} = any($1) order by uuid for update");
            transaction.list(&sql, &[Value::Ids(&ids)], from_row)
        }
        Transaction::Sqlite(_) => {
            let sql = format!("{columns} = $1");
            let found = ids.iter().map(|&id| transaction.find(&sql, values![id], from_row));
            found.filter_map(Result::transpose).collect()
        }
    }
}

/// Locks one root task.
pub fn lock_one(transaction: &Transaction<'_>, id: Uuid) -> Result<Option<Root>, StoreError> {
    Ok(lock(transaction, vec![id])?.pop())
}

impl Root {
    /// Keeps what became of the task. When it is over now, its report is to be made; when it is not any more, its report
    /// is gone.
    pub fn keep(&self, transaction: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
        let Self { id, over, measure_bytes, .. } = self;
        transaction.execute(
            "update agentless_tasks set done = $2, failed = $3, timed_out = $4, cancelled = $5, progress_sum = $6,
                 measure_bytes = $7
             where uuid = $1",
            values![
                *id,
                over.done,
                over.failed,
                over.timed_out,
                over.cancelled,
                over.progress_sum,
                *measure_bytes
            ],
        )?;
        let status = over.status();
        if status == self.status {
            return Ok(());
        }
        let is_over = status != TaskStatus::Running;
        if !is_over {
            reports::remove(transaction, &[*id])?;
        }
        let has_report = is_over && over.done > 0;
        let report = if has_report { ReportStatus::Prepared } else { ReportStatus::None };
        transaction.execute(
            "update agentless_tasks set status = $2, end_time = $3, report_status = $4, report_due = $5
             where uuid = $1",
            values![*id, status as i32, is_over.then_some(now), report as i32, has_report.then_some(now)],
        )?;
        if is_over {
            let event = AgentlessEvent::TaskFinished;
            let notice = Notice { event, task: *id, subtask: None, status, reason: "", now };
            deliveries::note(transaction, &notice)?;
        }
        Ok(())
    }
}

fn from_row(row: &Row<'_>) -> Result<Root, StoreError> {
    Ok(Root {
        id: row.get(0)?,
        over: Tally {
            subtasks: row.get(1)?,
            done: row.get(2)?,
            failed: row.get(3)?,
            timed_out: row.get(4)?,
            cancelled: row.get(5)?,
            progress_sum: row.get(6)?,
        },
        measure_bytes: row.get(7)?,
        status: status(row, 8)?,
        end_time: row.get(9)?,
    })
}
