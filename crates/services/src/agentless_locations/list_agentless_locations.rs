//! `GET /guardhouse/v1/agentless-locations`

use guardhouse_contract::{
    Status,
    scans::{ListAgentlessLocationsRequest, ListAgentlessLocationsResponse},
};
use guardhouse_identity::Failure;

use super::render;
use crate::{Context, page::Scan};

/// Lists locations in the order of their creation.
pub async fn run(
    context: &Context,
    request: ListAgentlessLocationsRequest,
) -> Result<ListAgentlessLocationsResponse, Status> {
    let scan = Scan::new("ListAgentlessLocations");
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let found = context.store.agentless_locations_list(page.after_id()?, page.fetch()).await;
    let mut locations = found.map_err(Failure::from)?;
    let next_page_token = page.close(&mut locations, |location| location.id.into_bytes().into());
    let locations = locations.into_iter().map(render::location).collect::<Result<_, _>>()?;
    Ok(ListAgentlessLocationsResponse { locations, next_page_token })
}
