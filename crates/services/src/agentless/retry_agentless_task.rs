//! `RetryAgentlessTask`

use guardhouse_contract::{
    Status,
    agentless::{RetryAgentlessTaskRequest, RetryAgentlessTaskResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::Retried;

use super::{ids, processing};
use crate::{Context, fields::Checks};

/// Queues again what has no result.
pub async fn run(
    context: &Context,
    request: RetryAgentlessTaskRequest,
) -> Result<RetryAgentlessTaskResponse, Status> {
    let mut checks = Checks::default();
    let id = ids::task(&mut checks, "TaskId", &request.task_id);
    checks.finish()?;
    let Some(id) = id else { return Err(Status::internal("a check that failed was not noted")) };
    let retried = context.store.agentless_task_retry(id, context.environment.now(), None).await;
    match retried.map_err(Failure::from)? {
        Retried::Queued => Ok(RetryAgentlessTaskResponse::default()),
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
