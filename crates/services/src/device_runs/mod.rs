//! How tasks stand on devices: list, count, one run, cancel, carry out again.

mod cancel_task;
mod get_device_run;
mod list_device_runs;
mod render;
mod rerun_task;
mod summarize_device_runs;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    management::{
        CancelTaskRequest, CancelTaskResponse, DeviceRuns, GetDeviceRunRequest, GetDeviceRunResponse,
        ListDeviceRunsRequest, ListDeviceRunsResponse, RerunTaskRequest, RerunTaskResponse,
        SummarizeDeviceRunsRequest, SummarizeDeviceRunsResponse,
    },
};
use guardhouse_model::{DeviceId, TaskId, device_runs::DeviceRunState};

use crate::{Context, fields::Checks};

/// Most devices that one request names.
const MOST_DEVICES: usize = 1_000;

/// Implements the service `DeviceRuns`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl DeviceRuns for Service {
    async fn list_device_runs(
        &self,
        _: &Call,
        request: ListDeviceRunsRequest,
    ) -> Result<ListDeviceRunsResponse, Status> {
        list_device_runs::run(&self.0, request).await
    }

    async fn summarize_device_runs(
        &self,
        _: &Call,
        request: SummarizeDeviceRunsRequest,
    ) -> Result<SummarizeDeviceRunsResponse, Status> {
        summarize_device_runs::run(&self.0, request).await
    }

    async fn get_device_run(
        &self,
        _: &Call,
        request: GetDeviceRunRequest,
    ) -> Result<GetDeviceRunResponse, Status> {
        get_device_run::run(&self.0, request).await
    }

    async fn cancel_task(&self, _: &Call, request: CancelTaskRequest) -> Result<CancelTaskResponse, Status> {
        cancel_task::run(&self.0, request).await
    }

    async fn rerun_task(&self, call: &Call, request: RerunTaskRequest) -> Result<RerunTaskResponse, Status> {
        rerun_task::run(&self.0, call, request).await
    }
}

fn unknown(task: TaskId) -> Status {
    Status::not_found(format!("device task {task}"))
}

/// Reads states; what is none is noted.
fn states(checks: &mut Checks, states: &[i32]) -> Vec<DeviceRunState> {
    let mut read = Vec::with_capacity(states.len());
    for (index, &number) in states.iter().enumerate() {
        match DeviceRunState::from_number(number) {
            Some(state) => read.push(state),
            None => checks.fail(format!("states[{index}]"), "is not a state, for example FAILED"),
        }
    }
    read
}

/// Reads the devices that a request names.
fn devices(checks: &mut Checks, texts: &[String]) -> Vec<DeviceId> {
    if texts.len() > MOST_DEVICES {
        checks.fail(
            "deviceUuids",
            format!("names {} devices; at most {MOST_DEVICES} are allowed in one request", texts.len()),
        );
        return Vec::new();
    }
    let read = |(index, text): (usize, &String)| checks.id(format!("deviceUuids[{index}]"), text);
    texts.iter().enumerate().filter_map(read).collect()
}
