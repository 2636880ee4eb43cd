//! `POST /v1/devices/{deviceUuid}:rename`

use guardhouse_contract::{
    Status,
    devices::{RenameDeviceRequest, RenameDeviceResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::DeviceId;

use crate::{
    Context,
    devices::render,
    fields::{self, Checks},
};

/// Gives a device another display name, for everyone. The name that the device reports stays.
pub async fn run(context: &Context, request: RenameDeviceRequest) -> Result<RenameDeviceResponse, Status> {
    let id: DeviceId = fields::resource("deviceUuid", &request.device_uuid)?;
    let mut checks = Checks::default();
    checks.name("displayName", &request.display_name);
    checks.finish()?;
    let now = context.environment.now();
    let renamed = context.store.device_rename(id, request.display_name, now).await.map_err(Failure::from)?;
    let device = renamed.ok_or_else(|| Status::not_found(format!("device {id}")))?;
    // It may be in other dynamic groups with that.
    context.dispatcher.wake(&[id]);
    Ok(RenameDeviceResponse { device: Some(render::device(device)?) })
}
