//! `DELETE /guardhouse/v1/agentless-webhooks/{webhook_uuid}`

use guardhouse_contract::{
    Status,
    scans::{DeleteAgentlessWebhookRequest, DeleteAgentlessWebhookResponse},
};
use guardhouse_identity::Failure;
use uuid::Uuid;

use crate::{Context, agentless_webhooks::unknown, fields};

/// Deletes a webhook with its deliveries.
pub async fn run(
    context: &Context,
    request: DeleteAgentlessWebhookRequest,
) -> Result<DeleteAgentlessWebhookResponse, Status> {
    let id: Uuid = fields::resource("webhookUuid", &request.webhook_uuid)?;
    let deleted = context.store.agentless_webhook_delete(id).await.map_err(Failure::from)?;
    if deleted { Ok(DeleteAgentlessWebhookResponse {}) } else { Err(unknown(id)) }
}
