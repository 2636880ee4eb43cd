//! `POST /v1/devices/{deviceUuid}:move`

use guardhouse_contract::{
    Status,
    devices::{MoveDeviceRequest, MoveDeviceResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::{DeviceId, GroupId};

use crate::{
    Context,
    devices::{no_place, render},
    fields,
};

/// Puts a device into another group. What its new place asks of it takes effect at once.
pub async fn run(context: &Context, request: MoveDeviceRequest) -> Result<MoveDeviceResponse, Status> {
    let id: DeviceId = fields::resource("deviceUuid", &request.device_uuid)?;
    let group: GroupId = fields::resource("newParentUuid", &request.new_parent_uuid)?;
    let moved =
        context.store.device_move(id, group, context.environment.now()).await.map_err(Failure::from)?;
    let moved = moved.ok_or_else(|| Status::not_found(format!("device {id}")))?;
    let Some(device) = moved else { return Err(no_place(context, "newParentUuid", group).await?) };
    context.dispatcher.wake(&[id]);
    Ok(MoveDeviceResponse { device: Some(render::device(device)?) })
}
