//! `AddImageVulWhiteList`

use guardhouse_contract::{
    Status,
    agentless::{AddImageVulWhiteListRequest, AddImageVulWhiteListResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{NewWhitelistedVulnerability, Store, WhitelistChanged};

use super::{asked, done, entries, reason, source, target};
use crate::fields::Checks;

/// Puts vulnerabilities on the whitelist.
pub async fn run(
    store: &Store,
    request: AddImageVulWhiteListRequest,
) -> Result<AddImageVulWhiteListResponse, Status> {
    let mut checks = Checks::default();
    source::must_be_kept(&mut checks, &request.source);
    let kind = asked::kind(&mut checks, &request.r#type);
    let entries = entries::read(&mut checks, &request.whitelist, kind);
    let target = target::read(&mut checks, request.target);
    reason::check(&mut checks, &request.reason);
    checks.finish()?;
    let new = entries.into_iter().map(|entry| NewWhitelistedVulnerability {
        kind: entry.kind,
        name: entry.name,
        alias: entry.alias,
        target: target.clone(),
        reason: request.reason.clone(),
    });
    let added = store.agentless_vulnerability_whitelist_add(new.collect()).await.map_err(Failure::from)?;
    if added == WhitelistChanged::NoSelection {
        return Err(target::no_such_selection());
    }
    Ok(AddImageVulWhiteListResponse {
        request_id: String::new(),
        code: done::CODE.to_owned(),
        http_status_code: done::HTTP,
        success: true,
        message: done::MESSAGE.to_owned(),
        data: true,
    })
}
