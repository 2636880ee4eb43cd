//! Root tasks, as lists show them.

use guardhouse_model::agentless::Tally;
use uuid::Uuid;

use super::{filters, report_status, status};
use crate::{
    AgentlessTask, AgentlessTaskFilter, PageNumber, Paged, Store, StoreError,
    engine::{Row, values},
};

/// What lists show. How far the subtasks are that workers have, is added up here.
pub const COLUMNS: &str =
    "uuid, name, target_type, account_uuid, schedule_uuid, options, status, start_time, end_time,
     subtasks, done, failed, timed_out, cancelled,
     cast(progress_sum + coalesce((select sum(progress) from agentless_subtasks
         where task_uuid = agentless_tasks.uuid and state = 2), 0) as bigint),
     measure_bytes, report_status";

impl Store {
    /// One root task.
    pub async fn agentless_task_get(&self, task: Uuid) -> Result<Option<AgentlessTask>, StoreError> {
        self.engine
            .read(move |transaction| {
                let sql = format!("select {COLUMNS} from agentless_tasks where uuid = $1");
                transaction.find(&sql, values![task], from_row)
            })
            .await
    }

    /// A page of the root tasks, newest first, and how many there are.
    pub async fn agentless_tasks_list(
        &self,
        filter: AgentlessTaskFilter,
        page: PageNumber,
    ) -> Result<Paged<AgentlessTask>, StoreError> {
        self.engine
            .read(move |transaction| {
                let mut which = filters::of_tasks(transaction, &filter);
                let count = format!("select count(*) from agentless_tasks where {}", which.sql());
                let total = transaction.find(&count, &which.values(&[]), |row| row.get::<u64>(0))?;
                let (size, skip) = (which.value(page.size), which.value(page.skip));
                let sql = format!(
                    "select {COLUMNS} from agentless_tasks where {}
                     order by start_time desc, uuid desc limit {size} offset {skip}",
                    which.sql()
                );
                let rows = transaction.list(&sql, &which.values(&[]), from_row)?;
                Ok(Paged { rows, total: total.unwrap_or_default() })
            })
            .await
    }
}

/// A row of [`COLUMNS`].
pub fn from_row(row: &Row<'_>) -> Result<AgentlessTask, StoreError> {
    Ok(AgentlessTask {
        id: row.get(0)?,
        name: row.get(1)?,
        target_type: row.get(2)?,
        account: row.get(3)?,
        schedule: row.get(4)?,
        options: row.get(5)?,
        status: status(row, 6)?,
        start_time: row.get(7)?,
        end_time: row.get(8)?,
        tally: Tally {
            subtasks: row.get(9)?,
            done: row.get(10)?,
            failed: row.get(11)?,
            timed_out: row.get(12)?,
            cancelled: row.get(13)?,
            progress_sum: row.get(14)?,
        },
        measure_bytes: row.get(15)?,
        report_status: report_status(row, 16)?,
    })
}
