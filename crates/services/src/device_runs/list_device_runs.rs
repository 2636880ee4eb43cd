//! `GET /guardhouse/v1/device_tasks/{taskUuid}/device-runs`

use guardhouse_contract::{
    Status,
    management::{ListDeviceRunsRequest, ListDeviceRunsResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::{DeviceId, TaskId};

use super::{render, states, unknown};
use crate::{Context, fields, fields::Checks, page::Scan};

/// How many devices are looked at together when only some states are asked for.
const PORTION: usize = 1_000;

/// Most devices that one call looks at: it answers what it found up to there.
const MOST_LOOKED_AT: usize = 10_000;

/// Lists how a task stands on its devices, in the order of their ids. A deleted task still has those with runs.
pub async fn run(
    context: &Context,
    request: ListDeviceRunsRequest,
) -> Result<ListDeviceRunsResponse, Status> {
    let task: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    let mut checks = Checks::default();
    let states = states(&mut checks, &request.states);
    checks.finish()?;
    let filter: Vec<u8> = states.iter().flat_map(|state| (*state as i32).to_le_bytes()).collect();
    let scan = Scan::new("ListDeviceRuns").with(task.0.as_bytes()).with(filter);
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let now = context.environment.now();

    let portion = if states.is_empty() { page.fetch() } else { PORTION };
    let (mut rows, mut looked_at) = (Vec::new(), 0);
    let mut after: Option<DeviceId> = page.after_id()?;
    let next = loop {
        let found = context.store.device_runs_list(task, states.clone(), after, portion, now).await;
        let found = found.map_err(Failure::from)?.ok_or_else(|| unknown(task))?;
        rows.extend(found.rows);
        after = found.next;
        looked_at += portion;
        if rows.len() > page.size {
            rows.truncate(page.size);
            break rows.last().map(|row| row.device);
        }
        if after.is_none() || looked_at >= MOST_LOOKED_AT {
            break after;
        }
    };
    let next_page_token = next.map_or_else(String::new, |device| page.seal(device.0.as_bytes()));
    let device_runs = rows.into_iter().map(|row| render::device_run(task, row)).collect::<Result<_, _>>()?;
    Ok(ListDeviceRunsResponse { device_runs, next_page_token })
}
