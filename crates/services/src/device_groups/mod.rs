//! Device groups, their read side: list, members.

mod list_groups;
mod list_member_devices;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    devices::{
        DeviceGroups, ListGroupsRequest, ListGroupsResponse, ListMemberDevicesRequest,
        ListMemberDevicesResponse,
    },
};

use crate::Context;

/// Implements the service `DeviceGroups`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl DeviceGroups for Service {
    async fn list_groups(&self, _: &Call, request: ListGroupsRequest) -> Result<ListGroupsResponse, Status> {
        list_groups::run(&self.0, request).await
    }

    async fn list_member_devices(
        &self,
        _: &Call,
        request: ListMemberDevicesRequest,
    ) -> Result<ListMemberDevicesResponse, Status> {
        list_member_devices::run(&self.0, request).await
    }
}
