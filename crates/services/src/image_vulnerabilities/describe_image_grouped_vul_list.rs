//! `DescribeImageGroupedVulList`

use guardhouse_contract::{
    Status,
    agentless::{DescribeImageGroupedVulListRequest, DescribeImageGroupedVulListResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{Store, VulnerabilityFilter};

use super::{asked::Asked, render};
use crate::{
    fields::Checks,
    numbered_pages::{Page, count},
};

/// Lists vulnerabilities, each once.
pub async fn run(
    store: &Store,
    request: DescribeImageGroupedVulListRequest,
) -> Result<DescribeImageGroupedVulListResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    let cve = request.cve_id.clone();
    let filter = VulnerabilityFilter { cve, ..asked(request).read(&mut checks) };
    checks.finish()?;
    let found = store.agentless_vulnerability_groups(filter, page.number()).await.map_err(Failure::from)?;
    let info = page.info(found.total);
    Ok(DescribeImageGroupedVulListResponse {
        request_id: String::new(),
        current_page: info.current_page,
        page_size: info.page_size,
        total_count: count(found.total),
        grouped_vul_items: found.rows.into_iter().map(render::group).collect(),
    })
}

fn asked(request: DescribeImageGroupedVulListRequest) -> Asked {
    // Guardhouse fixes nothing: those that it could fix are none, and those that it could not are all.
    let fixed_here =
        request.agentless_can_fix.filter(|is_fixed_here| *is_fixed_here).map(|_| "true".to_owned());
    let patch = request.patch_id.map(|patch| patch.to_string());
    Asked {
        kind: request.r#type,
        name: request.name,
        alias_name: request.alias_name,
        necessity: request.necessity,
        uuids: request.uuids,
        scan_range: request.scan_range,
        of_containers: vec![
            fixed_here.unwrap_or_default(),
            patch.unwrap_or_default(),
            request.rule_tag,
            request.group_id,
            request.cluster_id,
            request.image_digest,
            request.image_layer,
            request.image_tag,
            request.repo_id,
            request.repo_instance_id,
            request.repo_name,
            request.repo_namespace,
            request.repo_region_id,
        ],
        ..Asked::default()
    }
}
