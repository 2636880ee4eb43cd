//! What devices are in for a while.

mod get_device_state;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    management::{DeviceStates, GetDeviceStateRequest, GetDeviceStateResponse},
};

use crate::Context;

/// Implements the service `DeviceStates`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl DeviceStates for Service {
    async fn get_device_state(
        &self,
        _: &Call,
        request: GetDeviceStateRequest,
    ) -> Result<GetDeviceStateResponse, Status> {
        get_device_state::run(&self.0, request).await
    }
}
