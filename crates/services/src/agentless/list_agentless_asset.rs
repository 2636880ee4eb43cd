//! `ListAgentlessAsset`

use guardhouse_contract::{
    Status,
    agentless::{AgentlessAssetRow, ListAgentlessAssetRequest, ListAgentlessAssetResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{AgentlessAsset, AgentlessAssetFilter};

use crate::{Context, fields::Checks, numbered_pages::Page};

/// Assets are whole disks, with the system on them.
const DISK_TYPE: &str = "system";

/// How many assets may be asked for by their ids.
const MOST_IDS: usize = 1_000;

/// Lists what can be scanned: the snapshots and images that are there.
pub async fn run(
    context: &Context,
    request: ListAgentlessAssetRequest,
) -> Result<ListAgentlessAssetResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    let filter = read(&mut checks, &context.region, request);
    checks.finish()?;
    let (rows, total) = match filter {
        None => (Vec::new(), 0),
        Some(filter) => {
            let found = context.store.agentless_assets_page(filter, page.number()).await;
            let found = found.map_err(Failure::from)?;
            (found.rows, found.total)
        }
    };
    let row = |asset| row(asset, &context.region);
    let (asset_list, page_info) = (rows.into_iter().map(row).collect(), Some(page.info(total)));
    Ok(ListAgentlessAssetResponse { request_id: String::new(), page_info, asset_list })
}

/// What is asked for. `None`: nothing can be in the list.
fn read(
    checks: &mut Checks,
    region: &str,
    request: ListAgentlessAssetRequest,
) -> Option<AgentlessAssetFilter> {
    let target_type = request.target_type.inspect(|number| {
        if ![3, 4].contains(number) {
            let why = "is no type of such assets: 3 (snapshots) and 4 (images) are";
            checks.fail("TargetType", why);
        }
    });
    if !["", DISK_TYPE, "data"].contains(&request.disk_type.as_str()) {
        checks.fail("DiskType", "is not known; system and data are");
    }
    if request.instance_ids.len() > MOST_IDS {
        let number = request.instance_ids.len();
        checks.fail("InstanceIds", format!("has {number} ids; at most {MOST_IDS} can be asked for"));
    }
    let region_fits = request.scan_region_id.is_empty() || request.scan_region_id == region;
    let mut ids = Some(request.instance_ids).filter(|ids| !ids.is_empty());
    if !request.instance_id.is_empty() {
        let one = request.instance_id;
        let is_listed = ids.as_ref().is_none_or(|ids| ids.contains(&one));
        ids = Some(if is_listed { vec![one] } else { Vec::new() });
    }
    let is_possible =
        region_fits && request.disk_type != "data" && ids.as_ref().is_none_or(|ids| !ids.is_empty());
    let (name, platform) = (request.instance_name, request.platform);
    is_possible.then_some(AgentlessAssetFilter { ids, target_type, without_devices: true, name, platform })
}

fn row(asset: AgentlessAsset, region: &str) -> AgentlessAssetRow {
    AgentlessAssetRow {
        instance_id: asset.instance_id,
        instance_name: asset.name,
        platform: asset.platform,
        region_id: region.to_owned(),
        disk_type: DISK_TYPE.to_owned(),
        target_type: asset.target_type,
    }
}
