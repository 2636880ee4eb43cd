//! Policies, their assignments, and what devices make of them.

use std::collections::HashMap;

use guardhouse_contract::{
    management::{GetEffectivePolicyRequest, GetEffectivePolicyResponse},
    policies::{
        AssignPolicyRequest, AssignPolicyResponse, CreatePolicyRequest, CreatePolicyResponse, FeaturePolicy,
        Policy, PolicyAssignment, PolicyTarget, SettingFlags, UnassignPolicyRequest, UnassignPolicyResponse,
        policy_target::Target,
    },
    settings::{AgentPolicy, Feature, StringList},
    status::pack,
};
use guardhouse_model::groups::ALL;
use prost_types::Any;

use super::{Api, wait_for};

/// A list that takes the place of those before it.
pub fn list(values: &[&str]) -> Option<StringList> {
    Some(StringList { values: values.iter().map(|&value| value.to_owned()).collect(), ..Default::default() })
}

/// Settings of a feature, of which those at the paths `forced` are forced.
pub fn feature(feature: Feature, settings: Any, forced: &[&str]) -> FeaturePolicy {
    let flags = SettingFlags { apply_forcefully: true, ..Default::default() };
    let flags: HashMap<_, _> = forced.iter().map(|&path| (path.to_owned(), flags)).collect();
    FeaturePolicy { feature_id: feature as u32, configuration: Some(settings), flags }
}

/// A policy on everything.
pub fn on_all(policy: &str) -> PolicyAssignment {
    on_group(policy, &ALL.to_string())
}

/// A policy on a group.
pub fn on_group(policy: &str, group: &str) -> PolicyAssignment {
    assignment(policy, Target::DeviceGroupUuid(group.to_owned()))
}

/// A policy on a device.
pub fn on_device(policy: &str, device: &str) -> PolicyAssignment {
    assignment(policy, Target::DeviceUuid(device.to_owned()))
}

fn assignment(policy: &str, target: Target) -> PolicyAssignment {
    let target = Some(PolicyTarget { target: Some(target) });
    PolicyAssignment { policy_uuid: policy.to_owned(), target, ..Default::default() }
}

impl Api {
    /// Creates a policy; answers its uuid.
    pub async fn create_policy(&self, name: &str, features: Vec<FeaturePolicy>) -> String {
        let policy = Policy { display_name: name.to_owned(), features, ..Default::default() };
        let created: CreatePolicyResponse =
            self.call(&CreatePolicyRequest { policy: Some(policy) }).await.expect("a policy");
        created.policy.expect("as stored").uuid
    }

    /// Creates a policy for the agent itself; answers its uuid.
    pub async fn agent_policy(&self, name: &str, settings: &AgentPolicy, forced: &[&str]) -> String {
        self.create_policy(name, vec![feature(Feature::Agent, pack(settings), forced)]).await
    }

    /// Assigns a policy as the last of its target; answers the uuid of the assignment.
    pub async fn assign(&self, assignment: PolicyAssignment) -> String {
        let made: AssignPolicyResponse =
            self.call(&AssignPolicyRequest { assignment: Some(assignment) }).await.expect("assigned");
        made.assignment.expect("as stored").uuid
    }

    /// Takes a policy away.
    pub async fn unassign(&self, assignment_uuid: String) {
        let _: UnassignPolicyResponse =
            self.call(&UnassignPolicyRequest { assignment_uuid }).await.expect("unassigned");
    }

    /// What all policies of a device say, and what it made of them.
    pub async fn effective(&self, device: &str) -> GetEffectivePolicyResponse {
        self.call(&GetEffectivePolicyRequest { device_uuid: device.to_owned() }).await.expect("an answer")
    }

    /// Waits until the device has reported the policy that it should have.
    pub async fn in_force(&self, device: &str) -> GetEffectivePolicyResponse {
        wait_for("the device has its policy", async || {
            let answer = self.effective(device).await;
            answer.applied_policy.as_ref().is_some_and(|applied| applied.up_to_date).then_some(answer)
        })
        .await
    }
}
