//! `DELETE /v1/device_tasks/{taskUuid}`

use guardhouse_contract::{
    Status,
    automation::{DeleteTaskRequest, DeleteTaskResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::TaskId;

use crate::{Context, fields};

/// Deletes a task. Runs that have begun go on; all runs stay readable under the uuid of the task.
pub async fn run(context: &Context, request: DeleteTaskRequest) -> Result<DeleteTaskResponse, Status> {
    let id: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    if !context.store.task_delete(id, context.environment.now()).await.map_err(Failure::from)? {
        return Err(Status::not_found(format!("device task {id}")));
    }
    // Devices that hold a run which has not begun are asked to drop it.
    context.dispatcher.wake_all();
    Ok(DeleteTaskResponse {})
}
