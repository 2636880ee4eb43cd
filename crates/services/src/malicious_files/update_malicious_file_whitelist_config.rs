//! `UpdateMaliciousFileWhitelistConfig`

use guardhouse_contract::{
    Status,
    agentless::{UpdateMaliciousFileWhitelistConfigRequest, UpdateMaliciousFileWhitelistConfigResponse},
};
use guardhouse_identity::Failure;

use super::rules::{self, Asked};
use crate::{
    Context,
    fields::Checks,
    findings::{CODE, HTTP_STATUS, MESSAGE},
};

/// Changes a rule; without its id, makes one.
pub async fn run(
    context: &Context,
    request: UpdateMaliciousFileWhitelistConfigRequest,
) -> Result<UpdateMaliciousFileWhitelistConfigResponse, Status> {
    let (id, remark) = (request.config_id, request.remark.clone());
    let mut checks = Checks::default();
    let change = Asked::from(&request).read(&mut checks, id, remark, None);
    checks.finish()?;
    let now = context.environment.now();
    let changed = context.store.agentless_malicious_rules_change(vec![change], now).await;
    changed.map_err(Failure::from)?.map_err(|refusal| rules::refused(&refusal, &[id], false))?;
    Ok(UpdateMaliciousFileWhitelistConfigResponse {
        code: CODE.to_owned(),
        http_status_code: HTTP_STATUS,
        message: MESSAGE.to_owned(),
        request_id: String::new(),
        success: true,
    })
}
