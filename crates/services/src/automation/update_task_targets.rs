//! `POST /v1/device_tasks/{taskUuid}:updateTaskTargets`

use guardhouse_contract::{
    Call, Status,
    automation::{UpdateTaskTargetsRequest, UpdateTaskTargetsResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::TaskId;

use crate::{Context, automation::parts, fields, fields::Checks, rights};

/// Replaces the targets. New targets get runs; devices that are no longer targets lose what has not begun.
///
/// # Errors
/// 404: there is no such task. 403: the account may not use its action.
pub async fn run(
    context: &Context,
    call: &Call,
    request: UpdateTaskTargetsRequest,
) -> Result<UpdateTaskTargetsResponse, Status> {
    let id: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    rights::may_use_task(context, call, id).await?;
    let mut checks = Checks::default();
    let targets = parts::targets(&mut checks, "targets", request.targets.as_ref());
    checks.finish()?;
    let now = context.environment.now();
    let change = context.store.task_set_targets(id, targets, now).await.map_err(Failure::from)?;
    parts::changed(change, id, "targets")?;
    // Both the new targets and those that lost a run have something to learn.
    context.dispatcher.wake_all();
    Ok(UpdateTaskTargetsResponse {})
}
