//! `GET /guardhouse/v1/agentless-schedules`

use guardhouse_contract::{
    Status,
    scans::{AgentlessSchedule, ListAgentlessSchedulesRequest, ListAgentlessSchedulesResponse},
};
use guardhouse_identity::Failure;

use crate::{Context, agentless_schedules::render, page::Scan};

/// Lists schedules in the order of their ids, which is the order of their creation.
pub async fn run(
    context: &Context,
    request: ListAgentlessSchedulesRequest,
) -> Result<ListAgentlessSchedulesResponse, Status> {
    let page =
        context.pages.open(Scan::new("ListAgentlessSchedules"), request.page_size, &request.page_token)?;
    let found = context.store.agentless_schedules_list(page.after_id()?, page.fetch()).await;
    let mut found = found.map_err(Failure::from)?;
    let next_page_token = page.close(&mut found, |schedule| schedule.id.into_bytes().into());
    let schedules: Result<Vec<AgentlessSchedule>, Status> = found.into_iter().map(render).collect();
    Ok(ListAgentlessSchedulesResponse { schedules: schedules?, next_page_token })
}
