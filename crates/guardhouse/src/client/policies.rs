//! Policies, their assignments and what comes of them: one function per method that the commands use.

use guardhouse_contract::{
    management::{
        GetEffectivePolicyRequest, GetEffectivePolicyResponse, PreviewPolicyAssignmentRequest,
        PreviewPolicyAssignmentResponse,
    },
    policies::{
        AssignPolicyRequest, AssignPolicyResponse, CreatePolicyRequest, CreatePolicyResponse,
        DeletePolicyRequest, DeletePolicyResponse, GetPolicyRequest, GetPolicyResponse, ListPoliciesRequest,
        ListPoliciesResponse, ListPolicyAssignmentsRequest, ListPolicyAssignmentsResponse,
        UnassignPolicyRequest, UnassignPolicyResponse, UpdatePolicyAssignmentRankingRequest,
        UpdatePolicyAssignmentRankingResponse,
    },
};

use super::{
    Client,
    api::PAGE,
    resolve::{as_uuid, pick},
};

/// Policies.
impl Client {
    /// Every policy.
    pub async fn list_policies(&self) -> anyhow::Result<ListPoliciesResponse> {
        let mut all = ListPoliciesResponse::default();
        let mut request = ListPoliciesRequest { page_size: PAGE, ..Default::default() };
        loop {
            let page: ListPoliciesResponse =
                self.call("eset.connect.policy_management.v2.Policies.ListPolicies", &request).await?;
            all.policies.extend(page.policies);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// One policy.
    pub async fn get_policy(&self, request: &GetPolicyRequest) -> anyhow::Result<GetPolicyResponse> {
        self.call("eset.connect.policy_management.v2.Policies.GetPolicy", request).await
    }

    /// Creates a policy.
    pub async fn create_policy(&self, request: &CreatePolicyRequest) -> anyhow::Result<CreatePolicyResponse> {
        self.call("eset.connect.policy_management.v2.Policies.CreatePolicy", request).await
    }

    /// Deletes a policy with its assignments.
    pub async fn delete_policy(&self, request: &DeletePolicyRequest) -> anyhow::Result<DeletePolicyResponse> {
        self.call("eset.connect.policy_management.v2.Policies.DeletePolicy", request).await
    }

    /// The uuid of a policy. Where the text is no uuid it is a display name; one policy, and one only, must have it.
    ///
    /// # Errors
    /// A name that no policy has, or more than one.
    pub async fn resolve_policy(&self, text: &str) -> anyhow::Result<String> {
        if let Some(uuid) = as_uuid(text) {
            return Ok(uuid);
        }
        let known = self.list_policies().await?.policies;
        let known: Vec<_> = known.into_iter().map(|policy| (policy.display_name, policy.uuid)).collect();
        pick(("policy", "policies"), text, &known)
    }
}

/// Assignments.
impl Client {
    /// Every assignment that passes the filters.
    pub async fn list_policy_assignments(
        &self,
        filter: ListPolicyAssignmentsRequest,
    ) -> anyhow::Result<ListPolicyAssignmentsResponse> {
        let mut all = ListPolicyAssignmentsResponse::default();
        let mut request = ListPolicyAssignmentsRequest { page_size: PAGE, ..filter };
        loop {
            let page: ListPolicyAssignmentsResponse = self
                .call("eset.connect.policy_management.v2.PolicyAssignments.ListPolicyAssignments", &request)
                .await?;
            all.assignments.extend(page.assignments);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Assigns a policy to a target, as the last of its policies.
    pub async fn assign_policy(&self, request: &AssignPolicyRequest) -> anyhow::Result<AssignPolicyResponse> {
        self.call("eset.connect.policy_management.v2.PolicyAssignments.AssignPolicy", request).await
    }

    /// Takes a policy away from a target.
    pub async fn unassign_policy(
        &self,
        request: &UnassignPolicyRequest,
    ) -> anyhow::Result<UnassignPolicyResponse> {
        self.call("eset.connect.policy_management.v2.PolicyAssignments.UnassignPolicy", request).await
    }

    /// Gives an assignment another rank.
    pub async fn update_policy_assignment_ranking(
        &self,
        request: &UpdatePolicyAssignmentRankingRequest,
    ) -> anyhow::Result<UpdatePolicyAssignmentRankingResponse> {
        let method = "eset.connect.policy_management.v2.PolicyAssignments.UpdatePolicyAssignmentRanking";
        self.call(method, request).await
    }

    /// What all policies of a device say together.
    pub async fn get_effective_policy(
        &self,
        request: &GetEffectivePolicyRequest,
    ) -> anyhow::Result<GetEffectivePolicyResponse> {
        self.call("guardhouse.management.v1.EffectivePolicies.GetEffectivePolicy", request).await
    }

    /// What an assignment would change.
    pub async fn preview_policy_assignment(
        &self,
        request: &PreviewPolicyAssignmentRequest,
    ) -> anyhow::Result<PreviewPolicyAssignmentResponse> {
        self.call("guardhouse.management.v1.EffectivePolicies.PreviewPolicyAssignment", request).await
    }
}
