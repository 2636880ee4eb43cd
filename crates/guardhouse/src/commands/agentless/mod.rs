//! `guardhouse agentless`

mod asset;
mod location;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{
    client::{Client, ConnectionArgs},
    output::OutputFormat,
};

/// Scan disks and images that a server reaches, without an agent on them.
#[derive(Debug, Subcommand)]
pub enum AgentlessCommand {
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
            Self::Location(command) => command.run(&client, output).await,
            Self::Asset(command) => command.run(&client, output).await,
        }
    }
}
