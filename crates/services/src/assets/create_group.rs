//! `POST /v1/groups`

use guardhouse_contract::{
    Status,
    assets::{CreateGroupRequest, CreateGroupResponse, GroupEntityType},
};
use guardhouse_identity::Failure;
use guardhouse_model::{groups::ALL, names};
use guardhouse_store::Group;

use crate::{Context, assets::placed, fields::Checks};

/// Creates a static group; below *All* when the client names no parent.
pub async fn run(context: &Context, request: CreateGroupRequest) -> Result<CreateGroupResponse, Status> {
    let asked = request.group.ok_or_else(|| Status::invalid_field("group", "is missing"))?;
    let mut checks = Checks::default();
    checks.name("group.displayName", &asked.display_name);
    checks.description("group.description", &asked.description);
    if asked.external_reference.chars().count() > names::LONGEST {
        checks.fail("group.externalReference", format!("has more than {} characters", names::LONGEST));
    }
    if asked.linked_entity_type != GroupEntityType::Unspecified as i32 {
        let wrong = "must be left out: only groups without a linked entity can be created";
        checks.fail("group.linkedEntityType", wrong);
    }
    let parent = match asked.parent_group_uuid.as_str() {
        "" => Some(ALL),
        parent => checks.id("group.parentGroupUuid", parent),
    };
    checks.finish()?;

    let id = context.environment.uuid().into();
    let group = Group {
        id,
        parent,
        display_name: asked.display_name,
        description: asked.description,
        external_reference: asked.external_reference,
        external_type: asked.external_type,
        is_dynamic: false,
        version: 1,
    };
    let outcome = context.store.group_create(group).await.map_err(Failure::from)?;
    Ok(CreateGroupResponse { group: Some(placed(outcome, id, "group.parentGroupUuid")?) })
}
