//! `DELETE /guardhouse/v1/agentless-tasks/{task_uuid}`

use guardhouse_contract::{
    Status,
    scans::{DeleteAgentlessTaskRequest, DeleteAgentlessTaskResponse},
};
use guardhouse_identity::Failure;
use uuid::Uuid;

use crate::{Context, agentless_tasks::unknown, fields};

/// Deletes a task with everything that was found for it alone.
pub async fn run(
    context: &Context,
    request: DeleteAgentlessTaskRequest,
) -> Result<DeleteAgentlessTaskResponse, Status> {
    let id: Uuid = fields::resource("taskUuid", &request.task_uuid)?;
    let deleted = context.store.agentless_task_delete(id).await.map_err(Failure::from)?;
    if deleted { Ok(DeleteAgentlessTaskResponse {}) } else { Err(unknown(id)) }
}
