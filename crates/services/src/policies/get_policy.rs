//! `GET /v2/policies/{policyUuid}`

use guardhouse_contract::{
    Status,
    policies::{GetPolicyRequest, GetPolicyResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::PolicyId;

use crate::{Context, fields, policies::render};

/// Answers one policy.
pub async fn run(context: &Context, request: GetPolicyRequest) -> Result<GetPolicyResponse, Status> {
    let policy: PolicyId = fields::resource("policyUuid", &request.policy_uuid)?;
    let kept = context.store.policy_get(policy).await.map_err(Failure::from)?;
    let kept = kept.ok_or_else(|| Status::not_found(format!("policy {policy}")))?;
    Ok(GetPolicyResponse { policy: Some(render(kept)?) })
}
