//! Reports of tasks and subtasks: their documents, in parts, and who makes them.

use std::time::Duration;

use guardhouse_model::{Timestamp, agentless::ReportStatus};
use uuid::Uuid;

use super::for_each_of;
use crate::{
    ReportFormat, ReportWanted, ReportWriter, Store, StoreError, SubtaskLease,
    engine::{Transaction, values},
};

impl Store {
    /// How long somebody may take to make a report until it is given to somebody else.
    pub const AGENTLESS_REPORT_LIMIT: Duration = Duration::from_secs(10 * 60);

    /// Keeps a part of a report. The first part, at 0, takes the place of all that was kept before. False: `writer` has
    /// nothing to write (any more), and nothing was kept.
    pub async fn agentless_report_write(
        &self,
        writer: ReportWriter,
        format: ReportFormat,
        position: u32,
        content: Vec<u8>,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                if !may_write(transaction, writer)? {
                    return Ok(false);
                }
                let owner = writer.owner();
                if position == 0 {
                    let sql = "delete from agentless_reports where owner_uuid = $1 and format = $2";
                    transaction.execute(sql, values![owner, format.word()])?;
                }
                transaction.execute(
                    "insert into agentless_reports (owner_uuid, format, position, content) values ($1, $2, $3, $4)
                     on conflict (owner_uuid, format, position) do update set content = excluded.content",
                    values![owner, format.word(), position, &content],
                )?;
                Ok(true)
            })
            .await
    }

    /// A part of a report of a task or a subtask, from position 0; `None`: there is none (any more).
    pub async fn agentless_report_part(
        &self,
        owner: Uuid,
        format: ReportFormat,
        position: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.engine
            .read(move |transaction| {
                transaction.find(
                    "select content from agentless_reports
                     where owner_uuid = $1 and format = $2 and position = $3",
                    values![owner, format.word(), position],
                    |row| row.get(0),
                )
            })
            .await
    }

    /// Gives up to `limit` reports that are to be made, those of subtasks before those of tasks, to who asks, for
    /// [`Store::AGENTLESS_REPORT_LIMIT`]: from now on each is RUNNING.
    pub async fn agentless_reports_wanted(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ReportWanted>, StoreError> {
        // Who asks often and in vain must not queue for the writer.
        let is_wanted = self
            .engine
            .read(move |transaction| {
                let of = |table: &str| transaction.exists(&due(table), values![now, 1_usize]);
                Ok(of(SUBTASKS)? || of(TASKS)?)
            })
            .await?;
        if !is_wanted {
            return Ok(Vec::new());
        }
        let until = now.checked_add(Self::AGENTLESS_REPORT_LIMIT).unwrap_or(Timestamp::MAX);
        self.engine
            .write(move |transaction| {
                let mut wanted: Vec<ReportWanted> =
                    claim(transaction, SUBTASKS, now, until, limit)?.map(ReportWanted::Subtask).collect();
                let rest = limit.saturating_sub(wanted.len());
                wanted.extend(claim(transaction, TASKS, now, until, rest)?.map(ReportWanted::Task));
                Ok(wanted)
            })
            .await
    }

    /// Notes how the making of a report ended. False: nobody waits for it any more.
    pub async fn agentless_report_settle(
        &self,
        report: ReportWanted,
        status: ReportStatus,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let (table, owner) = place(report);
                let sql = format!(
                    "update {table} set report_status = $2, report_due = null
                     where uuid = $1 and report_status = 2"
                );
                Ok(transaction.execute(&sql, values![owner, status as i32])? == 1)
            })
            .await
    }
}

const SUBTASKS: &str = "agentless_subtasks";
const TASKS: &str = "agentless_tasks";

/// The reports of a table that are to be made at `$1`, up to `$2`.
fn due(table: &str) -> String {
    format!("select uuid from {table} where report_due <= $1 order by report_due, uuid limit $2")
}

fn claim(
    transaction: &Transaction<'_>,
    table: &str,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<impl Iterator<Item = Uuid>, StoreError> {
    let sql = transaction.locking(&due(table), "for no key update skip locked");
    let ids: Vec<Uuid> = transaction.list(&sql, values![now, limit], |row| row.get(0))?;
    let sql = format!("update {table} set report_status = 2, report_due = $1 where uuid");
    for_each_of(transaction, &sql, values![until], &ids)?;
    Ok(ids.into_iter())
}

/// Whether somebody has what they write about, which stays so until the end of the transaction.
fn may_write(transaction: &Transaction<'_>, writer: ReportWriter) -> Result<bool, StoreError> {
    let lock = "for share";
    match writer {
        ReportWriter::Worker(SubtaskLease { subtask, fence }) => {
            let sql = "select 1 from agentless_subtasks where uuid = $1 and fence = $2 and state = 2";
            transaction.exists(&transaction.locking(sql, lock), values![subtask, fence])
        }
        ReportWriter::Maker(report) => {
            let (table, owner) = place(report);
            let sql = format!("select 1 from {table} where uuid = $1 and report_status = 2");
            transaction.exists(&transaction.locking(&sql, lock), values![owner])
        }
    }
}

/// The table and the row of whom a report is.
fn place(report: ReportWanted) -> (&'static str, Uuid) {
    match report {
        ReportWanted::Task(task) => (TASKS, task),
        ReportWanted::Subtask(subtask) => (SUBTASKS, subtask),
    }
}

/// Removes the documents of tasks and subtasks.
pub fn remove(transaction: &Transaction<'_>, owners: &[Uuid]) -> Result<(), StoreError> {
    for_each_of(transaction, "delete from agentless_reports where owner_uuid", &[], owners)
}

/// Removes the documents of subtasks that are locked, whose results are gone.
pub fn forget(transaction: &Transaction<'_>, subtasks: &[Uuid]) -> Result<(), StoreError> {
    remove(transaction, subtasks)?;
    let sql = "update agentless_subtasks set report_status = 0, report_due = null where uuid";
    for_each_of(transaction, sql, &[], subtasks)
}
