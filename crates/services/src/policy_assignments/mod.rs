//! Assignments of policies: assign, list, get, unassign, and the order among those of one target.

mod asked;
mod assign_policy;
mod get_policy_assignment;
mod list_policy_assignments;
mod unassign_policy;
mod update_ranking;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    policies::{
        self, AssignPolicyRequest, AssignPolicyResponse, GetPolicyAssignmentRequest,
        GetPolicyAssignmentResponse, ListPolicyAssignmentsRequest, ListPolicyAssignmentsResponse,
        PolicyAssignment, PolicyAssignments, UnassignPolicyRequest, UnassignPolicyResponse,
        UpdatePolicyAssignmentRankingRequest, UpdatePolicyAssignmentRankingResponse, policy_target::Target,
    },
};
use guardhouse_model::AssignmentId;
use guardhouse_store::{Assignment, PolicyTarget};

use crate::Context;

pub use asked::Asked;

/// Implements the service `PolicyAssignments`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl PolicyAssignments for Service {
    async fn list_policy_assignments(
        &self,
        _: &Call,
        request: ListPolicyAssignmentsRequest,
    ) -> Result<ListPolicyAssignmentsResponse, Status> {
        list_policy_assignments::run(&self.0, request).await
    }

    async fn assign_policy(
        &self,
        _: &Call,
        request: AssignPolicyRequest,
    ) -> Result<AssignPolicyResponse, Status> {
        assign_policy::run(&self.0, request).await
    }

    async fn get_policy_assignment(
        &self,
        _: &Call,
        request: GetPolicyAssignmentRequest,
    ) -> Result<GetPolicyAssignmentResponse, Status> {
        get_policy_assignment::run(&self.0, request).await
    }

    async fn unassign_policy(
        &self,
        _: &Call,
        request: UnassignPolicyRequest,
    ) -> Result<UnassignPolicyResponse, Status> {
        unassign_policy::run(&self.0, request).await
    }

    async fn update_policy_assignment_ranking(
        &self,
        _: &Call,
        request: UpdatePolicyAssignmentRankingRequest,
    ) -> Result<UpdatePolicyAssignmentRankingResponse, Status> {
        update_ranking::run(&self.0, request).await
    }
}

/// The target that a request names. An empty one is none, as in JSON.
fn named(target: Option<policies::PolicyTarget>) -> Option<Target> {
    target.and_then(|target| target.target).filter(|target| match target {
        Target::DeviceUuid(uuid) | Target::DeviceGroupUuid(uuid) | Target::SubscriptionUuid(uuid) => {
            !uuid.is_empty()
        }
    })
}

fn render(kept: Assignment) -> PolicyAssignment {
    PolicyAssignment {
        policy_uuid: kept.policy.to_string(),
        rank: kept.rank,
        target: Some(render_target(kept.target)),
        uuid: kept.id.to_string(),
    }
}

/// Tells the connected devices whose policies changed to look for them.
pub fn wake(context: &Context, targets: &[PolicyTarget]) {
    let device = |target: &PolicyTarget| match target {
        PolicyTarget::Device(device) => Some(*device),
        PolicyTarget::Group(_) => None,
    };
    match targets.iter().map(device).collect::<Option<Vec<_>>>() {
        Some(devices) => context.dispatcher.wake(&devices),
        None => context.dispatcher.wake_all(),
    }
}

/// Words what a policy is assigned to.
pub fn render_target(target: PolicyTarget) -> policies::PolicyTarget {
    let target = match target {
        PolicyTarget::Device(device) => Target::DeviceUuid(device.to_string()),
        PolicyTarget::Group(group) => Target::DeviceGroupUuid(group.to_string()),
    };
    policies::PolicyTarget { target: Some(target) }
}

fn no_such(assignment: AssignmentId) -> Status {
    Status::not_found(format!("policy assignment {assignment}"))
}
