//! `GET /v1/device_groups/{groupUuid}/devices`

use guardhouse_contract::{
    Status,
    devices::{ListMemberDevicesRequest, ListMemberDevicesResponse, MemberDevice},
};
use guardhouse_identity::Failure;
use guardhouse_model::GroupId;

use crate::{Context, fields, page::Scan};

/// Lists the devices of a group, with `recurseSubgroups` also those of the groups below it.
pub async fn run(
    context: &Context,
    request: ListMemberDevicesRequest,
) -> Result<ListMemberDevicesResponse, Status> {
    let group: GroupId = fields::resource("groupUuid", &request.group_uuid)?;
    let recurse = request.recurse_subgroups;
    let scan = Scan::new("ListMemberDevices").with(group.0.as_bytes()).with([u8::from(recurse)]);
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let after = page.after_id()?;

    let members = context.store.group_members_list(group, recurse, after, page.fetch()).await;
    let (total, mut members) =
        members.map_err(Failure::from)?.ok_or_else(|| Status::not_found(format!("device group {group}")))?;
    let next_page_token = page.close(&mut members, |member| member.device.0.into_bytes().into());
    let devices = members.into_iter().map(|member| MemberDevice {
        display_name: member.display_name,
        group_uuid: member.group.to_string(),
        uuid: member.device.to_string(),
    });
    Ok(ListMemberDevicesResponse {
        devices: devices.collect(),
        next_page_token,
        total_size: u32::try_from(total).unwrap_or(u32::MAX),
    })
}
