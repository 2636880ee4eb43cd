//! `GET /v2/policy-assignments`

use guardhouse_contract::{
    Status,
    policies::{ListPolicyAssignmentsRequest, ListPolicyAssignmentsResponse, policy_target::Target},
};
use guardhouse_identity::Failure;
use guardhouse_model::PolicyId;
use guardhouse_store::{AssignmentFilter, PolicyTarget};

use crate::{
    Context,
    fields::Checks,
    page::Scan,
    policy_assignments::{named, render},
};

/// Lists assignments in the order of their creation, which no change of a rank disturbs between two pages.
pub async fn run(
    context: &Context,
    request: ListPolicyAssignmentsRequest,
) -> Result<ListPolicyAssignmentsResponse, Status> {
    let mut checks = Checks::default();
    let policies = policies(&mut checks, &request);
    let target = named(request.target);
    let narrowed = target.as_ref().and_then(|target| match target {
        Target::DeviceUuid(uuid) => checks.id("target.deviceUuid", uuid).map(PolicyTarget::Device),
        Target::DeviceGroupUuid(uuid) => checks.id("target.deviceGroupUuid", uuid).map(PolicyTarget::Group),
        Target::SubscriptionUuid(_) => None,
    });
    checks.finish()?;

    let mut scan = Scan::new("ListPolicyAssignments").with(format!("{target:?}"));
    for policy in &policies {
        scan = scan.with(policy.0.as_bytes());
    }
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    if matches!(target, Some(Target::SubscriptionUuid(_))) {
        return Ok(ListPolicyAssignmentsResponse::default());
    }
    let filter = AssignmentFilter { policies, target: narrowed };
    let listed = context.store.policy_assignments_list(filter, page.after_id()?, page.fetch()).await;
    let mut assignments = listed.map_err(Failure::from)?;
    let next_page_token = page.close(&mut assignments, |assignment| assignment.id.0.into_bytes().into());
    Ok(ListPolicyAssignmentsResponse {
        assignments: assignments.into_iter().map(render).collect(),
        next_page_token,
    })
}

/// The policies of both filters, each once. Clients send empty texts where they want no filter.
fn policies(checks: &mut Checks, request: &ListPolicyAssignmentsRequest) -> Vec<PolicyId> {
    let listed = request.policy_uuids.iter().enumerate();
    let listed = listed.map(|(index, uuid)| (format!("policyUuids[{index}]"), uuid));
    let named = listed.chain([("policyUuid".to_owned(), &request.policy_uuid)]);
    let mut policies: Vec<_> = named
        .filter(|(_, uuid)| !uuid.is_empty())
        .filter_map(|(field, uuid)| checks.id(field, uuid))
        .collect();
    policies.sort_unstable();
    policies.dedup();
    policies
}
