//! `DELETE /guardhouse/v1/agentless-locations/{locationUuid}`

use guardhouse_contract::{
    Status,
    scans::{DeleteAgentlessLocationRequest, DeleteAgentlessLocationResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::agentless::snapshots::DEVICES;

use super::unknown;
use crate::{Context, fields};

/// Forgets a location and its assets.
pub async fn run(
    context: &Context,
    request: DeleteAgentlessLocationRequest,
) -> Result<DeleteAgentlessLocationResponse, Status> {
    let id = fields::resource("locationUuid", &request.location_uuid)?;
    if id == DEVICES {
        let always =
            "is the location of the devices, which is always there; a device that is deleted leaves it";
        return Err(Status::invalid_field("locationUuid", always));
    }
    match context.store.agentless_location_delete(id).await.map_err(Failure::from)? {
        true => Ok(DeleteAgentlessLocationResponse {}),
        false => Err(unknown(id)),
    }
}
