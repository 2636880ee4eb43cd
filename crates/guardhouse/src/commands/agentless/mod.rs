//! `guardhouse agentless`

mod asset;
mod findings;
mod location;
mod report;
mod scan;
mod schedule;
mod selection;
mod task;
mod wait;
mod webhook;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{
    client::{Client, ConnectionArgs},
    output::OutputFormat,
};

/// Scan disks and images that a server reaches, without an agent on them.
#[derive(Debug, Subcommand)]
pub enum AgentlessCommand {
    /// Start a scan, and follow it with --wait.
    Scan(scan::ScanArgs),
    /// Scans that were started.
    #[command(subcommand)]
    Task(task::TaskCommand),
    /// Scans that start by themselves.
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// Who is told when scans end.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// List what the newest scans found, the most urgent first.
    Findings(findings::FindingsArgs),
    /// Fetch the report of a scan.
    Report(report::ReportArgs),
    /// Places where disks and images lie.
    #[command(subcommand)]
    Location(location::LocationCommand),
    /// What can be scanned there.
    #[command(subcommand)]
    Asset(asset::AssetCommand),
}

impl AgentlessCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached.
    pub async fn run(self, connection: ConnectionArgs, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let client = Client::connect(connection)?;
        match self {
            Self::Scan(args) => args.run(&client, output).await,
            Self::Task(command) => command.run(&client, output).await,
            Self::Schedule(command) => command.run(&client, output).await,
            Self::Webhook(command) => command.run(&client, output).await,
            Self::Findings(args) => args.run(&client, output).await,
            Self::Report(args) => args.run(&client).await,
            Self::Location(command) => command.run(&client, output).await,
            Self::Asset(command) => command.run(&client, output).await,
        }
    }
}
