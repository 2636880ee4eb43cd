//! `GET /v1/device_tasks/{taskUuid}`

use guardhouse_contract::{
    Status,
    automation::{GetTaskRequest, GetTaskResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::TaskId;

use crate::{Context, automation::render, fields};

/// Answers one task.
pub async fn run(context: &Context, request: GetTaskRequest) -> Result<GetTaskResponse, Status> {
    let id: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    let task = context.store.task_get(id).await.map_err(Failure::from)?;
    let task = task.ok_or_else(|| Status::not_found(format!("device task {id}")))?;
    Ok(GetTaskResponse { task: Some(render::task(task)?) })
}
