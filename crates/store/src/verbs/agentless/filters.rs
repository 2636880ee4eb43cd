//! What lists of tasks and subtasks ask for.

use guardhouse_model::Timestamp;

use super::conditions::Conditions;
use crate::{AgentlessSubtaskFilter, AgentlessTaskFilter, engine::Transaction};

/// What is asked for of tasks.
pub fn of_tasks<'a>(transaction: &Transaction<'_>, filter: &'a AgentlessTaskFilter) -> Conditions<'a> {
    common(transaction, filter, "")
}

/// What is asked for of subtasks, which are called `subtask`.
pub fn of_subtasks<'a>(transaction: &Transaction<'_>, filter: &'a AgentlessSubtaskFilter) -> Conditions<'a> {
    let mut which = common(transaction, &filter.common, "subtask.");
    if let Some(task) = filter.task {
        which.compares("task_uuid =", task);
    }
    which.equals("internet_ip", &filter.internet_ip);
    which.equals("intranet_ip", &filter.intranet_ip);
    which.equals("instance_id", &filter.instance_id);
    which.contains("instance_name", &filter.machine_name);
    which.contains("target_name", &filter.target_name);
    which
}

/// What holds for tasks and subtasks alike; `of` is put before every column.
///
/// There is always a range of time, even where it is all of it: by that the databases find the order.
fn common<'a>(transaction: &Transaction<'_>, filter: &'a AgentlessTaskFilter, of: &str) -> Conditions<'a> {
    let mut which = Conditions::new(transaction);
    which.compares(&format!("{of}start_time >="), filter.from.unwrap_or(Timestamp::MIN));
    which.compares(&format!("{of}start_time <="), filter.until.unwrap_or(Timestamp::MAX));
    if let Some(target_type) = filter.target_type {
        which.compares(&format!("{of}target_type ="), target_type);
    }
    if !filter.statuses.is_empty() {
        which.one_of(&format!("{of}status"), filter.statuses.iter().map(|status| *status as i32));
    }
    if let Some(ids) = &filter.ids {
        which.one_of(&format!("{of}uuid"), ids.iter().copied());
    }
    which
}
