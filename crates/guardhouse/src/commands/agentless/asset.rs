//! `guardhouse agentless asset`

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use guardhouse_contract::scans::{ListAgentlessAssetsRequest, TargetType};

use crate::{
    client::Client,
    output::{OutputFormat, agentless_locations},
};

/// Show what can be scanned.
#[derive(Debug, Subcommand)]
pub enum AssetCommand {
    /// List assets: those that are there.
    List {
        /// Only of this location, by uuid or by name.
        #[arg(long, value_name = "LOCATION")]
        location: Option<String>,

        /// Only of this type.
        #[arg(long = "type", value_enum, value_name = "TYPE")]
        target_type: Option<AssetType>,

        /// Those that are not there any more, instead.
        #[arg(long, conflicts_with = "all")]
        gone: bool,

        /// Those that are not there any more, too.
        #[arg(long)]
        all: bool,
    },
}

/// A type of assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AssetType {
    /// Devices that can take a snapshot of themselves.
    Device,
    /// Snapshots.
    Snapshot,
    /// Images.
    Image,
}

impl AssetType {
    /// As in the contract.
    pub fn of_contract(self) -> TargetType {
        match self {
            Self::Device => TargetType::DeviceSnapshot,
            Self::Snapshot => TargetType::Snapshot,
            Self::Image => TargetType::Image,
        }
    }
}

impl AssetCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached, or a name is not that of one location.
    pub async fn run(self, client: &Client, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let Self::List { location, target_type, gone, all } = self;
        let location_uuid = match location {
            Some(location) => client.resolve_agentless_location(&location).await?,
            None => String::new(),
        };
        let filter = ListAgentlessAssetsRequest {
            location_uuid,
            target_type: target_type.map_or(TargetType::Unspecified, AssetType::of_contract).into(),
            is_gone: (!all).then_some(gone),
            ..Default::default()
        };
        let answer = client.list_agentless_assets(filter).await?;
        output.show(&answer, |answer| agentless_locations::assets(&answer.assets))?;
        Ok(ExitCode::SUCCESS)
    }
}
