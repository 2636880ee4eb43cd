//! `GET /v1/devices/{deviceUuid}`

use guardhouse_contract::{
    Status,
    devices::{GetDeviceRequest, GetDeviceResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::DeviceId;

use crate::{Context, devices::render, fields};

/// Answers one device.
pub async fn run(context: &Context, request: GetDeviceRequest) -> Result<GetDeviceResponse, Status> {
    let id: DeviceId = fields::resource("deviceUuid", &request.device_uuid)?;
    let device = context.store.device_get(id).await.map_err(Failure::from)?;
    let device = device.ok_or_else(|| Status::not_found(format!("device {id}")))?;
    Ok(GetDeviceResponse { device: Some(render::device(device)?) })
}
