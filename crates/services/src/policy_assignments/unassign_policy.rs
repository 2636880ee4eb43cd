//! `DELETE /v2/policy-assignments/{assignmentUuid}`

use guardhouse_contract::{
    Status,
    policies::{UnassignPolicyRequest, UnassignPolicyResponse},
};
use guardhouse_identity::Failure;

use crate::{
    Context, fields,
    policy_assignments::{no_such, wake},
};

/// Takes a policy away from a target; the ranks behind it close up.
pub async fn run(
    context: &Context,
    request: UnassignPolicyRequest,
) -> Result<UnassignPolicyResponse, Status> {
    let assignment = fields::resource("assignmentUuid", &request.assignment_uuid)?;
    let target = context.store.policy_unassign(assignment).await.map_err(Failure::from)?;
    let target = target.ok_or_else(|| no_such(assignment))?;
    wake(context, &[target]);
    Ok(UnassignPolicyResponse {})
}
