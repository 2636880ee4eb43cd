//! Lists of root tasks and subtasks that continue behind a row: a page far behind costs as much as the first.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use super::{filters::Conditions, subtasks, tasks};
use crate::{
    AgentlessSubtask, AgentlessSubtasksPage, AgentlessTask, AgentlessTasksPage, Store, StoreError,
    engine::{Value, values},
};

impl Store {
    /// A page of the root tasks, the newest first.
    pub async fn agentless_tasks_page(
        &self,
        page: AgentlessTasksPage,
    ) -> Result<Vec<AgentlessTask>, StoreError> {
        self.engine
            .read(move |transaction| {
                let mut conditions = Conditions::of_tasks(&page.filter);
                let (time, id) = page.before.unwrap_or((Timestamp::MAX, Uuid::max()));
                let (time, id) = (conditions.value(time), conditions.value(id));
                let mut sql = format!(
                    "select {} from agentless_tasks where {} and (start_time, uuid) < ({time}, {id})",
                    tasks::COLUMNS,
                    conditions.sql
                );
                if let Some(schedule) = page.schedule {
                    sql += &format!(" and schedule_uuid = {}", conditions.value(schedule));
                }
                sql +=
                    &format!(" order by start_time desc, uuid desc limit {}", conditions.value(page.limit));
                transaction.list(&sql, &conditions.values, tasks::from_row)
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
                let after = page.after.map_or(-1, i64::from);
                let mut values: Vec<Value<'_>> = vec![page.task.into(), after.into(), page.limit.into()];
                let mut places = Vec::new();
                for status in &page.statuses {
                    values.push((*status as i32).into());
                    places.push(format!("${}", values.len()));
                }
                let statuses = match places.as_slice() {
                    [] => String::new(),
                    places => format!("and subtask.status in ({})", places.join(", ")),
                };
                let sql = format!(
                    "select {}, position {} where task_uuid = $1 and position > $2 {statuses}
                     order by position limit $3",
                    subtasks::COLUMNS,
                    subtasks::FROM
                );
                let position = subtasks::WIDTH;
                transaction
                    .list(&sql, &values, |row| Ok((row.get(position)?, subtasks::from_row(row)?)))
                    .map(Some)
            })
            .await
    }
}
