//! Policies on their way to a device.

use std::collections::HashMap;

use guardhouse_contract::{
    automation::TaskRunStatus,
    pb::era::common::data_definition::policy::PolicyData,
    policies::{
        AssignPolicyRequest, AssignPolicyResponse, CreatePolicyRequest, CreatePolicyResponse, FeaturePolicy,
        Policy, PolicyAssignment, PolicyTarget, policy_target::Target,
    },
    status::pack,
};

use crate::support::{Agent, Api, Server, of_devices};

/// Assigns a policy to a device that carries `data` for a product.
async fn assign(api: &Api, device: &str, product: &str, data: Vec<u8>) {
    let configuration = Some(pack(&PolicyData { data, product: product.to_owned() }));
    let feature = FeaturePolicy { configuration, feature_id: u32::MAX, flags: HashMap::new() };
    let policy = Policy { display_name: product.to_owned(), features: vec![feature], ..Default::default() };
    let created: CreatePolicyResponse =
        api.call(&CreatePolicyRequest { policy: Some(policy) }).await.expect("a policy");
    let assignment = PolicyAssignment {
        policy_uuid: created.policy.expect("as stored").uuid,
        target: Some(PolicyTarget { target: Some(Target::DeviceUuid(device.to_owned())) }),
        ..Default::default()
    };
    let _: AssignPolicyResponse =
        api.call(&AssignPolicyRequest { assignment: Some(assignment) }).await.expect("assigned");
}

#[tokio::test]
async fn orders_follow_policies_that_are_larger_than_other_frames() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "laden").await;
    // As much as requests can hold, twice.
    for product in ["one", "other"] {
        assign(&api, &agent.device, product, vec![7; 5 * 1024 * 1024]).await;
    }
    let task = api.run_command(of_devices(&[&agent.device]), "true").await;
    let runs = api.ended_runs(&task, 1).await.0;
    assert_eq!(runs[0].status(), TaskRunStatus::Finished, "{runs:?}");
}
