//! `ListMaliciousFileWhitelistConfigs`

use guardhouse_contract::{
    Status,
    agentless::{ListMaliciousFileWhitelistConfigsRequest, ListMaliciousFileWhitelistConfigsResponse},
};
use guardhouse_identity::Failure;

use super::rules;
use crate::{
    Context,
    fields::Checks,
    findings::{CODE, HTTP_STATUS, MESSAGE, Page},
};

/// Lists the rules that take files for good, the newest first.
pub async fn run(
    context: &Context,
    request: ListMaliciousFileWhitelistConfigsRequest,
) -> Result<ListMaliciousFileWhitelistConfigsResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    rules::source(&mut checks, &request.source);
    rules::event_name(&mut checks, &request.event_name);
    checks.finish()?;
    let found = context.store.agentless_malicious_rules_list(request.id_list, page.number()).await;
    let found = found.map_err(Failure::from)?;
    let info = page.counted_info(found.rows.len(), found.total);
    Ok(ListMaliciousFileWhitelistConfigsResponse {
        code: CODE.to_owned(),
        http_status_code: HTTP_STATUS,
        list: found.rows.into_iter().map(rules::shown).collect(),
        message: MESSAGE.to_owned(),
        page_info: Some(info),
        request_id: String::new(),
        success: true,
    })
}
