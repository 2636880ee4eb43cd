//! `DescribeImageVulList`

use guardhouse_contract::{
    Status,
    agentless::{DescribeImageVulListRequest, DescribeImageVulListResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::Store;

use super::{asked::Asked, render};
use crate::{
    fields::Checks,
    numbered_pages::{Page, count},
};

/// Rows of a page when the client does not say; fewer than elsewhere in the public API.
const DEFAULT_SIZE: i32 = 10;

/// Lists vulnerable packages, or of each asset the worst of them.
pub async fn run(
    store: &Store,
    request: DescribeImageVulListRequest,
) -> Result<DescribeImageVulListResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read_or(&mut checks, request.current_page, request.page_size, DEFAULT_SIZE);
    let is_by_asset = request.group_by_asset.unwrap_or(false);
    let filter = asked(request).read(&mut checks);
    checks.finish()?;
    let found = if is_by_asset {
        store.agentless_vulnerabilities_by_asset(filter, page.number()).await
    } else {
        store.agentless_vulnerabilities_list(filter, page.number()).await
    };
    let found = found.map_err(Failure::from)?;
    let info = page.info(found.total);
    Ok(DescribeImageVulListResponse {
        request_id: String::new(),
        current_page: info.current_page,
        page_size: info.page_size,
        total_count: count(found.total),
        vul_records: found.rows.into_iter().map(render::record).collect(),
    })
}

fn asked(request: DescribeImageVulListRequest) -> Asked {
    Asked {
        kind: request.r#type,
        name: request.name,
        alias_name: request.alias_name,
        necessity: request.necessity,
        dealed: request.dealed,
        status_list: request.status_list,
        uuids: request.uuids,
        instance_id: request.instance_id,
        scan_range: request.scan_range,
        of_containers: vec![
            request.rule_tag,
            request.cluster_id,
            request.cluster_name,
            request.container_id,
            request.digest,
            request.image,
            request.namespace,
            request.pod,
            request.repo_id,
            request.repo_instance_id,
            request.repo_name,
            request.repo_namespace,
            request.repo_region_id,
            request.tag,
        ],
    }
}
