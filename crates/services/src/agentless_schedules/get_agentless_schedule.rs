//! `GET /guardhouse/v1/agentless-schedules/{schedule_uuid}`

use guardhouse_contract::{
    Status,
    scans::{GetAgentlessScheduleRequest, GetAgentlessScheduleResponse},
};
use guardhouse_identity::Failure;
use uuid::Uuid;

use crate::{
    Context,
    agentless_schedules::{render, unknown},
    fields,
};

/// Answers one schedule.
pub async fn run(
    context: &Context,
    request: GetAgentlessScheduleRequest,
) -> Result<GetAgentlessScheduleResponse, Status> {
    let id: Uuid = fields::resource("scheduleUuid", &request.schedule_uuid)?;
    let schedule = context.store.agentless_schedule_get(id).await.map_err(Failure::from)?;
    Ok(GetAgentlessScheduleResponse { schedule: Some(render(schedule.ok_or_else(|| unknown(id))?)?) })
}
