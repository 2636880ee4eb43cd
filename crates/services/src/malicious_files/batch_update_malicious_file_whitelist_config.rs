//! `BatchUpdateMaliciousFileWhitelistConfig`

use guardhouse_contract::{
    Status,
    agentless::{
        BatchUpdateMaliciousFileWhitelistConfigRequest, BatchUpdateMaliciousFileWhitelistConfigResponse,
    },
};
use guardhouse_identity::Failure;

use super::{
    LARGEST_BATCH,
    rules::{self, Asked},
};
use crate::{
    Context,
    fields::Checks,
    findings::{CODE, HTTP_STATUS, MESSAGE},
};

/// Changes rules, and makes those without an id: all of them, or none.
pub async fn run(
    context: &Context,
    request: BatchUpdateMaliciousFileWhitelistConfigRequest,
) -> Result<BatchUpdateMaliciousFileWhitelistConfigResponse, Status> {
    let asked = request.config_list;
    let mut checks = Checks::default();
    if !(1..=LARGEST_BATCH).contains(&asked.len()) {
        checks.fail("ConfigList", format!("has {} elements; 1 to {LARGEST_BATCH} are allowed", asked.len()));
    }
    let changes = asked.iter().enumerate();
    let changes =
        changes.map(|(place, one)| Asked::from(one).read(&mut checks, one.config_id, None, Some(place)));
    let changes: Vec<_> = changes.collect();
    checks.finish()?;
    let ids: Vec<_> = asked.iter().map(|one| one.config_id).collect();
    let now = context.environment.now();
    let changed = context.store.agentless_malicious_rules_change(changes, now).await;
    changed.map_err(Failure::from)?.map_err(|refusal| rules::refused(&refusal, &ids, true))?;
    Ok(BatchUpdateMaliciousFileWhitelistConfigResponse {
        code: CODE.to_owned(),
        http_status_code: HTTP_STATUS,
        message: MESSAGE.to_owned(),
        request_id: String::new(),
        success: true,
    })
}
