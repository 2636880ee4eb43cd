//! `DescribeCanFixVulList`

use guardhouse_contract::{
    Status,
    agentless::{DescribeCanFixVulListRequest, DescribeCanFixVulListResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{Store, VulnerabilityFilter};

use super::{asked::Asked, render};
use crate::{fields::Checks, numbered_pages::Page};

/// Lists vulnerable packages of which there is a version that is fixed. The answer does not say how many there are.
pub async fn run(
    store: &Store,
    request: DescribeCanFixVulListRequest,
) -> Result<DescribeCanFixVulListResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    let filter = VulnerabilityFilter { is_fixable: true, ..asked(request).read(&mut checks) };
    checks.finish()?;
    let found = store.agentless_vulnerabilities_list(filter, page.number()).await.map_err(Failure::from)?;
    Ok(DescribeCanFixVulListResponse {
        request_id: String::new(),
        vul_records: found.rows.into_iter().map(render::record).collect(),
    })
}

fn asked(request: DescribeCanFixVulListRequest) -> Asked {
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
