//! `GET /v1/devices:batchGet`

use guardhouse_contract::{
    Code, Status,
    devices::{BatchGetDevicesRequest, BatchGetDevicesResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::DeviceId;

use crate::{Context, devices::render, fields::Checks};

/// Most devices of one call.
const LARGEST_BATCH: usize = 1_000;

/// Answers several devices at one point in time, in the order asked for: all of them, or none.
pub async fn run(
    context: &Context,
    request: BatchGetDevicesRequest,
) -> Result<BatchGetDevicesResponse, Status> {
    let asked = request.devices_uuids;
    if asked.is_empty() {
        return Err(Status::invalid_field("devicesUuids", "is empty; name at least one device"));
    }
    if asked.len() > LARGEST_BATCH {
        let message = format!("{} devices were asked for; at most {LARGEST_BATCH} are allowed", asked.len());
        return Err(Status::new(Code::OutOfRange, "BATCH_TOO_LARGE", message));
    }
    let mut checks = Checks::default();
    let read = |(index, text): (usize, &String)| checks.id(format!("devicesUuids[{index}]"), text);
    let ids: Vec<DeviceId> = asked.iter().enumerate().filter_map(read).collect();
    checks.finish()?;

    let found = context.store.devices_get_many(ids.clone()).await.map_err(Failure::from)?;
    let devices = found
        .into_iter()
        .zip(ids)
        .map(|(device, id)| render::device(device.ok_or_else(|| Status::not_found(format!("device {id}")))?))
        .collect::<Result<_, _>>()?;
    Ok(BatchGetDevicesResponse { devices })
}
