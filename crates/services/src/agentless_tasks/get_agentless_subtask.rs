//! `GET /guardhouse/v1/agentless-subtasks/{subtask_uuid}`

use guardhouse_contract::{
    Status,
    scans::{GetAgentlessSubtaskRequest, GetAgentlessSubtaskResponse},
};
use guardhouse_identity::Failure;
use uuid::Uuid;

use crate::{Context, agentless_tasks::render, fields};

/// Answers one subtask.
pub async fn run(
    context: &Context,
    request: GetAgentlessSubtaskRequest,
) -> Result<GetAgentlessSubtaskResponse, Status> {
    let id: Uuid = fields::resource("subtaskUuid", &request.subtask_uuid)?;
    let subtask = context.store.agentless_subtask_get(id).await.map_err(Failure::from)?;
    let subtask = subtask.ok_or_else(|| Status::not_found(format!("agentless subtask {id}")))?;
    let subtask = render::subtasks(&context.store, vec![subtask]).await?.pop();
    Ok(GetAgentlessSubtaskResponse { subtask })
}
