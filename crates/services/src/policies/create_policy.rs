//! `POST /v2/policies`

use guardhouse_contract::{
    Status,
    policies::{self, CreatePolicyRequest, CreatePolicyResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::Policy;
use prost::Message as _;

use crate::{Context, fields::Checks, policies::render};

/// Creates a policy. It never changes: its successor is another policy.
pub async fn run(context: &Context, request: CreatePolicyRequest) -> Result<CreatePolicyResponse, Status> {
    let asked = request.policy.ok_or_else(|| Status::invalid_field("policy", "is missing"))?;
    let mut checks = Checks::default();
    checks.name("policy.displayName", &asked.display_name);
    checks.description("policy.description", &asked.description);
    checks.fail_all(guardhouse_policy::check("policy.features", &asked.features));
    checks.finish()?;

    let features = policies::Policy { features: asked.features, ..Default::default() };
    let policy = Policy {
        id: context.environment.uuid().into(),
        display_name: asked.display_name,
        description: asked.description,
        features: features.encode_to_vec(),
    };
    context.store.policy_create(policy.clone()).await.map_err(Failure::from)?;
    Ok(CreatePolicyResponse { policy: Some(render(policy)?) })
}
