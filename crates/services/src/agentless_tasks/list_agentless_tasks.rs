//! `GET /guardhouse/v1/agentless-tasks`

use guardhouse_contract::{
    Status,
    scans::{AgentlessTask, ListAgentlessTasksRequest, ListAgentlessTasksResponse, TargetType},
    time::from_proto_micros,
};
use guardhouse_identity::Failure;
use guardhouse_model::agentless::TaskStatus;
use guardhouse_store::{AgentlessTaskFilter, AgentlessTasksPage};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    Context,
    agentless_tasks::render,
    fields::Checks,
    page::{Scan, newest_key},
};

/// Lists tasks, the newest first.
pub async fn run(
    context: &Context,
    request: ListAgentlessTasksRequest,
) -> Result<ListAgentlessTasksResponse, Status> {
    let (filter, schedule) = filter(&request)?;
    let asked = ListAgentlessTasksRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let scan = Scan::new("ListAgentlessTasks").with(asked.encode_to_vec());
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let wanted = AgentlessTasksPage { filter, schedule, before: page.before()?, limit: page.fetch() };
    let mut tasks = context.store.agentless_tasks_page(wanted).await.map_err(Failure::from)?;
    let next_page_token = page.close(&mut tasks, |task| newest_key(task.start_time, task.id));
    let tasks: Result<Vec<AgentlessTask>, Status> = tasks.into_iter().map(render::task).collect();
    Ok(ListAgentlessTasksResponse { tasks: tasks?, next_page_token })
}

fn filter(request: &ListAgentlessTasksRequest) -> Result<(AgentlessTaskFilter, Option<Uuid>), Status> {
    let mut checks = Checks::default();
    let statuses = statuses(&mut checks, &request.statuses);
    if TargetType::try_from(request.target_type).is_err() {
        checks.fail("targetType", "is no type of assets");
    }
    let schedule = (!request.schedule_uuid.is_empty())
        .then(|| checks.id::<Uuid>("scheduleUuid", &request.schedule_uuid))
        .flatten();
    let mut moment = |field: &str, moment: &Option<prost_types::Timestamp>| {
        let read = moment.as_ref().map(from_proto_micros);
        if read == Some(None) {
            checks.fail(field, "is outside of the years 1 to 9999");
        }
        read.flatten()
    };
    let from = moment("fromTime", &request.from_time);
    let until = moment("untilTime", &request.until_time);
    checks.finish()?;
    let target_type = Some(request.target_type).filter(|number| *number != 0);
    Ok((AgentlessTaskFilter { ids: None, statuses, target_type, from, until }, schedule))
}

/// Reads which statuses a list is of.
pub fn statuses(checks: &mut Checks, numbers: &[i32]) -> Vec<TaskStatus> {
    let read = |(index, number): (usize, &i32)| {
        let status = TaskStatus::numbered(*number);
        if status.is_none() {
            checks.fail(format!("statuses[{index}]"), "is no status of a task");
        }
        status
    };
    numbers.iter().enumerate().filter_map(read).collect()
}
