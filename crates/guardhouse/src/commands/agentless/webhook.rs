//! `guardhouse agentless webhook`

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use guardhouse_contract::scans::{
    AgentlessEvent, AgentlessWebhook, CreateAgentlessWebhookRequest, DeleteAgentlessWebhookRequest,
    ListAgentlessDeliveriesRequest,
};
use uuid::Uuid;

use crate::{
    client::{Client, without_line_end},
    output::{OutputFormat, agentless},
};

/// Who is told when scans end.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Add a webhook, and show its secret this once.
    Add {
        /// Where events are sent.
        url: String,

        /// Only this event; repeat it for several.
        #[arg(long = "event", value_enum, value_name = "EVENT")]
        events: Vec<EventArg>,

        /// File with the secret, whsec_ and base64; the server makes one otherwise.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// List the webhooks.
    List,
    /// List what was sent to a webhook, the newest first.
    Deliveries {
        /// The webhook, by uuid.
        webhook: Uuid,
    },
    /// Remove a webhook.
    Remove {
        /// The webhook, by uuid.
        webhook: Uuid,
    },
}

/// What a webhook is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EventArg {
    /// A scan is over.
    TaskFinished,
    /// An asset could not be scanned.
    SubtaskFailed,
}

impl EventArg {
    fn number(self) -> i32 {
        let event = match self {
            Self::TaskFinished => AgentlessEvent::TaskFinished,
            Self::SubtaskFailed => AgentlessEvent::SubtaskFailed,
        };
        event.into()
    }
}

impl WebhookCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached.
    pub async fn run(self, client: &Client, output: OutputFormat) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add { url, events, secret_file } => {
                let secret = match &secret_file {
                    Some(path) => {
                        let text = fs::read_to_string(path)
                            .with_context(|| format!("cannot read the secret from {}", path.display()))?;
                        without_line_end(&text).to_owned()
                    }
                    None => String::new(),
                };
                let events = events.into_iter().map(EventArg::number).collect();
                let webhook = Some(AgentlessWebhook { url, events, ..Default::default() });
                let request = CreateAgentlessWebhookRequest { webhook, secret };
                let answer = client.create_agentless_webhook(&request).await?;
                output.show(&answer, agentless::new_webhook)?;
            }
            Self::List => {
                let answer = client.list_agentless_webhooks(Default::default()).await?;
                output.show(&answer, |answer| agentless::webhooks(&answer.webhooks))?;
            }
            Self::Deliveries { webhook } => {
                let filter = ListAgentlessDeliveriesRequest {
                    webhook_uuid: webhook.to_string(),
                    ..Default::default()
                };
                let answer = client.list_agentless_deliveries(filter).await?;
                output.show(&answer, |answer| agentless::deliveries(&answer.deliveries))?;
            }
            Self::Remove { webhook } => {
                let request = DeleteAgentlessWebhookRequest { webhook_uuid: webhook.to_string() };
                output.show(&client.delete_agentless_webhook(&request).await?, |_| String::new())?;
                eprintln!("removed {webhook}");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
