//! `POST /v1/device_tasks/{taskUuid}:updateTaskTriggers`

use guardhouse_contract::{
    Status,
    automation::{UpdateTaskTriggersRequest, UpdateTaskTriggersResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::TaskId;

use crate::{Context, automation::parts, fields, fields::Checks};

/// Replaces the triggers: the way to run a task again. Each new trigger gives every target one more run.
pub async fn run(
    context: &Context,
    request: UpdateTaskTriggersRequest,
) -> Result<UpdateTaskTriggersResponse, Status> {
    let id: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    let mut checks = Checks::default();
    let triggers = parts::triggers(&mut checks, "triggers", &request.triggers, &context.environment);
    checks.finish()?;
    let now = context.environment.now();
    let change = context.store.task_set_triggers(id, triggers, now).await.map_err(Failure::from)?;
    parts::changed(change, id, "triggers")?;
    context.dispatcher.wake_all();
    Ok(UpdateTaskTriggersResponse {})
}
