//! `POST /guardhouse/v1/agentless-tasks/{task_uuid}:cancel`

use guardhouse_contract::{
    Status,
    scans::{CancelAgentlessTaskRequest, CancelAgentlessTaskResponse},
};
use guardhouse_identity::Failure;
use uuid::Uuid;

use crate::{
    Context,
    agentless_tasks::{devices, unknown},
    fields,
};

/// Ends a task or a subtask.
pub async fn run(
    context: &Context,
    request: CancelAgentlessTaskRequest,
) -> Result<CancelAgentlessTaskResponse, Status> {
    let id: Uuid = fields::resource("taskUuid", &request.task_uuid)?;
    let now = context.environment.now();
    let cancelled = context.store.agentless_task_cancel(id, now).await.map_err(Failure::from)?;
    if cancelled.is_none() {
        return Err(unknown(id));
    }
    devices::wake_of(context, id).await?;
    Ok(CancelAgentlessTaskResponse {})
}
