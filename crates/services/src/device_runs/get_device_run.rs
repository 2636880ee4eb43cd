//! `GET /guardhouse/v1/device_task_runs/{runUuid}`

use guardhouse_contract::{
    Status,
    management::{GetDeviceRunRequest, GetDeviceRunResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::RunId;

use super::render;
use crate::{Context, fields};

/// Answers one run with everything that is known of it.
pub async fn run(context: &Context, request: GetDeviceRunRequest) -> Result<GetDeviceRunResponse, Status> {
    let run: RunId = fields::resource("runUuid", &request.run_uuid)?;
    let found = context.store.device_run_get(run).await.map_err(Failure::from)?;
    let (task, row) = found.ok_or_else(|| Status::not_found(format!("device task run {run}")))?;
    Ok(GetDeviceRunResponse { device_run: Some(render::device_run(task, row)?) })
}
