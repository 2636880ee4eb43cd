//! What the newest scans of all assets found, in numbers.

use guardhouse_model::Timestamp;

use super::{AgentlessCounts, ScannedAsset};

/// An asset, and what its newest scan found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessRisk {
    /// The asset.
    pub asset: ScannedAsset,
    /// What counts.
    pub counts: AgentlessCounts,
    /// When it was scanned.
    pub scan_time: Timestamp,
}

/// Which assets are listed. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RiskFilter {
    /// Something was found on them, or nothing.
    pub is_at_risk: Option<bool>,
    /// As in the public API.
    pub target_type: Option<i32>,
    /// This asset.
    pub instance_id: String,
    /// Whose device has all of these in its name, upper and lower case of Latin letters alike.
    pub machine_names: [String; 2],
    /// Whose name has this in it, upper and lower case of Latin letters alike.
    pub target_name: String,
    /// Whose device has this address in the internet.
    pub internet_ip: String,
    /// Whose device has this address in its own network.
    pub intranet_ip: String,
}
