//! `DELETE /guardhouse/v1/agentless-schedules/{schedule_uuid}`

use guardhouse_contract::{
    Status,
    scans::{DeleteAgentlessScheduleRequest, DeleteAgentlessScheduleResponse},
};
use guardhouse_identity::Failure;
use uuid::Uuid;

use crate::{Context, agentless_schedules::unknown, fields};

/// Deletes a schedule.
pub async fn run(
    context: &Context,
    request: DeleteAgentlessScheduleRequest,
) -> Result<DeleteAgentlessScheduleResponse, Status> {
    let id: Uuid = fields::resource("scheduleUuid", &request.schedule_uuid)?;
    let deleted = context.store.agentless_schedule_delete(id).await.map_err(Failure::from)?;
    if deleted { Ok(DeleteAgentlessScheduleResponse {}) } else { Err(unknown(id)) }
}
