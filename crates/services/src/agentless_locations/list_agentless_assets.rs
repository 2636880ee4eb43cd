//! `GET /guardhouse/v1/agentless-assets`

use guardhouse_contract::{
    Status,
    scans::{ListAgentlessAssetsRequest, ListAgentlessAssetsResponse, TargetType},
};
use guardhouse_identity::Failure;
use guardhouse_store::AgentlessAssetScope;
use uuid::Uuid;

use super::render;
use crate::{Context, agentless_tasks::devices, fields::Checks, page::Scan};

/// Lists assets in the order of their instance ids.
pub async fn run(
    context: &Context,
    request: ListAgentlessAssetsRequest,
) -> Result<ListAgentlessAssetsResponse, Status> {
    let ListAgentlessAssetsRequest { location_uuid, target_type, is_gone, page_size, page_token } = request;
    let mut checks = Checks::default();
    let location: Option<Uuid> =
        if location_uuid.is_empty() { None } else { checks.id("locationUuid", &location_uuid) };
    if TargetType::try_from(target_type).is_err() {
        let right = "1 (a device), 3 (a snapshot) and 4 (an image) are";
        checks.fail("targetType", format!("{target_type} is no type; {right}"));
    }
    checks.finish()?;

    let scan = Scan::new("ListAgentlessAssets")
        .with(location.unwrap_or_default().as_bytes())
        .with(target_type.to_le_bytes())
        .with([is_gone.map_or(2, u8::from)]);
    let page = context.pages.open(scan, page_size, &page_token)?;
    let after = String::from_utf8(page.after.clone().unwrap_or_default()).map_err(Status::internal)?;
    // Devices are assets of one type, which are scanned as either.
    let target_type =
        if devices::is_type(target_type) { TargetType::DeviceSnapshot as i32 } else { target_type };
    let target_type = Some(target_type).filter(|number| *number != TargetType::Unspecified as i32);
    let scope = AgentlessAssetScope { location, target_type, is_gone };
    let found = context.store.agentless_assets_list(scope, after, page.fetch()).await;
    let mut assets = found.map_err(Failure::from)?;
    let next_page_token = page.close(&mut assets, |asset| asset.instance_id.clone().into_bytes());
    let ids = assets.iter().map(|asset| asset.instance_id.as_str());
    let mut names = devices::names(&context.store, ids).await?;
    let assets = assets.into_iter().map(|asset| render::asset(asset, &mut names)).collect();
    Ok(ListAgentlessAssetsResponse { assets, next_page_token })
}
