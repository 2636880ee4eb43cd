//! `GET /guardhouse/v1/devices/{deviceUuid}/state`

use guardhouse_contract::{
    Status,
    link::DeviceState,
    management::{GetDeviceStateRequest, GetDeviceStateResponse},
    time::to_proto,
};
use guardhouse_identity::Failure;
use guardhouse_model::DeviceId;
use prost::Message as _;

use crate::{Context, fields};

/// Answers what a device is in, as it said last, and whether it is connected.
///
/// # Errors
/// 404: there is no such device.
pub async fn run(
    context: &Context,
    request: GetDeviceStateRequest,
) -> Result<GetDeviceStateResponse, Status> {
    let id: DeviceId = fields::resource("deviceUuid", &request.device_uuid)?;
    let device = context.store.device_get(id).await.map_err(Failure::from)?;
    let device = device.ok_or_else(|| Status::not_found("the device"))?;
    let machine = context.store.device_machine_get(id).await.map_err(Failure::from)?;
    let report = context.store.device_state_get(id).await.map_err(Failure::from)?;
    let state = report.as_ref().map(|report| DeviceState::decode(report.state.as_slice())).transpose();
    let state = state.map_err(Status::internal)?.unwrap_or_default();
    let booted = machine.filter(|known| known.machine.boot.is_some());
    let now = context.environment.now();
    Ok(GetDeviceStateResponse {
        device_uuid: id.to_string(),
        connected: context.dispatcher.is_connected(id, device.last_sync_time, now),
        last_sync_time: device.last_sync_time.map(to_proto),
        boot_contact_time: booted.map(|known| to_proto(known.boot_time)),
        report_time: report.map(|report| to_proto(report.report_time)),
        isolation: state.isolation,
        power_action: state.power_action,
        disabled_actions: state.disabled_actions,
        failed_update: state.failed_update,
    })
}
