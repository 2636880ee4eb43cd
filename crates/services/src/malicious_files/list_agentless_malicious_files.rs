//! `ListAgentlessMaliciousFiles`

use guardhouse_contract::{
    Call, Status,
    agentless::{ListAgentlessMaliciousFilesRequest, ListAgentlessMaliciousFilesResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{AssetFilter, MaliciousFileFilter};

use super::{rows, words};
use crate::{
    Context,
    fields::Checks,
    findings::{self, Page},
};

/// Lists malicious files, the one that was found last for the first time before the others.
pub async fn run(
    context: &Context,
    call: &Call,
    request: ListAgentlessMaliciousFilesRequest,
) -> Result<ListAgentlessMaliciousFilesResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read_text(&mut checks, request.current_page, &request.page_size);
    let language = findings::language(&mut checks, &request.lang);
    let range = request.scan_range.iter().map(String::as_str);
    let filter = MaliciousFileFilter {
        id: request.event_id,
        like: None,
        name: request.fuzzy_malicious_name,
        md5: request.malicious_md5.to_ascii_lowercase(),
        kind: words::kind(&mut checks, &request.malicious_type),
        levels: words::levels(&mut checks, &request.levels),
        is_handled: words::dealed(&mut checks, &request.dealed),
        asset: AssetFilter {
            instance_ids: findings::asset_ids(&mut checks, "Uuid", vec![request.uuid]),
            remark: request.remark,
            target_types: findings::scan_range(&mut checks, range),
        },
    };
    checks.finish()?;

    let found =
        context.store.agentless_malicious_files_list(filter, page.number()).await.map_err(Failure::from)?;
    let info = page.counted_info(found.rows.len(), found.total);
    let with_path = rows::reads_paths(&call.user_agent);
    let list = found.rows.into_iter().map(|file| rows::row(file, language, with_path)).collect();
    Ok(ListAgentlessMaliciousFilesResponse { request_id: String::new(), list, page_info: Some(info) })
}
