//! `RetryAgentlessTask`

use guardhouse_contract::{
    Call, Status,
    agentless::{RetryAgentlessTaskRequest, RetryAgentlessTaskResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::Retried;

use super::{ids, processing};
use crate::{Context, agentless_tasks::devices, fields::Checks};

/// Queues again what has no result.
pub async fn run(
    context: &Context,
    call: &Call,
    request: RetryAgentlessTaskRequest,
) -> Result<RetryAgentlessTaskResponse, Status> {
    let mut checks = Checks::default();
    let id = ids::task(&mut checks, "TaskId", &request.task_id);
    checks.finish()?;
    let Some(id) = id else { return Err(Status::internal("a check that failed was not noted")) };
    let order = devices::order_again(context, call, id, "TaskId").await?;
    let is_of_devices = order.is_some();
    let retried = context.store.agentless_task_retry(id, context.environment.now(), order).await;
    match retried.map_err(Failure::from)? {
        Retried::Queued => {
            if is_of_devices {
                devices::wake_of(context, id).await?;
            }
            Ok(RetryAgentlessTaskResponse::default())
        }
        Retried::Running => Err(processing("it is tried again once it is over")),
        Retried::NotFound => {
            Err(Status::invalid_field("TaskId", "there is no such task; ListAgentlessTask lists them"))
        }
        Retried::NothingToRetry => {
            let why = "there is nothing to try again: only what failed (3) or timed out (4) is";
            Err(Status::invalid_field("TaskId", why))
        }
    }
}
