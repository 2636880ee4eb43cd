//! `POST /v2/policy-assignments`

use guardhouse_contract::{
    Status,
    policies::{AssignPolicyRequest, AssignPolicyResponse, policy_target::Target},
};
use guardhouse_identity::Failure;
use guardhouse_model::PolicyId;
use guardhouse_store::{PolicyAssign, PolicyTarget};

use crate::{
    Context,
    fields::Checks,
    policy_assignments::{named, render, wake},
};

const POLICY: &str = "assignment.policyUuid";

/// Assigns a policy to a device or a group, as the last of its policies.
pub async fn run(context: &Context, request: AssignPolicyRequest) -> Result<AssignPolicyResponse, Status> {
    let asked = request.assignment.ok_or_else(|| Status::invalid_field("assignment", "is missing"))?;
    let mut checks = Checks::default();
    let policy: Option<PolicyId> = checks.id(POLICY, &asked.policy_uuid);
    let (field, target) = target(&mut checks, named(asked.target));
    checks.finish()?;
    let (Some(policy), Some(target)) = (policy, target) else {
        return Err(Status::internal("a check found nothing and read nothing"));
    };

    let id = context.environment.uuid().into();
    match context.store.policy_assign(id, policy, target).await.map_err(Failure::from)? {
        PolicyAssign::Done(assignment) => {
            wake(context, &[assignment.target]);
            Ok(AssignPolicyResponse { assignment: Some(render(assignment)) })
        }
        PolicyAssign::NoSuchPolicy => {
            Err(Status::invalid_field(POLICY, "names a policy that does not exist"))
        }
        PolicyAssign::NoSuchTarget => Err(Status::invalid_field(field, "names a target that does not exist")),
        PolicyAssign::Already(assignment) => {
            let wrong = format!(
                "names a policy that the target has already, by assignment {} with rank {}; change its rank, or \
                 take it away first",
                assignment.id, assignment.rank
            );
            Err(Status::invalid_field(POLICY, wrong))
        }
    }
}

/// Reads the target; with it comes the field that named it.
fn target(checks: &mut Checks, target: Option<Target>) -> (&'static str, Option<PolicyTarget>) {
    match target {
        Some(Target::DeviceUuid(uuid)) => {
            let field = "assignment.target.deviceUuid";
            (field, checks.id(field, &uuid).map(PolicyTarget::Device))
        }
        Some(Target::DeviceGroupUuid(uuid)) => {
            let field = "assignment.target.deviceGroupUuid";
            (field, checks.id(field, &uuid).map(PolicyTarget::Group))
        }
        Some(Target::SubscriptionUuid(_)) => {
            let field = "assignment.target.subscriptionUuid";
            checks.fail(
                field,
                "names a subscription that does not exist; this server has devices and groups only",
            );
            (field, None)
        }
        None => {
            let field = "assignment.target";
            checks.fail(field, "is missing; one of deviceUuid and deviceGroupUuid is needed");
            (field, None)
        }
    }
}
