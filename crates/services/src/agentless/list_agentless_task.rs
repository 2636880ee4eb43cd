//! `ListAgentlessTask`

use guardhouse_contract::{
    Call, Status,
    agentless::{ListAgentlessTaskRequest, ListAgentlessTaskResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::{Timestamp, agentless::TaskStatus};
use guardhouse_store::{AgentlessSubtaskFilter, AgentlessTaskFilter};
use uuid::Uuid;

use super::{ids, projects, task_rows};
use crate::{Context, agentless_tasks::devices, fields::Checks, numbered_pages::Page, reports};

/// How many rows may be asked for by their ids.
const MOST_IDS: usize = 100;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// Nothing can be in the list.
    Nothing,
    /// Root tasks.
    Tasks(AgentlessTaskFilter),
    /// Subtasks.
    Subtasks(AgentlessSubtaskFilter),
}

/// Lists tasks or subtasks.
pub async fn run(
    context: &Context,
    call: &Call,
    request: ListAgentlessTaskRequest,
) -> Result<ListAgentlessTaskResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    let wanted = read(&mut checks, request);
    checks.finish()?;
    let now = context.environment.now();
    let links = |id: Uuid| reports::links(context, call, id, now);
    let (list, total) = match wanted {
        Wanted::Nothing => (Vec::new(), 0),
        Wanted::Tasks(filter) => {
            let found = context.store.agentless_tasks_list(filter, page.number()).await;
            let found = found.map_err(Failure::from)?;
            let row = |task| Ok(task_rows::task(task, &projects::of(&task.options)?, links(task.id)));
            (found.rows.iter().map(row).collect::<Result<Vec<_>, Status>>()?, found.total)
        }
        Wanted::Subtasks(filter) => {
            let found = context.store.agentless_subtasks_list(filter, page.number()).await;
            let found = found.map_err(Failure::from)?;
            let all = projects::all();
            let row = |subtask| task_rows::subtask(subtask, &all, links(subtask.id));
            (found.rows.iter().map(row).collect(), found.total)
        }
    };
    let page_info = Some(page.info(total));
    Ok(ListAgentlessTaskResponse { request_id: String::new(), page_info, list })
}

/// What is asked for. Without `RootTask`, these are subtasks.
fn read(checks: &mut Checks, request: ListAgentlessTaskRequest) -> Wanted {
    let is_root = request.root_task.unwrap_or(false);
    let target_type = request.target_type.inspect(|number| {
        if !(1..=7).contains(number) {
            checks.fail("TargetType", "is no type of targets; 1 to 7 are");
        }
    });
    if !["", "zh", "en"].contains(&request.lang.as_str()) {
        checks.fail("Lang", "is not known; zh and en are");
    }
    let from = moment(checks, "StartTime", request.start_time);
    let until = moment(checks, "EndTime", request.end_time)
        // Times are shown in whole milliseconds: what is shown as this one is meant, too.
        .map(|until| until.saturating_add(std::time::Duration::from_micros(999)).unwrap_or(until));
    let statuses = statuses(checks, request.status);
    let root = root(&request);
    let ids = listed_ids(checks, &request);

    let mut common = AgentlessTaskFilter { ids, statuses, target_type, from, until };
    let is_empty = matches!((from, until), (Some(from), Some(until)) if until < from);
    let Ok(task) = root else { return Wanted::Nothing };
    if is_empty {
        return Wanted::Nothing;
    }
    let ListAgentlessTaskRequest { machine_name, internet_ip, intranet_ip, uuid, target_name, .. } = request;
    if !is_root {
        let instance_id = devices::canonical(uuid);
        return Wanted::Subtasks(AgentlessSubtaskFilter {
            task,
            common,
            machine_name,
            internet_ip,
            intranet_ip,
            instance_id,
            target_name,
        });
    }
    // A task has none of these, so that none has the one that is asked for.
    if [machine_name, internet_ip, intranet_ip, uuid, target_name].iter().any(|text| !text.is_empty()) {
        return Wanted::Nothing;
    }
    if let Some(task) = task {
        match &common.ids {
            Some(ids) if !ids.contains(&task) => return Wanted::Nothing,
            _ => common.ids = Some(vec![task]),
        }
    }
    Wanted::Tasks(common)
}

/// The task that both `RootTaskId` and `TaskId` name. `Err`: they name two, and nothing is in both; or something that no task
/// is called, as clients may that take an id for any text.
fn root(request: &ListAgentlessTaskRequest) -> Result<Option<Uuid>, ()> {
    let id = |text: &str| {
        if text.is_empty() { Ok(None) } else { ids::read(text).map(Some).ok_or(()) }
    };
    match (id(&request.root_task_id)?, id(&request.task_id)?) {
        (Some(one), Some(other)) if one != other => Err(()),
        (one, other) => Ok(one.or(other)),
    }
}

fn listed_ids(checks: &mut Checks, request: &ListAgentlessTaskRequest) -> Option<Vec<Uuid>> {
    let listed = &request.task_id_list;
    if listed.is_empty() {
        return None;
    }
    if listed.len() > MOST_IDS {
        checks.fail("TaskIdList", format!("has {} ids; at most {MOST_IDS} can be asked for", listed.len()));
    }
    if request.root_task.is_none() {
        checks.fail(
            "RootTask",
            "is missing; with TaskIdList it says whether these are tasks (true) or subtasks",
        );
    }
    if !request.task_id.is_empty() {
        checks.fail("TaskId", "cannot be combined with TaskIdList; use RootTaskId");
    }
    Some(listed.iter().take(MOST_IDS).filter_map(|text| ids::read(text)).collect())
}

/// What somebody ended is shown as failed, and is found as that.
fn statuses(checks: &mut Checks, number: Option<i32>) -> Vec<TaskStatus> {
    match number {
        None => Vec::new(),
        Some(3) => vec![TaskStatus::Failed, TaskStatus::Cancelled],
        Some(number @ 1..=4) => TaskStatus::numbered(number).into_iter().collect(),
        Some(_) => {
            checks
                .fail("Status", "is no status; 1 (in progress), 2 (done), 3 (failed) and 4 (timed out) are");
            Vec::new()
        }
    }
}

fn moment(checks: &mut Checks, field: &str, millis: Option<i64>) -> Option<Timestamp> {
    let read = Timestamp::from_millisecond(millis?);
    if read.is_err() {
        checks.fail(field, "is beyond the year 9999; Unix milliseconds are needed");
    }
    read.ok()
}

#[cfg(test)]
#[path = "list_agentless_task/tests.rs"]
mod tests;
