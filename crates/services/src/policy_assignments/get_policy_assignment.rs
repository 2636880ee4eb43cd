//! `GET /v2/policy-assignments/{assignmentUuid}`

use guardhouse_contract::{
    Status,
    policies::{GetPolicyAssignmentRequest, GetPolicyAssignmentResponse},
};
use guardhouse_identity::Failure;

use crate::{
    Context, fields,
    policy_assignments::{no_such, render},
};

/// Answers one assignment.
pub async fn run(
    context: &Context,
    request: GetPolicyAssignmentRequest,
) -> Result<GetPolicyAssignmentResponse, Status> {
    let assignment = fields::resource("assignmentUuid", &request.assignment_uuid)?;
    let kept = context.store.policy_assignment_get(assignment).await.map_err(Failure::from)?;
    let kept = kept.ok_or_else(|| no_such(assignment))?;
    Ok(GetPolicyAssignmentResponse { assignment: Some(render(kept)) })
}
