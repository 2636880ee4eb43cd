//! `DELETE /guardhouse/v1/dynamic-groups/{groupUuid}`

use guardhouse_contract::{
    Status,
    management::{DeleteDynamicGroupRequest, DeleteDynamicGroupResponse},
};
use guardhouse_identity::Failure;

use crate::{Context, dynamic_groups::unknown, fields};

/// Deletes a dynamic group and those below it. Devices stay.
pub async fn run(
    context: &Context,
    request: DeleteDynamicGroupRequest,
) -> Result<DeleteDynamicGroupResponse, Status> {
    let id = fields::resource("groupUuid", &request.group_uuid)?;
    let left = context.store.dynamic_group_delete(id).await.map_err(Failure::from)?;
    // What the group asked of them ends at once.
    context.dispatcher.wake(&left.ok_or_else(|| unknown(id))?);
    Ok(DeleteDynamicGroupResponse {})
}
