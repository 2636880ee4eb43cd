//! `DELETE /v2/policies/{policyUuid}`

use guardhouse_contract::{
    Status,
    policies::{DeletePolicyRequest, DeletePolicyResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::PolicyId;
use guardhouse_policy::is_built_in;

use crate::{Context, fields, policy_assignments};

/// Deletes a policy with its assignments, unless it is built in.
pub async fn run(context: &Context, request: DeletePolicyRequest) -> Result<DeletePolicyResponse, Status> {
    let policy: PolicyId = fields::resource("policyUuid", &request.policy_uuid)?;
    if is_built_in(policy) {
        let wrong = "the policy is built in and cannot be deleted; take its assignments away instead";
        return Err(Status::failed_precondition("POLICY_BUILT_IN", wrong));
    }
    let targets = context.store.policy_delete(policy).await.map_err(Failure::from)?;
    let targets = targets.ok_or_else(|| Status::not_found(format!("policy {policy}")))?;
    policy_assignments::wake(context, &targets);
    Ok(DeletePolicyResponse {})
}
