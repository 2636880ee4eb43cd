//! `DeleteImageVulWhitelist`

use guardhouse_contract::{
    Status,
    agentless::{DeleteImageVulWhitelistRequest, DeleteImageVulWhitelistResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::Store;

use super::{asked::parts, done};
use crate::fields::Checks;

/// How many go at once at most.
const MOST: usize = 1_000;

/// Takes vulnerabilities off the whitelist. Those that are not on it are left out.
pub async fn run(
    store: &Store,
    request: DeleteImageVulWhitelistRequest,
) -> Result<DeleteImageVulWhitelistResponse, Status> {
    let mut checks = Checks::default();
    let mut ids = Vec::new();
    for part in parts(&request.ids) {
        match part.parse::<i64>() {
            Ok(id) => ids.push(id),
            Err(_) => checks.fail("Ids", format!("has {part:?}; ids are numbers, with commas between them")),
        }
    }
    if !(1..=MOST).contains(&parts(&request.ids).count()) {
        checks.fail("Ids", format!("must name 1 to {MOST} entries of the whitelist"));
    }
    checks.finish()?;
    let removed = store.agentless_vulnerability_whitelist_remove(ids).await.map_err(Failure::from)?;
    Ok(DeleteImageVulWhitelistResponse {
        request_id: String::new(),
        code: done::CODE.to_owned(),
        http_status_code: done::HTTP,
        success: true,
        message: done::MESSAGE.to_owned(),
        data: removed > 0,
    })
}
