//! Devices: list, get, import, move, rename.

mod batch_get_devices;
mod get_device;
mod import_device_batch;
mod list_devices;
mod move_device;
mod rename_device;
pub mod render;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    devices::{
        BatchGetDevicesRequest, BatchGetDevicesResponse, Devices, GetDeviceRequest, GetDeviceResponse,
        ImportDeviceBatchRequest, ImportDeviceBatchResponse, ListDevicesRequest, ListDevicesResponse,
        MoveDeviceRequest, MoveDeviceResponse, RenameDeviceRequest, RenameDeviceResponse,
    },
};
use guardhouse_identity::Failure;
use guardhouse_model::GroupId;

use crate::Context;

/// Words why devices cannot go into a group that `field` names.
async fn no_place(context: &Context, field: &str, group: GroupId) -> Result<Status, Status> {
    let kept = context.store.group_get(group).await.map_err(Failure::from)?;
    let wrong = match kept {
        Some(group) if group.is_dynamic => "whose devices follow from its rule; name a static group",
        _ => "which does not exist",
    };
    Ok(Status::invalid_field(field, format!("names group {group}, {wrong}")))
}

/// Implements the service `Devices`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl Devices for Service {
    async fn list_devices(
        &self,
        _: &Call,
        request: ListDevicesRequest,
    ) -> Result<ListDevicesResponse, Status> {
        list_devices::run(&self.0, request).await
    }

    async fn get_device(&self, _: &Call, request: GetDeviceRequest) -> Result<GetDeviceResponse, Status> {
        get_device::run(&self.0, request).await
    }

    async fn batch_get_devices(
        &self,
        _: &Call,
        request: BatchGetDevicesRequest,
    ) -> Result<BatchGetDevicesResponse, Status> {
        batch_get_devices::run(&self.0, request).await
    }

    async fn import_device_batch(
        &self,
        _: &Call,
        request: ImportDeviceBatchRequest,
    ) -> Result<ImportDeviceBatchResponse, Status> {
        import_device_batch::run(&self.0, request).await
    }

    async fn move_device(&self, _: &Call, request: MoveDeviceRequest) -> Result<MoveDeviceResponse, Status> {
        move_device::run(&self.0, request).await
    }

    async fn rename_device(
        &self,
        _: &Call,
        request: RenameDeviceRequest,
    ) -> Result<RenameDeviceResponse, Status> {
        rename_device::run(&self.0, request).await
    }
}
