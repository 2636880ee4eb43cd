//! `POST /guardhouse/v1/agentless-webhooks`

use guardhouse_contract::{
    Status,
    scans::{CreateAgentlessWebhookRequest, CreateAgentlessWebhookResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{AgentlessEvent, AgentlessWebhook, Store};

use crate::{
    Context,
    agentless_webhooks::{delivery, render, secret, target},
    fields::Checks,
};

/// Creates a webhook, and shows its secret this once.
pub async fn run(
    context: &Context,
    request: CreateAgentlessWebhookRequest,
) -> Result<CreateAgentlessWebhookResponse, Status> {
    let asked = request.webhook.ok_or_else(|| Status::invalid_field("webhook", "is missing"))?;
    let mut checks = Checks::default();
    if let Err(wrong) = target::check(&asked.url, context.insecure_webhooks) {
        checks.fail("webhook.url", wrong);
    }
    let events = events(&mut checks, &asked.events);
    let given = match request.secret.as_str() {
        "" => Ok(context.environment.random::<{ secret::LENGTH }>().to_vec()),
        text => secret::read(text),
    };
    let given = given.unwrap_or_else(|wrong| {
        checks.fail("secret", wrong);
        Vec::new()
    });
    checks.finish()?;

    let id = context.environment.uuid();
    let sealed_secret = context.sealing.seal(&delivery::owner(id), &given, &context.environment)?;
    let create_time = context.environment.now();
    let webhook = AgentlessWebhook { id, url: asked.url, sealed_secret, events, create_time };
    if !context.store.agentless_webhook_add(webhook.clone()).await.map_err(Failure::from)? {
        let message =
            format!("there are {} webhooks, and no more are possible; delete one", Store::AGENTLESS_WEBHOOKS);
        return Err(Status::failed_precondition("TOO_MANY_WEBHOOKS", message));
    }
    Ok(CreateAgentlessWebhookResponse { webhook: Some(render(webhook, None)), secret: secret::write(&given) })
}

/// Reads which events; none means all.
fn events(checks: &mut Checks, numbers: &[i32]) -> Vec<AgentlessEvent> {
    for (index, number) in numbers.iter().enumerate() {
        if AgentlessEvent::numbered(*number).is_none() {
            checks.fail(format!("webhook.events[{index}]"), "is no event");
        }
    }
    let is_wanted = |event: &AgentlessEvent| numbers.is_empty() || numbers.contains(&(*event as i32));
    AgentlessEvent::ALL.into_iter().filter(is_wanted).collect()
}
