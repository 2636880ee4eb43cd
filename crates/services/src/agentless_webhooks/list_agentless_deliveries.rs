//! `GET /guardhouse/v1/agentless-webhooks/{webhook_uuid}/deliveries`

use guardhouse_contract::{
    Status,
    scans::{ListAgentlessDeliveriesRequest, ListAgentlessDeliveriesResponse},
};
use guardhouse_identity::Failure;
use uuid::Uuid;

use crate::{
    Context,
    agentless_webhooks::{render_delivery, unknown},
    fields,
    page::{Scan, newest_key},
};

/// Lists deliveries of a webhook, the newest first.
pub async fn run(
    context: &Context,
    request: ListAgentlessDeliveriesRequest,
) -> Result<ListAgentlessDeliveriesResponse, Status> {
    let webhook: Uuid = fields::resource("webhookUuid", &request.webhook_uuid)?;
    let scan = Scan::new("ListAgentlessDeliveries").with(webhook.as_bytes());
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let before = page.before()?;
    let found = context.store.agentless_deliveries_list(webhook, before, page.fetch()).await;
    let mut found = found.map_err(Failure::from)?.ok_or_else(|| unknown(webhook))?;
    let next_page_token = page.close(&mut found, |delivery| newest_key(delivery.create_time, delivery.id));
    let deliveries = found.into_iter().map(render_delivery).collect();
    Ok(ListAgentlessDeliveriesResponse { deliveries, next_page_token })
}
