//! Pages of subtasks that are found by what root tasks count, not by looking at the subtasks before them.

use guardhouse_model::{Timestamp, agentless::TaskStatus};
use uuid::Uuid;

use super::subtasks::{COLUMNS, from_row};
use crate::{
    AgentlessSubtask, AgentlessSubtaskFilter, AgentlessTaskFilter, PageNumber, Paged, StoreError,
    engine::{Transaction, Value, values},
};

/// A filter for nothing but what root tasks know: when they started, what is scanned, and how many of their subtasks have
/// which status.
pub struct Counted {
    task: Option<Uuid>,
    /// In ascending order, without repetitions; empty: all.
    statuses: Vec<TaskStatus>,
    target_type: Option<i32>,
    from: Timestamp,
    until: Timestamp,
}

/// Some of the subtasks of one root task, by what of its matching ones comes before and what still belongs to the page.
struct Part {
    task: Uuid,
    /// How many subtasks the task has.
    subtasks: u64,
    /// How many of them match.
    matching: u64,
    /// How many matching ones of the tasks before it come before.
    before: u64,
}

/// The same part by positions: from the first to before the last.
struct Slice {
    task: Uuid,
    first: u64,
    last: u64,
}

impl Counted {
    /// The filter, when it is such a one.
    pub fn of(filter: &AgentlessSubtaskFilter) -> Option<Self> {
        let AgentlessSubtaskFilter {
            task,
            common,
            machine_name,
            internet_ip,
            intranet_ip,
            instance_id,
            target_name,
        } = filter;
        let AgentlessTaskFilter { ids, statuses, target_type, from, until } = common;
        let texts = [machine_name, internet_ip, intranet_ip, instance_id, target_name];
        if ids.is_some() || texts.into_iter().any(|text| !text.is_empty()) {
            return None;
        }
        let all = TaskStatus::ALL.into_iter();
        Some(Self {
            task: *task,
            statuses: all.filter(|status| statuses.contains(status)).collect(),
            target_type: *target_type,
            from: from.unwrap_or(Timestamp::MIN),
            until: until.unwrap_or(Timestamp::MAX),
        })
    }

    /// The page.
    pub fn list(
        &self,
        transaction: &Transaction<'_>,
        page: PageNumber,
    ) -> Result<Paged<AgentlessSubtask>, StoreError> {
        let (tasks, values) = self.tasks();
        let matching = self.matching();
        let sql =
            format!("select cast(coalesce(sum({matching}), 0) as bigint) from agentless_tasks where {tasks}");
        let total = transaction.find(&sql, &values, |row| row.get::<u64>(0))?.unwrap_or_default();
        let end = page.skip.saturating_add(page.size as u64).min(total);
        if page.skip >= end {
            return Ok(Paged { rows: Vec::new(), total });
        }
        let slices = self
            .parts(transaction, page.skip, end)?
            .iter()
            .map(|part| self.slice(transaction, part, page.skip, end))
            .collect::<Result<Vec<Slice>, _>>()?;
        Ok(Paged { rows: self.rows(transaction, &slices)?, total })
    }

    /// Which root tasks have such subtasks: a condition and its values.
    fn tasks(&self) -> (String, Vec<Value<'static>>) {
        let mut sql = "start_time >= $1 and start_time <= $2".to_owned();
        let mut values = values![self.from, self.until].to_vec();
        if let Some(target_type) = self.target_type {
            values.push(target_type.into());
            sql.push_str(&format!(" and target_type = ${}", values.len()));
        }
        if let Some(task) = self.task {
            values.push(task.into());
            sql.push_str(&format!(" and uuid = ${}", values.len()));
        }
        (sql, values)
    }

    /// How many subtasks of a root task match.
    fn matching(&self) -> String {
        if self.statuses.is_empty() {
            return "subtasks".to_owned();
        }
        let count = |status: &TaskStatus| match status {
            TaskStatus::Running => "subtasks - done - failed - timed_out - cancelled",
            TaskStatus::Done => "done",
            TaskStatus::Failed => "failed",
            TaskStatus::TimedOut => "timed_out",
            TaskStatus::Cancelled => "cancelled",
        };
        self.statuses.iter().map(count).collect::<Vec<_>>().join(" + ")
    }

    /// A condition on the status of subtasks.
    fn status(&self) -> String {
        // One alone as such: SQLite takes the index of the status then.
        match self.statuses.as_slice() {
            [] => String::new(),
            [status] => format!(" and subtask.status = {}", *status as i32),
            statuses => {
                let numbers: Vec<String> =
                    statuses.iter().map(|status| (*status as i32).to_string()).collect();
                format!(" and subtask.status in ({})", numbers.join(", "))
            }
        }
    }

    /// The root tasks whose subtasks the page from `skip` to before `end` shows.
    fn parts(&self, transaction: &Transaction<'_>, skip: u64, end: u64) -> Result<Vec<Part>, StoreError> {
        let (tasks, mut values) = self.tasks();
        values.extend([Value::from(skip), Value::from(end)]);
        let (skip, end) = (values.len() - 1, values.len());
        let matching = self.matching();
        let sql = format!(
            "with placed as (
                 select uuid, subtasks, {matching} as matching,
                     cast(sum({matching}) over (order by start_time desc, uuid desc) as bigint) as behind
                 from agentless_tasks where {tasks}
             )
             select uuid, subtasks, matching, behind - matching from placed
             where matching > 0 and behind > ${skip} and behind - matching < ${end} order by behind"
        );
        transaction.list(&sql, &values, |row| {
            Ok(Part { task: row.get(0)?, subtasks: row.get(1)?, matching: row.get(2)?, before: row.get(3)? })
        })
    }

    /// Where in its task a part begins and ends. Where all subtasks match, their positions say so.
    fn slice(
        &self,
        transaction: &Transaction<'_>,
        part: &Part,
        skip: u64,
        end: u64,
    ) -> Result<Slice, StoreError> {
        let Part { task, subtasks, matching, before } = *part;
        let first = skip.saturating_sub(before);
        let last = end.saturating_sub(before).min(matching);
        if matching == subtasks {
            return Ok(Slice { task, first, last });
        }
        let position = |nth: u64| {
            let status = self.status();
            let sql = format!(
                "select position from agentless_subtasks subtask where task_uuid = $1{status}
                 order by position limit 1 offset $2"
            );
            let found = transaction.find(&sql, values![task, nth], |row| row.get::<u64>(0))?;
            Ok::<u64, StoreError>(found.unwrap_or(subtasks))
        };
        Ok(Slice {
            task,
            first: if first == 0 { 0 } else { position(first)? },
            last: if last == matching { subtasks } else { position(last)? },
        })
    }

    fn rows(
        &self,
        transaction: &Transaction<'_>,
        slices: &[Slice],
    ) -> Result<Vec<AgentlessSubtask>, StoreError> {
        let status = self.status();
        if let Transaction::Postgres(_) = transaction {
            let numbers = |of: fn(&Slice) -> u64| -> Vec<i64> {
                slices.iter().map(|slice| i64::try_from(of(slice)).unwrap_or(i64::MAX)).collect()
            };
            // As many as there are on the page at most, each found by its task and position.
            let sql = format!(
                "select {COLUMNS} from unnest($1, $2, $3) with ordinality as slice (task, first, last, place)
                 cross join lateral (select * from agentless_subtasks subtask
                     where task_uuid = slice.task and position >= first and position < last{status}
                     order by position offset 0) subtask
                 join agentless_tasks task on task.uuid = task_uuid
                 order by place, position"
            );
            let tasks: Vec<Uuid> = slices.iter().map(|slice| slice.task).collect();
            return transaction.list(
                &sql,
                &[
                    Value::Ids(&tasks),
                    Value::Integers(&numbers(|slice| slice.first)),
                    Value::Integers(&numbers(|slice| slice.last)),
                ],
                from_row,
            );
        }
        // Left to itself SQLite looks at all subtasks between the first and the last of few that match.
        let by = if status.is_empty() { "" } else { "indexed by agentless_subtasks_by_status" };
        let sql = format!(
            "select {COLUMNS} from agentless_subtasks subtask {by} join agentless_tasks task on task.uuid = task_uuid
             where task_uuid = $1 and position >= $2 and position < $3{status} order by position"
        );
        let mut rows = Vec::new();
        for Slice { task, first, last } in slices {
            rows.extend(transaction.list(&sql, values![*task, *first, *last], from_row)?);
        }
        Ok(rows)
    }
}
