//! `GET /v1/device_tasks/{taskUuid}/runs`

use guardhouse_contract::{
    Status,
    automation::{ListTaskRunsRequest, ListTaskRunsResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::{DeviceId, TaskId, Timestamp};
use guardhouse_store::{Run, RunPosition};
use uuid::Uuid;

use crate::{Context, automation::render, fields, page::Scan};

/// Lists the runs of a task, newest first. A deleted task still has its runs.
pub async fn run(context: &Context, request: ListTaskRunsRequest) -> Result<ListTaskRunsResponse, Status> {
    let task: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    let device: Option<DeviceId> = match request.device_uuid.as_str() {
        "" => None,
        device => Some(fields::resource("deviceUuid", device)?),
    };
    let only_last = request.list_only_last_runs;
    let scan = Scan::new("ListTaskRuns")
        .with(task.0.as_bytes())
        .with(device.map_or(Uuid::nil(), |device| device.0).as_bytes())
        .with([u8::from(only_last)]);
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let after = page.after.as_deref().map(read_position).transpose()?;

    let runs = context.store.task_runs_list(task, device, only_last, after, page.fetch()).await;
    let mut runs =
        runs.map_err(Failure::from)?.ok_or_else(|| Status::not_found(format!("device task {task}")))?;
    let next_page_token = page.close(&mut runs, write_position);
    let task_runs = runs.into_iter().map(render::run).collect::<Result<_, _>>()?;
    Ok(ListTaskRunsResponse { task_runs, next_page_token })
}

fn write_position(run: &Run) -> Vec<u8> {
    [run.start_time.as_microsecond().to_be_bytes().as_slice(), run.id.0.as_bytes()].concat()
}

fn read_position(key: &[u8]) -> Result<RunPosition, Status> {
    let (micros, id) = key.split_first_chunk().ok_or_else(|| Status::internal("a short page key"))?;
    Ok(RunPosition {
        start_time: Timestamp::from_microsecond(i64::from_be_bytes(*micros)).map_err(Status::internal)?,
        id: Uuid::from_slice(id).map_err(Status::internal)?.into(),
    })
}
