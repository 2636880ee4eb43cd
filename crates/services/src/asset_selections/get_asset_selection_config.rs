//! `GetAssetSelectionConfig`

use guardhouse_contract::{
    Status,
    agentless::{
        GetAssetSelectionConfigRequest, GetAssetSelectionConfigResponse,
        get_asset_selection_config_response::Selection,
    },
};
use guardhouse_identity::Failure;

use super::{check_business_type, target_type};
use crate::{Context, fields::Checks};

/// Answers the selection of a business type, if there is one.
pub async fn run(
    context: &Context,
    request: GetAssetSelectionConfigRequest,
) -> Result<GetAssetSelectionConfigResponse, Status> {
    let mut checks = Checks::default();
    check_business_type(&mut checks, "BusinessType", &request.business_type);
    checks.finish()?;
    let found = context.store.agentless_selection_find(request.business_type).await.map_err(Failure::from)?;
    let data = found.map(|selection| Selection {
        platform: selection.platform,
        selection_key: selection.key.to_string(),
        target_type: target_type(selection.has_all).to_owned(),
    });
    Ok(GetAssetSelectionConfigResponse { request_id: String::new(), data })
}
