//! `POST /guardhouse/v1/agentless-locations/{locationUuid}:look`

use guardhouse_contract::{
    Status,
    scans::{LookAtAgentlessLocationRequest, LookAtAgentlessLocationResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::agentless::snapshots::DEVICES;

use super::{look::Looking, render, unknown};
use crate::{Context, fields};

/// Looks at a location now.
pub async fn run(
    context: &Context,
    request: LookAtAgentlessLocationRequest,
) -> Result<LookAtAgentlessLocationResponse, Status> {
    let id = fields::resource("locationUuid", &request.location_uuid)?;
    if id == DEVICES {
        let nothing =
            "is the location of the devices, and nothing to look at: each of them tells what it can do";
        return Err(Status::invalid_field("locationUuid", nothing));
    }
    let get = async || context.store.agentless_location_get(id).await.map_err(Failure::from);
    let location = get().await?.ok_or_else(|| unknown(id))?;
    let looking = Looking {
        store: context.store.clone(),
        sealing: context.sealing.clone(),
        folders: context.folders.clone(),
        environment: context.environment.clone(),
    };
    let listing = looking.look(&location).await?;
    let location = get().await?.ok_or_else(|| unknown(id))?;
    Ok(LookAtAgentlessLocationResponse {
        location: Some(render::location(location)?),
        asset_count: u32::try_from(listing.found.len()).unwrap_or(u32::MAX),
        left_out: listing.left_out,
    })
}
