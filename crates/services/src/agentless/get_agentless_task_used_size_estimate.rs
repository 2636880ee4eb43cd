//! `GetAgentlessTaskUsedSizeEstimate`

use guardhouse_contract::{
    Status,
    agentless::{GetAgentlessTaskUsedSizeEstimateRequest, GetAgentlessTaskUsedSizeEstimateResponse},
};
use guardhouse_identity::Failure;

use crate::{Context, asset_selections::find_selection};

/// In bytes.
const GIB: u64 = 1 << 30;

/// Answers how much there is to read, at most, in the assets of a selection.
pub async fn run(
    context: &Context,
    request: GetAgentlessTaskUsedSizeEstimateRequest,
) -> Result<GetAgentlessTaskUsedSizeEstimateResponse, Status> {
    let selection = find_selection(context, "AssetSelectionType", &request.asset_selection_type).await?;
    let bytes = context.store.agentless_selection_size(selection.key).await.map_err(Failure::from)?;
    let size = bytes.unwrap_or(0).div_ceil(GIB);
    let estimate_used_size = i64::try_from(size).unwrap_or(i64::MAX);
    Ok(GetAgentlessTaskUsedSizeEstimateResponse { request_id: String::new(), estimate_used_size })
}
