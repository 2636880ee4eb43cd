//! `DELETE /guardhouse/v1/agentless-tasks/{task_uuid}`

use guardhouse_contract::{
    Status,
    scans::{DeleteAgentlessTaskRequest, DeleteAgentlessTaskResponse},
};
use guardhouse_identity::Failure;
use uuid::Uuid;

use crate::{
    Context,
    agentless_tasks::{devices, unknown},
    fields,
};

/// Deletes a task with everything that was found for it alone.
pub async fn run(
    context: &Context,
    request: DeleteAgentlessTaskRequest,
) -> Result<DeleteAgentlessTaskResponse, Status> {
    let id: Uuid = fields::resource("taskUuid", &request.task_uuid)?;
    let task = context.store.agentless_task_get(id).await.map_err(Failure::from)?;
    if !context.store.agentless_task_delete(id).await.map_err(Failure::from)? {
        return Err(unknown(id));
    }
    if task.is_some_and(|task| devices::is_type(task.target_type)) {
        context.dispatcher.wake_all();
    }
    Ok(DeleteAgentlessTaskResponse {})
}
