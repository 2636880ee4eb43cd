//! `GET /guardhouse/v1/dynamic-groups/{groupUuid}`

use guardhouse_contract::{
    Status,
    management::{GetDynamicGroupRequest, GetDynamicGroupResponse},
};
use guardhouse_identity::Failure;

use crate::{
    Context,
    dynamic_groups::{render, unknown},
    fields,
};

/// Answers one dynamic group.
pub async fn run(
    context: &Context,
    request: GetDynamicGroupRequest,
) -> Result<GetDynamicGroupResponse, Status> {
    let id = fields::resource("groupUuid", &request.group_uuid)?;
    let group = context.store.dynamic_group_get(id).await.map_err(Failure::from)?;
    let group = group.ok_or_else(|| unknown(id))?;
    Ok(GetDynamicGroupResponse { dynamic_group: Some(render(group)) })
}
