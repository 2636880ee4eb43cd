//! `POST /guardhouse/v1/device_tasks/{taskUuid}:cancel`

use guardhouse_contract::{
    Status,
    management::{CancelTaskRequest, CancelTaskResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::TaskId;

use super::{devices, unknown};
use crate::{Context, fields, fields::Checks};

/// Cancels a task on all devices or on some. Those that have it are asked to stop.
pub async fn run(context: &Context, request: CancelTaskRequest) -> Result<CancelTaskResponse, Status> {
    let task: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    let mut checks = Checks::default();
    let devices = devices(&mut checks, &request.device_uuids);
    checks.finish()?;
    let only = (!devices.is_empty()).then_some(devices);
    let cancelled = context.store.task_runs_cancel(task, only, context.environment.now()).await;
    let cancelled = cancelled.map_err(Failure::from)?.ok_or_else(|| unknown(task))?;
    context.dispatcher.wake(&cancelled.asked);
    Ok(CancelTaskResponse { open_run_count: u32::try_from(cancelled.open_runs).unwrap_or(u32::MAX) })
}
