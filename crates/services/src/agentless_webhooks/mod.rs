//! Who is told when scans without an agent end: list, create, delete, deliveries, and what is sent.

mod create_agentless_webhook;
mod delete_agentless_webhook;
pub mod delivery;
mod list_agentless_deliveries;
mod list_agentless_webhooks;
mod secret;
pub mod target;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    scans::{
        self, AgentlessWebhooks, CreateAgentlessWebhookRequest, CreateAgentlessWebhookResponse,
        DeleteAgentlessWebhookRequest, DeleteAgentlessWebhookResponse, ListAgentlessDeliveriesRequest,
        ListAgentlessDeliveriesResponse, ListAgentlessWebhooksRequest, ListAgentlessWebhooksResponse,
    },
    time::to_proto,
};
use guardhouse_store::{AgentlessDelivery, AgentlessWebhook};
use uuid::Uuid;

use crate::Context;

/// Implements the service `AgentlessWebhooks`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl AgentlessWebhooks for Service {
    async fn list_agentless_webhooks(
        &self,
        _: &Call,
        request: ListAgentlessWebhooksRequest,
    ) -> Result<ListAgentlessWebhooksResponse, Status> {
        list_agentless_webhooks::run(&self.0, request).await
    }

    async fn create_agentless_webhook(
        &self,
        _: &Call,
        request: CreateAgentlessWebhookRequest,
    ) -> Result<CreateAgentlessWebhookResponse, Status> {
        create_agentless_webhook::run(&self.0, request).await
    }

    async fn delete_agentless_webhook(
        &self,
        _: &Call,
        request: DeleteAgentlessWebhookRequest,
    ) -> Result<DeleteAgentlessWebhookResponse, Status> {
        delete_agentless_webhook::run(&self.0, request).await
    }

    async fn list_agentless_deliveries(
        &self,
        _: &Call,
        request: ListAgentlessDeliveriesRequest,
    ) -> Result<ListAgentlessDeliveriesResponse, Status> {
        list_agentless_deliveries::run(&self.0, request).await
    }
}

fn unknown(webhook: Uuid) -> Status {
    Status::not_found(format!("agentless webhook {webhook}"))
}

fn render(webhook: AgentlessWebhook, last: Option<AgentlessDelivery>) -> scans::AgentlessWebhook {
    scans::AgentlessWebhook {
        uuid: webhook.id.to_string(),
        url: webhook.url,
        events: webhook.events.into_iter().map(|event| event as i32).collect(),
        create_time: Some(to_proto(webhook.create_time)),
        last_delivery: last.map(render_delivery),
    }
}

fn render_delivery(delivery: AgentlessDelivery) -> scans::AgentlessDelivery {
    scans::AgentlessDelivery {
        uuid: delivery.id.to_string(),
        event: delivery.event as i32,
        task_uuid: delivery.task.to_string(),
        subtask_uuid: delivery.subtask.map_or_else(String::new, |subtask| subtask.to_string()),
        state: delivery.state as i32,
        tries: delivery.tries,
        create_time: Some(to_proto(delivery.create_time)),
        next_time: delivery.next_time.map(to_proto),
        last_status: delivery.last_status,
        trouble: delivery.trouble,
    }
}
