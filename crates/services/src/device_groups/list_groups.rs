//! `GET /v1/device_groups`

use guardhouse_contract::{
    Status,
    devices::{DeviceGroup, DeviceGroupEntityType, ListGroupsRequest, ListGroupsResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::Group;

use crate::{Context, page::Scan};

/// Lists groups as a flat list; clients rebuild the tree from `parentGroupUuid`.
pub async fn run(context: &Context, request: ListGroupsRequest) -> Result<ListGroupsResponse, Status> {
    let page = context.pages.open(Scan::new("ListGroups"), request.page_size, &request.page_token)?;
    let after = page.after_id()?;
    let mut groups = context.store.groups_list(after, page.fetch()).await.map_err(Failure::from)?;
    let next_page_token = page.close(&mut groups, |group| group.id.0.into_bytes().into());
    Ok(ListGroupsResponse { device_groups: groups.into_iter().map(render).collect(), next_page_token })
}

fn render(group: Group) -> DeviceGroup {
    DeviceGroup {
        display_name: group.display_name,
        is_security_group: !group.is_dynamic,
        linked_entity_type: DeviceGroupEntityType::Unspecified.into(),
        parent_group_uuid: group.parent.map_or_else(String::new, |parent| parent.to_string()),
        uuid: group.id.to_string(),
        etag: format!("{:x}", group.version),
    }
}
