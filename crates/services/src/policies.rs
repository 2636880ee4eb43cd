//! Policies and their assignments: planned. Every method says so with UNIMPLEMENTED.

use guardhouse_contract::{
    Call, Code, Status,
    policies::{
        AssignPolicyRequest, AssignPolicyResponse, CreatePolicyRequest, CreatePolicyResponse,
        DeletePolicyRequest, DeletePolicyResponse, GetPolicyAssignmentRequest, GetPolicyAssignmentResponse,
        GetPolicyRequest, GetPolicyResponse, ListPoliciesRequest, ListPoliciesResponse,
        ListPolicyAssignmentsRequest, ListPolicyAssignmentsResponse, Policies, PolicyAssignments,
        UnassignPolicyRequest, UnassignPolicyResponse, UpdatePolicyAssignmentRankingRequest,
        UpdatePolicyAssignmentRankingResponse,
    },
};

/// Stands for the services `Policies` and `PolicyAssignments`.
#[derive(Debug)]
pub struct Service;

fn planned<T>() -> Result<T, Status> {
    let message = "policies are not built yet; every other method of the contract is";
    Err(Status::new(Code::Unimplemented, "METHOD_PLANNED", message))
}

impl Policies for Service {
    async fn list_policies(&self, _: &Call, _: ListPoliciesRequest) -> Result<ListPoliciesResponse, Status> {
        planned()
    }

    async fn create_policy(&self, _: &Call, _: CreatePolicyRequest) -> Result<CreatePolicyResponse, Status> {
        planned()
    }

    async fn get_policy(&self, _: &Call, _: GetPolicyRequest) -> Result<GetPolicyResponse, Status> {
        planned()
    }

    async fn delete_policy(&self, _: &Call, _: DeletePolicyRequest) -> Result<DeletePolicyResponse, Status> {
        planned()
    }
}

impl PolicyAssignments for Service {
    async fn list_policy_assignments(
        &self,
        _: &Call,
        _: ListPolicyAssignmentsRequest,
    ) -> Result<ListPolicyAssignmentsResponse, Status> {
        planned()
    }

    async fn assign_policy(&self, _: &Call, _: AssignPolicyRequest) -> Result<AssignPolicyResponse, Status> {
        planned()
    }

    async fn get_policy_assignment(
        &self,
        _: &Call,
        _: GetPolicyAssignmentRequest,
    ) -> Result<GetPolicyAssignmentResponse, Status> {
        planned()
    }

    async fn unassign_policy(
        &self,
        _: &Call,
        _: UnassignPolicyRequest,
    ) -> Result<UnassignPolicyResponse, Status> {
        planned()
    }

    async fn update_policy_assignment_ranking(
        &self,
        _: &Call,
        _: UpdatePolicyAssignmentRankingRequest,
    ) -> Result<UpdatePolicyAssignmentRankingResponse, Status> {
        planned()
    }
}
