//! `GET /v2/policies`

use guardhouse_contract::{
    Status,
    policies::{ListPoliciesRequest, ListPoliciesResponse},
};
use guardhouse_identity::Failure;

use crate::{Context, page::Scan, policies::render};

/// Lists policies in the order of their creation.
pub async fn run(context: &Context, request: ListPoliciesRequest) -> Result<ListPoliciesResponse, Status> {
    let page = context.pages.open(Scan::new("ListPolicies"), request.page_size, &request.page_token)?;
    let after = page.after_id()?;
    let mut policies = context.store.policies_list(after, page.fetch()).await.map_err(Failure::from)?;
    let next_page_token = page.close(&mut policies, |policy| policy.id.0.into_bytes().into());
    let policies = policies.into_iter().map(render).collect::<Result<_, _>>()?;
    Ok(ListPoliciesResponse { policies, next_page_token })
}
