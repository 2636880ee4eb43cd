//! What all policies of a device say together, and what an assignment would change.

mod get_effective_policy;
mod library;
mod preview_policy_assignment;
mod render;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    management::{
        EffectivePolicies, GetEffectivePolicyRequest, GetEffectivePolicyResponse,
        PreviewPolicyAssignmentRequest, PreviewPolicyAssignmentResponse,
    },
};

use crate::Context;

/// Implements the service `EffectivePolicies`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl EffectivePolicies for Service {
    async fn get_effective_policy(
        &self,
        _: &Call,
        request: GetEffectivePolicyRequest,
    ) -> Result<GetEffectivePolicyResponse, Status> {
        get_effective_policy::run(&self.0, request).await
    }

    async fn preview_policy_assignment(
        &self,
        _: &Call,
        request: PreviewPolicyAssignmentRequest,
    ) -> Result<PreviewPolicyAssignmentResponse, Status> {
        preview_policy_assignment::run(&self.0, request).await
    }
}
