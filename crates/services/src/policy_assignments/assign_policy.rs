//! `POST /v2/policy-assignments`

use guardhouse_contract::{
    Status,
    policies::{AssignPolicyRequest, AssignPolicyResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::PolicyAssign;

use super::{Asked, render, wake};
use crate::Context;

/// Assigns a policy to a device or a group, as the last of its policies.
pub async fn run(context: &Context, request: AssignPolicyRequest) -> Result<AssignPolicyResponse, Status> {
    let asked = Asked::read(request.assignment)?;
    let id = context.environment.uuid().into();
    match context.store.policy_assign(id, asked.policy, asked.target).await.map_err(Failure::from)? {
        PolicyAssign::Done(assignment) => {
            wake(context, &[assignment.target]);
            Ok(AssignPolicyResponse { assignment: Some(render(assignment)) })
        }
        PolicyAssign::NoSuchPolicy => Err(asked.no_such_policy()),
        PolicyAssign::NoSuchTarget => Err(asked.no_such_target()),
        PolicyAssign::Already(assignment) => Err(asked.already(&assignment)),
    }
}
