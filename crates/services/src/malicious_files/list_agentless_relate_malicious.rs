//! `ListAgentlessRelateMalicious`

use guardhouse_contract::{
    Status,
    agentless::{ListAgentlessRelateMaliciousRequest, ListAgentlessRelateMaliciousResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::MaliciousFileFilter;

use super::{rows, words};
use crate::{
    Context,
    fields::Checks,
    findings::{self, Page},
};

/// Lists the malicious files that are like one of them, itself included.
pub async fn run(
    context: &Context,
    request: ListAgentlessRelateMaliciousRequest,
) -> Result<ListAgentlessRelateMaliciousResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read_text(&mut checks, request.current_page, &request.page_size);
    let language = findings::language(&mut checks, &request.lang);
    let likeness = words::scenario(&mut checks, &request.scenario);
    checks.finish()?;

    let like = Some((request.event_id, likeness));
    let filter = MaliciousFileFilter { like, ..MaliciousFileFilter::default() };
    let found =
        context.store.agentless_malicious_files_list(filter, page.number()).await.map_err(Failure::from)?;
    if found.total == 0 {
        return Err(super::unknown_file("EventId", &[request.event_id]));
    }
    let info = page.counted_info(found.rows.len(), found.total);
    let list = found.rows.into_iter().map(|file| rows::related(file, language)).collect();
    Ok(ListAgentlessRelateMaliciousResponse { request_id: String::new(), list, page_info: Some(info) })
}
