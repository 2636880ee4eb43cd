//! `POST /guardhouse/v1/dynamic-groups`

use guardhouse_contract::{
    Status,
    management::{CreateDynamicGroupRequest, CreateDynamicGroupResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::groups::MAX_DEPTH;
use guardhouse_store::{DynamicGroupCreate, NewDynamicGroup};

use crate::{
    Context,
    dynamic_groups::{no_such_parent, parent, render, rule},
    fields::Checks,
};

/// Creates a dynamic group; below *All* when the client names no parent.
pub async fn run(
    context: &Context,
    request: CreateDynamicGroupRequest,
) -> Result<CreateDynamicGroupResponse, Status> {
    let asked = request.dynamic_group.ok_or_else(|| Status::invalid_field("dynamicGroup", "is missing"))?;
    let mut checks = Checks::default();
    checks.name("dynamicGroup.displayName", &asked.display_name);
    checks.description("dynamicGroup.description", &asked.description);
    let parent = parent(&mut checks, "dynamicGroup.parentGroupUuid", &asked.parent_group_uuid);
    let rule = rule::read(&mut checks, "dynamicGroup.rule", asked.rule.as_ref());
    checks.finish()?;
    let (Some(parent), Some(rule)) = (parent, rule) else {
        return Err(Status::internal("a check failed and did not say so"));
    };

    let group = NewDynamicGroup {
        id: context.environment.uuid().into(),
        parent,
        display_name: asked.display_name,
        description: asked.description,
        rule,
    };
    let created = context.store.dynamic_group_create(group, context.environment.now()).await;
    match created.map_err(Failure::from)? {
        DynamicGroupCreate::Done(group, devices) => {
            // Tasks and policies reach them once they are aimed at the group; a client that does so right away must not
            // wait.
            context.dispatcher.wake(&devices);
            Ok(CreateDynamicGroupResponse { dynamic_group: Some(render(*group)) })
        }
        DynamicGroupCreate::NoSuchParent => Err(no_such_parent("dynamicGroup.parentGroupUuid")),
        DynamicGroupCreate::TooDeep => Err(Status::invalid_field(
            "dynamicGroup.parentGroupUuid",
            format!("is too deep in the tree; groups nest at most {MAX_DEPTH} levels"),
        )),
    }
}
