//! Which assets, and how they are scanned, as arguments.

use clap::Args;
use guardhouse_contract::scans::{AssetSelection, ScanOptions, TargetType};

use super::asset::AssetType;
use crate::client::Client;

/// Which assets: those that fit everything that is said.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct SelectionArgs {
    /// This asset, by its instance id; repeat it for several.
    #[arg(long = "asset", value_name = "ID")]
    pub assets: Vec<String>,

    /// This device, by uuid or by display name: its agent takes a snapshot of it. Repeat it for several.
    #[arg(long = "device", value_name = "DEVICE")]
    pub devices: Vec<String>,

    /// Assets of this location, by name or uuid; repeat it for several.
    #[arg(long = "location", value_name = "LOCATION")]
    pub locations: Vec<String>,

    /// Assets of this type.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub target_type: Option<AssetType>,

    /// Assets whose name in their location fits, or devices whose name does: `*` stands for any text, `?` for one character.
    #[arg(long = "name-pattern", value_name = "PATTERN")]
    pub name_pattern: Option<String>,
}

/// How assets are scanned.
#[derive(Debug, Clone, Args)]
pub struct OptionArgs {
    /// Of those only assets whose content is not that of their newest result, or that have none.
    #[arg(long)]
    pub only_changed: bool,

    /// Look only for this, as `vul` or `scaVul`; repeat it for several.
    #[arg(long = "project", value_name = "PROJECT")]
    pub projects: Vec<String>,

    /// Of devices: their other disks, too, and not only the system.
    #[arg(long)]
    pub data_disks: bool,

    /// Of devices: for how many days a snapshot is kept behind its scan, 1 to 365. Otherwise it is removed at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=365))]
    pub keep_days: Option<i32>,

    /// Of devices: a snapshot in which nothing is found is removed at once all the same.
    #[arg(long, requires = "keep_days")]
    pub release_clean: bool,
}

impl SelectionArgs {
    /// The message.
    ///
    /// # Errors
    /// A location is not known, or the server cannot be reached.
    pub async fn message(&self, client: &Client, options: &OptionArgs) -> anyhow::Result<AssetSelection> {
        let mut location_uuids = Vec::with_capacity(self.locations.len());
        for location in &self.locations {
            location_uuids.push(client.resolve_agentless_location(location).await?);
        }
        let mut instance_ids = self.assets.clone();
        instance_ids.extend(client.resolve_devices(&self.devices).await?);
        Ok(AssetSelection {
            instance_ids,
            location_uuids,
            target_type: self.target_type.map_or(TargetType::Unspecified, AssetType::of_contract).into(),
            name_pattern: self.name_pattern.clone().unwrap_or_default(),
            only_changed: options.only_changed,
        })
    }
}

impl OptionArgs {
    /// The message.
    pub fn message(&self) -> ScanOptions {
        ScanOptions {
            projects: self.projects.clone(),
            scan_data_disk: self.data_disks,
            auto_delete_days: self.keep_days.unwrap_or(0),
            release_after_scan: self.release_clean,
        }
    }
}
