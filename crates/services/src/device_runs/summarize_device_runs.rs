//! `GET /guardhouse/v1/device_tasks/{taskUuid}/device-runs:summary`

use guardhouse_contract::{
    Status,
    management::{
        SummarizeDeviceRunsRequest, SummarizeDeviceRunsResponse, summarize_device_runs_response::Count,
    },
};
use guardhouse_identity::Failure;
use guardhouse_model::TaskId;

use super::unknown;
use crate::{Context, fields};

/// Counts the devices of a task by their state.
pub async fn run(
    context: &Context,
    request: SummarizeDeviceRunsRequest,
) -> Result<SummarizeDeviceRunsResponse, Status> {
    let task: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    let counts = context.store.device_runs_count(task, context.environment.now()).await;
    let counts = counts.map_err(Failure::from)?.ok_or_else(|| unknown(task))?;
    let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(SummarizeDeviceRunsResponse {
        device_count: number(counts.values().sum()),
        counts: counts
            .into_iter()
            .map(|(state, count)| Count { state: state as i32, device_count: number(count) })
            .collect(),
    })
}
