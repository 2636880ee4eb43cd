//! `PATCH /guardhouse/v1/dynamic-groups/{groupUuid}`

use guardhouse_contract::{
    Status,
    management::{UpdateDynamicGroupRequest, UpdateDynamicGroupResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::DynamicGroupUpdate;

use crate::{
    Context,
    dynamic_groups::{render, rule, unknown},
    fields::{self, Checks},
};

/// Changes name, description or rule; what is left out stays.
pub async fn run(
    context: &Context,
    request: UpdateDynamicGroupRequest,
) -> Result<UpdateDynamicGroupResponse, Status> {
    let id = fields::resource("groupUuid", &request.group_uuid)?;
    let mut checks = Checks::default();
    if let Some(name) = &request.display_name {
        checks.name("displayName", name);
    }
    if let Some(description) = &request.description {
        checks.description("description", description);
    }
    let rule = request.rule.as_ref().and_then(|rule| rule::read(&mut checks, "rule", Some(rule)));
    checks.finish()?;

    let update =
        DynamicGroupUpdate { display_name: request.display_name, description: request.description, rule };
    let updated = context.store.dynamic_group_update(id, update, context.environment.now()).await;
    let (group, changed) = updated.map_err(Failure::from)?.ok_or_else(|| unknown(id))?;
    // What the group asks of those that came reaches them at once, and what it asked of those that left ends.
    context.dispatcher.wake(&changed);
    Ok(UpdateDynamicGroupResponse { dynamic_group: Some(render(group)) })
}
