//! `DescribeImageVulWhiteList`

use guardhouse_contract::{
    Status,
    agentless::{
        DescribeImageVulWhiteListRequest, DescribeImageVulWhiteListResponse, VulPageInfo, WhitelistedVul,
    },
};
use guardhouse_identity::Failure;
use guardhouse_store::{Paged, Store, WhitelistedVulnerability};

use super::{done, source};
use crate::{
    fields::Checks,
    numbered_pages::{Page, count},
};

/// Lists the whitelist. For sources that nothing is kept for it is empty.
pub async fn run(
    store: &Store,
    request: DescribeImageVulWhiteListRequest,
) -> Result<DescribeImageVulWhiteListResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    let is_kept = source::is_kept(&mut checks, &request.source);
    checks.finish()?;
    let found = if is_kept {
        let listed = store.agentless_vulnerability_whitelist_list(request.alias_name, page.number()).await;
        listed.map_err(Failure::from)?
    } else {
        Paged { rows: Vec::new(), total: 0 }
    };
    let info = page.info(found.total);
    let image_vul_whitelist: Vec<_> = found.rows.into_iter().map(render).collect();
    Ok(DescribeImageVulWhiteListResponse {
        request_id: String::new(),
        code: done::CODE.to_owned(),
        http_status_code: done::HTTP,
        success: true,
        message: done::MESSAGE.to_owned(),
        page_info: Some(VulPageInfo {
            current_page: info.current_page,
            page_size: info.page_size,
            total_count: info.total_count,
            count: count(image_vul_whitelist.len() as u64),
        }),
        image_vul_whitelist,
        time_cost: 0,
    })
}

fn render(entry: WhitelistedVulnerability) -> WhitelistedVul {
    WhitelistedVul {
        id: entry.id,
        r#type: entry.kind.word().to_owned(),
        name: entry.name,
        alias_name: entry.alias,
        target: entry.target,
        reason: entry.reason,
    }
}
