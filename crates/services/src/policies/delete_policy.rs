//! `DELETE /v2/policies/{policyUuid}`

use guardhouse_contract::{
    Status,
    policies::{DeletePolicyRequest, DeletePolicyResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::PolicyId;

use crate::{Context, fields, policy_assignments};

/// Deletes a policy with its assignments.
pub async fn run(context: &Context, request: DeletePolicyRequest) -> Result<DeletePolicyResponse, Status> {
    let policy: PolicyId = fields::resource("policyUuid", &request.policy_uuid)?;
    let targets = context.store.policy_delete(policy).await.map_err(Failure::from)?;
    let targets = targets.ok_or_else(|| Status::not_found(format!("policy {policy}")))?;
    policy_assignments::wake(context, &targets);
    Ok(DeletePolicyResponse {})
}
