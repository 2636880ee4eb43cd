//! Groups, their write side: create, move, rename, delete. Groups are read through the device groups.

mod create_group;
mod delete_group;
mod move_group;
mod rename_group;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    assets::{
        self, CreateGroupRequest, CreateGroupResponse, DeleteGroupRequest, DeleteGroupResponse,
        GroupEntityType, Groups, MoveGroupRequest, MoveGroupResponse, RenameGroupRequest,
        RenameGroupResponse,
    },
};
use guardhouse_model::{
    GroupId,
    groups::{MAX_DEPTH, is_fixed},
};
use guardhouse_store::{Group, GroupMove};

use crate::{Context, fields};

/// Implements the service `Groups`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl Groups for Service {
    async fn create_group(
        &self,
        _: &Call,
        request: CreateGroupRequest,
    ) -> Result<CreateGroupResponse, Status> {
        create_group::run(&self.0, request).await
    }

    async fn delete_group(
        &self,
        _: &Call,
        request: DeleteGroupRequest,
    ) -> Result<DeleteGroupResponse, Status> {
        delete_group::run(&self.0, request).await
    }

    async fn move_group(&self, _: &Call, request: MoveGroupRequest) -> Result<MoveGroupResponse, Status> {
        move_group::run(&self.0, request).await
    }

    async fn rename_group(
        &self,
        _: &Call,
        request: RenameGroupRequest,
    ) -> Result<RenameGroupResponse, Status> {
        rename_group::run(&self.0, request).await
    }
}

/// Reads which group is to change. *All* and *Lost & found* stay as they are.
fn changeable(group_uuid: &str) -> Result<GroupId, Status> {
    let group = fields::resource("groupUuid", group_uuid)?;
    if is_fixed(group) {
        let message = format!("group {group} exists from the start; it cannot be renamed, moved or deleted");
        return Err(Status::failed_precondition("GROUP_IS_FIXED", message));
    }
    Ok(group)
}

/// Words what became of a group that was to take a place in the tree; `field` named its parent.
fn placed(outcome: GroupMove, group: GroupId, field: &str) -> Result<assets::Group, Status> {
    match outcome {
        GroupMove::Done(group) => Ok(render(group)),
        GroupMove::NoSuchGroup => Err(Status::not_found(format!("group {group}"))),
        GroupMove::NoSuchParent => Err(Status::invalid_field(field, "names a group that does not exist")),
        GroupMove::BelowDynamic => Err(Status::invalid_field(
            field,
            "names a dynamic group, below which there are only dynamic groups; name a static group",
        )),
        GroupMove::Cycle => {
            Err(Status::invalid_field(field, format!("is group {group} itself or lies below it")))
        }
        GroupMove::TooDeep => Err(Status::invalid_field(
            field,
            format!("is too deep in the tree; groups nest at most {MAX_DEPTH} levels"),
        )),
    }
}

fn render(group: Group) -> assets::Group {
    assets::Group {
        description: group.description,
        display_name: group.display_name,
        external_reference: group.external_reference,
        external_type: group.external_type,
        linked_entity_type: GroupEntityType::Unspecified.into(),
        parent_group_uuid: group.parent.map_or_else(String::new, |parent| parent.to_string()),
        uuid: group.id.to_string(),
        owner_uuid: String::new(),
    }
}
