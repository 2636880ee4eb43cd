//! `CreateMaliciousFileWhitelistConfig`

use guardhouse_contract::{
    Status,
    agentless::{
        CreateMaliciousFileWhitelistConfigRequest, CreateMaliciousFileWhitelistConfigResponse,
        CreatedMaliciousFileWhitelistConfig,
    },
};
use guardhouse_identity::Failure;

use super::rules::{self, Asked};
use crate::{
    Context,
    fields::Checks,
    findings::{CODE, HTTP_STATUS, MESSAGE},
};

/// Makes a rule that takes files for good.
pub async fn run(
    context: &Context,
    request: CreateMaliciousFileWhitelistConfigRequest,
) -> Result<CreateMaliciousFileWhitelistConfigResponse, Status> {
    let asked = Asked {
        event_name: &request.event_name,
        field: &request.field,
        field_value: &request.field_value,
        operator: &request.operator,
        source: &request.source,
        target_type: &request.target_type,
        target_value: &request.target_value,
    };
    let mut checks = Checks::default();
    let change = asked.read(&mut checks, None, Some(request.remark.clone()), None);
    checks.finish()?;
    let now = context.environment.now();
    let made = context.store.agentless_malicious_rules_change(vec![change], now).await;
    let mut made =
        made.map_err(Failure::from)?.map_err(|refusal| rules::refused(&refusal, &[None], false))?;
    let rule =
        made.pop().map(rules::shown).ok_or_else(|| Status::internal("a rule was made and is not there"))?;
    let data = CreatedMaliciousFileWhitelistConfig {
        count: rule.count,
        event_name: rule.event_name,
        field: rule.field,
        field_value: rule.field_value,
        gmt_create: rule.gmt_create,
        gmt_modified: rule.gmt_modified,
        id: rule.id.to_string(),
        operator: rule.operator,
        source: rule.source,
        target_type: rule.target_type,
        target_value: rule.target_value,
    };
    Ok(CreateMaliciousFileWhitelistConfigResponse {
        code: CODE.to_owned(),
        data: Some(data),
        http_status_code: HTTP_STATUS,
        message: MESSAGE.to_owned(),
        request_id: String::new(),
        success: true,
    })
}
