//! `POST /v1/groups/{groupUuid}:rename`

use guardhouse_contract::{
    Status,
    assets::{RenameGroupRequest, RenameGroupResponse},
};

use crate::{
    Context,
    assets::{changeable, render},
    fields::Checks,
};
use guardhouse_identity::Failure;

/// Gives a group another display name.
pub async fn run(context: &Context, request: RenameGroupRequest) -> Result<RenameGroupResponse, Status> {
    let id = changeable(&request.group_uuid)?;
    let mut checks = Checks::default();
    checks.name("displayName", &request.display_name);
    checks.finish()?;
    let renamed = context.store.group_rename(id, request.display_name).await.map_err(Failure::from)?;
    let group = renamed.ok_or_else(|| Status::not_found(format!("group {id}")))?;
    Ok(RenameGroupResponse { group: Some(render(group)) })
}
