//! Subtasks, as lists show them.

use uuid::Uuid;

use super::{filters, pages, percentage, report_status, status};
use crate::{
    AgentlessSubtask, AgentlessSubtaskFilter, PageNumber, Paged, Store, StoreError,
    engine::{Row, Transaction, values},
};

/// What lists show, of `subtask` and its `task`.
pub const COLUMNS: &str =
    "subtask.uuid, task_uuid, task.name, instance_id, location_uuid, subtask.target_type, target_name,
     instance_name, internet_ip, intranet_ip, size_bytes, subtask.status, cancel, worker, progress,
     progress_by_project, subtask.start_time, begin_time, subtask.end_time, attempts, reason,
     subtask.measure_bytes, subtask.report_status";

/// How many columns these are.
pub const WIDTH: usize = 23;

/// Both.
pub const FROM: &str = "from agentless_subtasks subtask join agentless_tasks task on task.uuid = task_uuid";

impl Store {
    /// One subtask.
    pub async fn agentless_subtask_get(&self, subtask: Uuid) -> Result<Option<AgentlessSubtask>, StoreError> {
        self.engine
            .read(move |transaction| {
                let sql = format!("select {COLUMNS} {FROM} where subtask.uuid = $1");
                transaction.find(&sql, values![subtask], from_row)
            })
            .await
    }

    /// A page of the subtasks, those of the newest root task first, and in it by their positions, and how many there
    /// are.
    ///
    /// Where the filter asks for nothing that only subtasks have, a page far behind costs as much as the first: the root
    /// tasks know how many of their subtasks come before it.
    pub async fn agentless_subtasks_list(
        &self,
        filter: AgentlessSubtaskFilter,
        page: PageNumber,
    ) -> Result<Paged<AgentlessSubtask>, StoreError> {
        self.engine
            .read(move |transaction| match pages::Counted::of(&filter) {
                Some(counted) => counted.list(transaction, page),
                None => search(transaction, &filter, page),
            })
            .await
    }
}

/// A page of those that match, found by looking at them.
fn search(
    transaction: &Transaction<'_>,
    filter: &AgentlessSubtaskFilter,
    page: PageNumber,
) -> Result<Paged<AgentlessSubtask>, StoreError> {
    let mut which = filters::of_subtasks(transaction, filter);
    let count = format!("select count(*) from agentless_subtasks subtask where {}", which.sql());
    let total = transaction.find(&count, &which.values(&[]), |row| row.get::<u64>(0))?;
    let (size, skip) = (which.value(page.size), which.value(page.skip));
    let sql = format!(
        "select {COLUMNS} {FROM} where {}
         order by subtask.start_time desc, task_uuid desc, position limit {size} offset {skip}",
        which.sql()
    );
    let rows = transaction.list(&sql, &which.values(&[]), from_row)?;
    Ok(Paged { rows, total: total.unwrap_or_default() })
}

/// A row of [`COLUMNS`].
pub fn from_row(row: &Row<'_>) -> Result<AgentlessSubtask, StoreError> {
    Ok(AgentlessSubtask {
        id: row.get(0)?,
        task: row.get(1)?,
        task_name: row.get(2)?,
        instance_id: row.get(3)?,
        location: row.get(4)?,
        target_type: row.get(5)?,
        target_name: row.get(6)?,
        instance_name: row.get(7)?,
        internet_ip: row.get(8)?,
        intranet_ip: row.get(9)?,
        size_bytes: row.get(10)?,
        status: status(row, 11)?,
        is_cancelled: row.get(12)?,
        worker: row.get(13)?,
        progress: percentage(row, 14)?,
        progress_by_project: row.get(15)?,
        start_time: row.get(16)?,
        begin_time: row.get(17)?,
        end_time: row.get(18)?,
        attempts: row.get(19)?,
        reason: row.get(20)?,
        measure_bytes: row.get(21)?,
        report_status: report_status(row, 22)?,
    })
}
