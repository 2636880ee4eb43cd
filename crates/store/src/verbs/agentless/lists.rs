//! Lists of root tasks and subtasks that continue behind a row: a page far behind costs as much as the first.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use super::{conditions::Conditions, filters, subtasks, tasks};
use crate::{
    AgentlessSubtask, AgentlessSubtasksPage, AgentlessTask, AgentlessTasksPage, Store, StoreError,
    engine::values,
};

impl Store {
    /// A page of the root tasks, the newest first.
    pub async fn agentless_tasks_page(
        &self,
        page: AgentlessTasksPage,
    ) -> Result<Vec<AgentlessTask>, StoreError> {
        self.engine
            .read(move |transaction| {
                let mut which = filters::of_tasks(transaction, &page.filter);
                let (time, id) = page.before.unwrap_or((Timestamp::MAX, Uuid::max()));
                let (time, id) = (which.value(time), which.value(id));
                which.holds(&format!("(start_time, uuid) < ({time}, {id})"));
                if let Some(schedule) = page.schedule {
                    which.compares("schedule_uuid =", schedule);
                }
                let limit = which.value(page.limit);
                let sql = format!(
                    "select {} from agentless_tasks where {} order by start_time desc, uuid desc limit {limit}",
                    tasks::COLUMNS,
                    which.sql()
                );
                transaction.list(&sql, &which.values(&[]), tasks::from_row)
            })
            .await
    }

    /// A page of the subtasks of a root task in their order, each with its position. `None`: there is no such task.
    pub async fn agentless_subtasks_page(
        &self,
        page: AgentlessSubtasksPage,
    ) -> Result<Option<Vec<(u32, AgentlessSubtask)>>, StoreError> {
        self.engine
            .read(move |transaction| {
                let known = "select 1 from agentless_tasks where uuid = $1";
                if !transaction.exists(known, values![page.task])? {
                    return Ok(None);
                }
                let mut which = Conditions::new(transaction);
                which.compares("task_uuid =", page.task);
                which.compares("position >", page.after.map_or(-1, i64::from));
                if !page.statuses.is_empty() {
                    which.one_of("subtask.status", page.statuses.iter().map(|status| *status as i32));
                }
                let limit = which.value(page.limit);
                let sql = format!(
                    "select {}, position {} where {} order by position limit {limit}",
                    subtasks::COLUMNS,
                    subtasks::FROM,
                    which.sql()
                );
                let position = subtasks::WIDTH;
                transaction
                    .list(&sql, &which.values(&[]), |row| Ok((row.get(position)?, subtasks::from_row(row)?)))
                    .map(Some)
            })
            .await
    }
}
