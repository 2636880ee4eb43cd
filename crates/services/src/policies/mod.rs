//! Policies: create, list, get, delete. Built-in ones are there from the start and stay.

mod built_in;
mod create_policy;
mod delete_policy;
mod get_policy;
mod list_policies;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    policies::{
        self, CreatePolicyRequest, CreatePolicyResponse, DeletePolicyRequest, DeletePolicyResponse,
        GetPolicyRequest, GetPolicyResponse, ListPoliciesRequest, ListPoliciesResponse, Policies,
    },
};
use guardhouse_policy::is_built_in;
use guardhouse_store::Policy;
use prost::Message as _;

use crate::Context;

pub use built_in::settle;

/// Implements the service `Policies`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl Policies for Service {
    async fn list_policies(
        &self,
        _: &Call,
        request: ListPoliciesRequest,
    ) -> Result<ListPoliciesResponse, Status> {
        list_policies::run(&self.0, request).await
    }

    async fn create_policy(
        &self,
        _: &Call,
        request: CreatePolicyRequest,
    ) -> Result<CreatePolicyResponse, Status> {
        create_policy::run(&self.0, request).await
    }

    async fn get_policy(&self, _: &Call, request: GetPolicyRequest) -> Result<GetPolicyResponse, Status> {
        get_policy::run(&self.0, request).await
    }

    async fn delete_policy(
        &self,
        _: &Call,
        request: DeletePolicyRequest,
    ) -> Result<DeletePolicyResponse, Status> {
        delete_policy::run(&self.0, request).await
    }
}

fn render(kept: Policy) -> Result<policies::Policy, Status> {
    let features = policies::Policy::decode(kept.features.as_slice())
        .map_err(|error| Status::internal(format!("features of policy {}: {error}", kept.id)))?
        .features;
    Ok(policies::Policy {
        built_in: is_built_in(kept.id),
        description: kept.description,
        display_name: kept.display_name,
        features,
        uuid: kept.id.to_string(),
    })
}
