//! `GET /guardhouse/v1/agentless-locations/{locationUuid}`

use guardhouse_contract::{
    Status,
    scans::{GetAgentlessLocationRequest, GetAgentlessLocationResponse},
};
use guardhouse_identity::Failure;

use super::{render, unknown};
use crate::{Context, fields};

/// Answers one location.
pub async fn run(
    context: &Context,
    request: GetAgentlessLocationRequest,
) -> Result<GetAgentlessLocationResponse, Status> {
    let id = fields::resource("locationUuid", &request.location_uuid)?;
    let found = context.store.agentless_location_get(id).await.map_err(Failure::from)?;
    let location = render::location(found.ok_or_else(|| unknown(id))?)?;
    Ok(GetAgentlessLocationResponse { location: Some(location) })
}
