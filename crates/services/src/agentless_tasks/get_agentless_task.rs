//! `GET /guardhouse/v1/agentless-tasks/{task_uuid}`

use guardhouse_contract::{
    Status,
    scans::{GetAgentlessTaskRequest, GetAgentlessTaskResponse},
};
use guardhouse_identity::Failure;

use crate::{
    Context,
    agentless_tasks::{render, unknown},
    fields,
};

/// Answers one task.
pub async fn run(
    context: &Context,
    request: GetAgentlessTaskRequest,
) -> Result<GetAgentlessTaskResponse, Status> {
    let id = fields::resource("taskUuid", &request.task_uuid)?;
    let task = context.store.agentless_task_get(id).await.map_err(Failure::from)?;
    Ok(GetAgentlessTaskResponse { task: Some(render::task(task.ok_or_else(|| unknown(id))?)?) })
}
