//! `POST /v1/device_tasks/{taskUuid}:updateTaskTriggers`

use guardhouse_contract::{
    Call, Status,
    automation::{UpdateTaskTriggersRequest, UpdateTaskTriggersResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::TaskId;

use crate::{Context, automation::parts, fields, fields::Checks, rights};

/// Replaces the triggers: the way to run a task again. Each new trigger gives every target one more run.
///
/// # Errors
/// 404: there is no such task. 403: the account may not use its action.
pub async fn run(
    context: &Context,
    call: &Call,
    request: UpdateTaskTriggersRequest,
) -> Result<UpdateTaskTriggersResponse, Status> {
    let id: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    rights::may_use_task(context, call, id).await?;
    let mut checks = Checks::default();
    let triggers = parts::triggers(&mut checks, "triggers", &request.triggers, &context.environment);
    checks.finish()?;
    let now = context.environment.now();
    let change = context.store.task_set_triggers(id, triggers, now).await.map_err(Failure::from)?;
    parts::changed(change, id, "triggers")?;
    context.dispatcher.wake_all();
    Ok(UpdateTaskTriggersResponse {})
}
