//! `GET /guardhouse/v1/agentless-tasks/{task_uuid}:watch`
//!
//! The server looks so that the client need not ask. A look is one read by key, and sees what every replica and every
//! worker wrote: nothing has to be told to anybody, and nothing can be missed.

use std::time::Duration;

use guardhouse_contract::{
    Status,
    scans::{WatchAgentlessTaskRequest, WatchAgentlessTaskResponse},
};
use guardhouse_identity::Failure;
use tokio::time::{Instant, sleep};

use crate::{
    Context,
    agentless_tasks::{render, unknown},
    fields,
};

/// Time between two looks. Workers report less often.
const PERIOD: Duration = Duration::from_secs(1);

/// How long to wait when the client does not say, in seconds.
const DEFAULT_WAIT: u32 = 20;

/// The longest wait, in seconds: below the time after which a call is answered 202.
const LONGEST_WAIT: u32 = 25;

/// Answers a task once it is no longer as the caller knows it, or when the time is up.
pub async fn run(
    context: &Context,
    request: WatchAgentlessTaskRequest,
) -> Result<WatchAgentlessTaskResponse, Status> {
    let id = fields::resource("taskUuid", &request.task_uuid)?;
    let wait = match request.wait_seconds {
        0 => DEFAULT_WAIT,
        seconds if seconds <= LONGEST_WAIT => seconds,
        seconds => {
            let wrong = format!("is {seconds}; 1 to {LONGEST_WAIT} are possible");
            return Err(Status::invalid_field("waitSeconds", wrong));
        }
    };
    let end = Instant::now() + Duration::from_secs(wait.into());
    loop {
        let task = context.store.agentless_task_get(id).await.map_err(Failure::from)?;
        let task = render::task(task.ok_or_else(|| unknown(id))?)?;
        if task.generation != request.generation || Instant::now() >= end {
            return Ok(WatchAgentlessTaskResponse { task: Some(task) });
        }
        sleep(PERIOD.min(end.saturating_duration_since(Instant::now()))).await;
    }
}
