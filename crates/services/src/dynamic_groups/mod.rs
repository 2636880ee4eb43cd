//! Dynamic groups: list, create, get, update, delete, preview.

mod condition;
mod create_dynamic_group;
mod delete_dynamic_group;
mod get_dynamic_group;
mod list_dynamic_groups;
mod preview_dynamic_group;
pub mod render;
pub mod rule;
mod update_dynamic_group;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    management::{
        self, CreateDynamicGroupRequest, CreateDynamicGroupResponse, DeleteDynamicGroupRequest,
        DeleteDynamicGroupResponse, DynamicGroups, GetDynamicGroupRequest, GetDynamicGroupResponse,
        ListDynamicGroupsRequest, ListDynamicGroupsResponse, PreviewDynamicGroupRequest,
        PreviewDynamicGroupResponse, UpdateDynamicGroupRequest, UpdateDynamicGroupResponse,
    },
    time::to_proto,
};
use guardhouse_model::{GroupId, groups::ALL};
use guardhouse_store::DynamicGroup;

use crate::{Context, fields::Checks};

/// Implements the service `DynamicGroups`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl DynamicGroups for Service {
    async fn list_dynamic_groups(
        &self,
        _: &Call,
        request: ListDynamicGroupsRequest,
    ) -> Result<ListDynamicGroupsResponse, Status> {
        list_dynamic_groups::run(&self.0, request).await
    }

    async fn create_dynamic_group(
        &self,
        _: &Call,
        request: CreateDynamicGroupRequest,
    ) -> Result<CreateDynamicGroupResponse, Status> {
        create_dynamic_group::run(&self.0, request).await
    }

    async fn get_dynamic_group(
        &self,
        _: &Call,
        request: GetDynamicGroupRequest,
    ) -> Result<GetDynamicGroupResponse, Status> {
        get_dynamic_group::run(&self.0, request).await
    }

    async fn update_dynamic_group(
        &self,
        _: &Call,
        request: UpdateDynamicGroupRequest,
    ) -> Result<UpdateDynamicGroupResponse, Status> {
        update_dynamic_group::run(&self.0, request).await
    }

    async fn delete_dynamic_group(
        &self,
        _: &Call,
        request: DeleteDynamicGroupRequest,
    ) -> Result<DeleteDynamicGroupResponse, Status> {
        delete_dynamic_group::run(&self.0, request).await
    }

    async fn preview_dynamic_group(
        &self,
        _: &Call,
        request: PreviewDynamicGroupRequest,
    ) -> Result<PreviewDynamicGroupResponse, Status> {
        preview_dynamic_group::run(&self.0, request).await
    }
}

/// Reads the group above; *All* when the client names none.
fn parent(checks: &mut Checks, field: &str, text: &str) -> Option<GroupId> {
    if text.is_empty() { Some(ALL) } else { checks.id(field, text) }
}

fn unknown(group: GroupId) -> Status {
    Status::not_found(format!("dynamic group {group}"))
}

fn no_such_parent(field: &str) -> Status {
    Status::invalid_field(field, "names a group that does not exist")
}

fn render(group: DynamicGroup) -> management::DynamicGroup {
    management::DynamicGroup {
        uuid: group.id.to_string(),
        display_name: group.display_name,
        description: group.description,
        parent_group_uuid: group.parent.to_string(),
        rule: Some(render::rule(&group.rule)),
        device_count: u32::try_from(group.device_count).unwrap_or(u32::MAX),
        evaluate_time: Some(to_proto(group.evaluate_time)),
        etag: format!("{:x}", group.version),
    }
}
