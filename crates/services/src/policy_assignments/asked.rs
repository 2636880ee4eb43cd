//! The assignment that a request asks for.

use guardhouse_contract::{
    Status,
    policies::{PolicyAssignment, policy_target::Target},
};
use guardhouse_model::PolicyId;
use guardhouse_store::{Assignment, PolicyTarget};

use super::named;
use crate::fields::Checks;

const POLICY: &str = "assignment.policyUuid";

/// An assignment that can be asked of the store.
#[derive(Debug)]
pub struct Asked {
    /// The policy.
    pub policy: PolicyId,
    /// What it is to be assigned to.
    pub target: PolicyTarget,
    /// The field that names the target.
    field: &'static str,
}

impl Asked {
    /// Reads the assignment of a request.
    ///
    /// # Errors
    /// 400 with every wrong field.
    pub fn read(assignment: Option<PolicyAssignment>) -> Result<Self, Status> {
        let asked = assignment.ok_or_else(|| Status::invalid_field("assignment", "is missing"))?;
        let mut checks = Checks::default();
        let policy = checks.id(POLICY, &asked.policy_uuid);
        let (field, target) = target(&mut checks, named(asked.target));
        checks.finish()?;
        let (Some(policy), Some(target)) = (policy, target) else {
            return Err(Status::internal("a check found nothing and read nothing"));
        };
        Ok(Self { policy, target, field })
    }

    /// There is no such policy.
    #[must_use]
    pub fn no_such_policy(&self) -> Status {
        Status::invalid_field(POLICY, "names a policy that does not exist")
    }

    /// There is no such target.
    #[must_use]
    pub fn no_such_target(&self) -> Status {
        Status::invalid_field(self.field, "names a target that does not exist")
    }

    /// The target has the policy by this assignment.
    #[must_use]
    pub fn already(&self, assignment: &Assignment) -> Status {
        let wrong = format!(
            "names a policy that the target has already, by assignment {} with rank {}; change its rank, or take it \
             away first",
            assignment.id, assignment.rank
        );
        Status::invalid_field(POLICY, wrong)
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
