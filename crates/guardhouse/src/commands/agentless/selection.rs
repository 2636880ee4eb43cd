//! Which assets, and how they are scanned, as arguments.

use clap::{Args, ValueEnum};
use guardhouse_contract::scans::{AssetSelection, ScanOptions, TargetType};
use uuid::Uuid;

/// Which assets: those that fit everything that is said.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct SelectionArgs {
    /// This asset, by its instance id; repeat it for several.
    #[arg(long = "asset", value_name = "ID")]
    pub assets: Vec<String>,

    /// Assets of this location, by its uuid; repeat it for several.
    #[arg(long = "location", value_name = "UUID")]
    pub locations: Vec<Uuid>,

    /// Assets of this type.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub target_type: Option<TypeArg>,

    /// Assets whose name in their location fits: `*` stands for any text, `?` for one character.
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
}

/// A type of assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypeArg {
    /// Snapshots that are kept in a location.
    Snapshot,
    /// Images that are kept in a location.
    Image,
}

impl TypeArg {
    /// As in the contract.
    pub fn of_contract(self) -> TargetType {
        match self {
            Self::Snapshot => TargetType::Snapshot,
            Self::Image => TargetType::Image,
        }
    }
}

impl SelectionArgs {
    /// The message.
    pub fn message(&self, options: &OptionArgs) -> AssetSelection {
        AssetSelection {
            instance_ids: self.assets.clone(),
            location_uuids: self.locations.iter().map(Uuid::to_string).collect(),
            target_type: self.target_type.map_or(TargetType::Unspecified, TypeArg::of_contract).into(),
            name_pattern: self.name_pattern.clone().unwrap_or_default(),
            only_changed: options.only_changed,
        }
    }
}

impl OptionArgs {
    /// The message.
    pub fn message(&self) -> ScanOptions {
        ScanOptions { projects: self.projects.clone(), ..Default::default() }
    }
}
