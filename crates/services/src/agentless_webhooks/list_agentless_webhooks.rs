//! `GET /guardhouse/v1/agentless-webhooks`

use guardhouse_contract::{
    Status,
    scans::{ListAgentlessWebhooksRequest, ListAgentlessWebhooksResponse},
};
use guardhouse_identity::Failure;

use crate::{Context, agentless_webhooks::render, page::Scan};

/// Lists webhooks in the order of their ids, each with its newest delivery.
pub async fn run(
    context: &Context,
    request: ListAgentlessWebhooksRequest,
) -> Result<ListAgentlessWebhooksResponse, Status> {
    let page =
        context.pages.open(Scan::new("ListAgentlessWebhooks"), request.page_size, &request.page_token)?;
    let found = context.store.agentless_webhooks_list(page.after_id()?, page.fetch()).await;
    let mut found = found.map_err(Failure::from)?;
    let next_page_token = page.close(&mut found, |webhook| webhook.id.into_bytes().into());
    let mut webhooks = Vec::with_capacity(found.len());
    for webhook in found {
        let newest =
            context.store.agentless_deliveries_list(webhook.id, None, 1).await.map_err(Failure::from)?;
        let newest = newest.and_then(|deliveries| deliveries.into_iter().next());
        webhooks.push(render(webhook, newest));
    }
    Ok(ListAgentlessWebhooksResponse { webhooks, next_page_token })
}
