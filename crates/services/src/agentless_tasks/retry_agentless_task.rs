//! `POST /guardhouse/v1/agentless-tasks/{task_uuid}:retry`

use guardhouse_contract::{
    Call, Status,
    scans::{RetryAgentlessTaskRequest, RetryAgentlessTaskResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::Retried;
use uuid::Uuid;

use crate::{
    Context,
    agentless_tasks::{devices, unknown},
    fields,
};

/// Scans again what is over without a result.
pub async fn run(
    context: &Context,
    call: &Call,
    request: RetryAgentlessTaskRequest,
) -> Result<RetryAgentlessTaskResponse, Status> {
    let id: Uuid = fields::resource("taskUuid", &request.task_uuid)?;
    let order = devices::order_again(context, call, id, "taskUuid").await?;
    let is_of_devices = order.is_some();
    let now = context.environment.now();
    match context.store.agentless_task_retry(id, now, order).await.map_err(Failure::from)? {
        Retried::Queued => {
            if is_of_devices {
                devices::wake_of(context, id).await?;
            }
            Ok(RetryAgentlessTaskResponse {})
        }
        Retried::NotFound => Err(unknown(id)),
        Retried::Running => Err(Status::failed_precondition(
            "TaskIsProcessing",
            format!(
                "agentless task {id}, or an asset of it, is being scanned; wait until it is, or cancel it"
            ),
        )),
        Retried::NothingToRetry => Err(Status::failed_precondition(
            "NOTHING_TO_RETRY",
            format!(
                "everything that agentless task {id} was to scan was scanned; create a task to scan it again"
            ),
        )),
    }
}
