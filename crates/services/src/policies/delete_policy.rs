//! `DELETE /v2/policies/{policyUuid}`

use guardhouse_contract::{
    Status,
    policies::{DeletePolicyRequest, DeletePolicyResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::PolicyId;

use crate::{Context, fields};

/// Deletes a policy with its assignments.
pub async fn run(context: &Context, request: DeletePolicyRequest) -> Result<DeletePolicyResponse, Status> {
    let policy: PolicyId = fields::resource("policyUuid", &request.policy_uuid)?;
    if context.store.policy_delete(policy).await.map_err(Failure::from)? {
        Ok(DeletePolicyResponse {})
    } else {
        Err(Status::not_found(format!("policy {policy}")))
    }
}
