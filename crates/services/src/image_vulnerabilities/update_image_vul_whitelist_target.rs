//! `UpdateImageVulWhitelistTarget`

use guardhouse_contract::{
    Status,
    agentless::{UpdateImageVulWhitelistTargetRequest, UpdateImageVulWhitelistTargetResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{Store, WhitelistChanged};

use super::{done, reason, source, target};
use crate::fields::Checks;

/// Changes where, or why, somebody lives with a vulnerability.
pub async fn run(
    store: &Store,
    request: UpdateImageVulWhitelistTargetRequest,
) -> Result<UpdateImageVulWhitelistTargetResponse, Status> {
    let mut checks = Checks::default();
    source::must_be_kept(&mut checks, &request.source);
    let id = request.id.unwrap_or(0);
    let target = request.target.map(|target| target::read(&mut checks, target));
    if let Some(reason) = &request.reason {
        reason::check(&mut checks, reason);
    }
    checks.finish()?;
    let changed = store.agentless_vulnerability_whitelist_update(id, target, request.reason).await;
    match changed.map_err(Failure::from)? {
        WhitelistChanged::Changed => {}
        WhitelistChanged::NotFound => return Err(Status::not_found(format!("entry {id} of the whitelist"))),
        WhitelistChanged::NoSelection => return Err(target::no_such_selection()),
    }
    Ok(UpdateImageVulWhitelistTargetResponse {
        request_id: String::new(),
        code: done::CODE.to_owned(),
        http_status_code: done::HTTP,
        success: true,
        message: done::MESSAGE.to_owned(),
        data: true,
    })
}
