//! `DeleteMaliciousFileWhitelistConfig`

use guardhouse_contract::{
    Status,
    agentless::{DeleteMaliciousFileWhitelistConfigRequest, DeleteMaliciousFileWhitelistConfigResponse},
};
use guardhouse_identity::Failure;

use super::rules;
use crate::{
    Context,
    findings::{CODE, HTTP_STATUS, MESSAGE},
};

/// Removes a rule.
pub async fn run(
    context: &Context,
    request: DeleteMaliciousFileWhitelistConfigRequest,
) -> Result<DeleteMaliciousFileWhitelistConfigResponse, Status> {
    let now = context.environment.now();
    let unknown = context.store.agentless_malicious_rules_remove(vec![request.config_id], now).await;
    let unknown = unknown.map_err(Failure::from)?;
    if !unknown.is_empty() {
        return Err(rules::unknown("ConfigId", &unknown));
    }
    Ok(DeleteMaliciousFileWhitelistConfigResponse {
        code: CODE.to_owned(),
        http_status_code: HTTP_STATUS,
        message: MESSAGE.to_owned(),
        request_id: String::new(),
        success: true,
    })
}
