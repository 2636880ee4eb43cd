//! The policies of the public API.

use anyhow::Context as _;
use guardhouse_contract::{
    management::{
        GetEffectivePolicyRequest, GetEffectivePolicyResponse,
        effective_policies_client::EffectivePoliciesClient,
    },
    policies::{
        AssignPolicyRequest, CreatePolicyRequest, DeletePolicyRequest, FeaturePolicy, Policy,
        PolicyAssignment, PolicyTarget, policies_client::PoliciesClient,
        policy_assignments_client::PolicyAssignmentsClient, policy_target::Target,
    },
    settings::{AgentPolicy, Feature, RunCommandLimits},
    status::pack,
};
use guardhouse_model::groups::ALL;
use http::Uri;

use super::{Signed, connect};
use crate::account::SignedIn;

/// The policies of a server, for an account.
#[derive(Debug)]
pub struct PolicyApi {
    policies: PoliciesClient<Signed>,
    assignments: PolicyAssignmentsClient<Signed>,
    effective: EffectivePoliciesClient<Signed>,
}

impl PolicyApi {
    /// Opens a connection for an account that is signed in.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn open(server: &Uri, account: &SignedIn) -> anyhow::Result<Self> {
        let (channel, bearer) = connect(server, account).await?;
        Ok(Self {
            policies: PoliciesClient::with_interceptor(channel.clone(), bearer.clone()),
            assignments: PolicyAssignmentsClient::with_interceptor(channel.clone(), bearer.clone()),
            effective: EffectivePoliciesClient::with_interceptor(channel, bearer),
        })
    }

    /// Creates a policy that keeps so many bytes of the output of scripts; answers its uuid.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn create(&mut self, output_limit_bytes: u32) -> anyhow::Result<String> {
        let run_command =
            RunCommandLimits { output_limit_bytes: Some(output_limit_bytes), ..Default::default() };
        let settings = AgentPolicy { run_command: Some(run_command), ..Default::default() };
        let feature = FeaturePolicy {
            feature_id: Feature::Agent as u32,
            configuration: Some(pack(&settings)),
            ..Default::default()
        };
        let policy =
            Policy { display_name: "load".to_owned(), features: vec![feature], ..Default::default() };
        let created = self.policies.create_policy(CreatePolicyRequest { policy: Some(policy) }).await;
        let created = created.context("the server did not create the policy")?.into_inner();
        Ok(created.policy.context("the server answered no policy")?.uuid)
    }

    /// Assigns a policy to the group *All*, as the last of its policies.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn assign_to_all(&mut self, policy_uuid: String) -> anyhow::Result<()> {
        let target = Some(PolicyTarget { target: Some(Target::DeviceGroupUuid(ALL.to_string())) });
        let assignment = PolicyAssignment { policy_uuid, target, ..Default::default() };
        let assigned =
            self.assignments.assign_policy(AssignPolicyRequest { assignment: Some(assignment) }).await;
        assigned.context("the server did not assign the policy")?;
        Ok(())
    }

    /// Deletes a policy, with its assignments.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn delete(&mut self, policy_uuid: String) -> anyhow::Result<()> {
        let deleted = self.policies.delete_policy(DeletePolicyRequest { policy_uuid }).await;
        deleted.context("the server did not delete the policy")?;
        Ok(())
    }

    /// What all policies of a device say, and what it has reported of them.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn effective(&mut self, device_uuid: String) -> anyhow::Result<GetEffectivePolicyResponse> {
        let answer = self.effective.get_effective_policy(GetEffectivePolicyRequest { device_uuid }).await;
        Ok(answer.context("the server did not say what the policies of a device are")?.into_inner())
    }
}
