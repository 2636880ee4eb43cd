//! `POST /v1/groups/{groupUuid}:move`

use guardhouse_contract::{
    Status,
    assets::{MoveGroupRequest, MoveGroupResponse},
};

use crate::{
    Context,
    assets::{changeable, placed},
    fields,
};
use guardhouse_identity::Failure;

/// Hangs a group, with all that is below it, under another group.
pub async fn run(context: &Context, request: MoveGroupRequest) -> Result<MoveGroupResponse, Status> {
    let group = changeable(&request.group_uuid)?;
    let parent = fields::resource("newParentUuid", &request.new_parent_uuid)?;
    let outcome =
        context.store.group_move(group, parent, context.environment.now()).await.map_err(Failure::from)?;
    let group = placed(outcome, group, "newParentUuid")?;
    // The devices in it may have become targets of tasks on the groups above, and get other policies from there.
    context.dispatcher.wake_all();
    Ok(MoveGroupResponse { group: Some(group) })
}
