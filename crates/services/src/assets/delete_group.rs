//! `DELETE /v1/groups/{groupUuid}`

use guardhouse_contract::{
    Status,
    assets::{DeleteGroupRequest, DeleteGroupResponse},
};

use crate::{Context, assets::changeable};
use guardhouse_identity::Failure;

/// Deletes a group with its whole subtree and every device in it. There are no licence units to release, so
/// `releaseConsumedUnits` changes nothing.
pub async fn run(context: &Context, request: DeleteGroupRequest) -> Result<DeleteGroupResponse, Status> {
    let group = changeable(&request.group_uuid)?;
    let gone = context.store.group_delete(group, context.environment.now()).await.map_err(Failure::from)?;
    let gone = gone.ok_or_else(|| Status::not_found(format!("group {group}")))?;
    // Those that are connected learn that they are no longer managed.
    context.dispatcher.wake(&gone);
    Ok(DeleteGroupResponse {})
}
