//! `BatchDeleteMaliciousFileWhitelistConfig`

use guardhouse_contract::{
    Status,
    agentless::{
        BatchDeleteMaliciousFileWhitelistConfigRequest, BatchDeleteMaliciousFileWhitelistConfigResponse,
    },
};
use guardhouse_identity::Failure;

use super::{LARGEST_BATCH, rules};
use crate::{
    Context,
    findings::{CODE, HTTP_STATUS, MESSAGE},
};

/// Removes rules: all of them, or none.
pub async fn run(
    context: &Context,
    request: BatchDeleteMaliciousFileWhitelistConfigRequest,
) -> Result<BatchDeleteMaliciousFileWhitelistConfigResponse, Status> {
    let ids = request.config_id_list;
    if !(1..=LARGEST_BATCH).contains(&ids.len()) {
        let wrong = format!("has {} elements; 1 to {LARGEST_BATCH} are allowed", ids.len());
        return Err(Status::invalid_field("ConfigIdList", wrong));
    }
    let now = context.environment.now();
    let unknown = context.store.agentless_malicious_rules_remove(ids, now).await.map_err(Failure::from)?;
    if !unknown.is_empty() {
        return Err(rules::unknown("ConfigIdList", &unknown));
    }
    Ok(BatchDeleteMaliciousFileWhitelistConfigResponse {
        code: CODE.to_owned(),
        http_status_code: HTTP_STATUS,
        message: MESSAGE.to_owned(),
        request_id: String::new(),
        success: true,
    })
}
