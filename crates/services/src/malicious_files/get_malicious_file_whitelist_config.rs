//! `GetMaliciousFileWhitelistConfig`

use guardhouse_contract::{
    Status,
    agentless::{GetMaliciousFileWhitelistConfigRequest, GetMaliciousFileWhitelistConfigResponse},
};
use guardhouse_identity::Failure;

use super::rules;
use crate::{
    Context,
    findings::{CODE, HTTP_STATUS, MESSAGE},
};

/// Answers one rule.
pub async fn run(
    context: &Context,
    request: GetMaliciousFileWhitelistConfigRequest,
) -> Result<GetMaliciousFileWhitelistConfigResponse, Status> {
    let id = request.config_id;
    let rule = context.store.agentless_malicious_rule_get(id).await.map_err(Failure::from)?;
    let rule = rule.ok_or_else(|| rules::unknown("ConfigId", &[id]))?;
    Ok(GetMaliciousFileWhitelistConfigResponse {
        code: CODE.to_owned(),
        data: Some(rules::shown(rule)),
        http_status_code: HTTP_STATUS,
        message: MESSAGE.to_owned(),
        request_id: String::new(),
        success: true,
    })
}
