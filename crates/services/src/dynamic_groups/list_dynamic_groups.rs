//! `GET /guardhouse/v1/dynamic-groups`

use guardhouse_contract::{
    Status,
    management::{ListDynamicGroupsRequest, ListDynamicGroupsResponse},
};
use guardhouse_identity::Failure;

use crate::{Context, dynamic_groups::render, page::Scan};

/// Lists dynamic groups in the order of their ids, which is the order of their creation.
pub async fn run(
    context: &Context,
    request: ListDynamicGroupsRequest,
) -> Result<ListDynamicGroupsResponse, Status> {
    let page = context.pages.open(Scan::new("ListDynamicGroups"), request.page_size, &request.page_token)?;
    let after = page.after_id()?;
    let mut groups = context.store.dynamic_groups_list(after, page.fetch()).await.map_err(Failure::from)?;
    let next_page_token = page.close(&mut groups, |group| group.id.0.into_bytes().into());
    Ok(ListDynamicGroupsResponse {
        dynamic_groups: groups.into_iter().map(render).collect(),
        next_page_token,
    })
}
