//! What scans find beside vulnerabilities, and on which assets.

use guardhouse_model::{
    Timestamp,
    agentless::{CheckStatus, RiskLevel, SensitiveStatus},
};

use super::ScannedAsset;

/// On which assets findings are listed. What is empty does not matter, but `target_types`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetFilter {
    /// On one of these.
    pub instance_ids: Vec<String>,
    /// Whose device or target has this in its name, upper and lower case alike, or in one of its addresses.
    pub remark: String,
    /// Of one of these target types, as in the public API; `None`: of any.
    pub target_types: Option<Vec<i32>>,
}

/// A sensitive file, as a scan found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSensitiveFile {
    /// The rule that found it, as `ssh_private_key`.
    pub rule_key: String,
    /// How risky it is.
    pub risk_level: RiskLevel,
    /// Where it is in the system that was scanned.
    pub path: String,
    /// In hexadecimal, lower case.
    pub md5: String,
    /// What was found in it.
    pub prompt: String,
}

/// A sensitive file of the newest scan of its asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensitiveFile {
    /// Identity, below 2^53. The same file found again by the same rule keeps it.
    pub id: i64,
    /// As the scan found it.
    pub found: NewSensitiveFile,
    /// On which asset.
    pub asset: ScannedAsset,
    /// What became of it.
    pub status: SensitiveStatus,
    /// When it was found there for the first time.
    pub first_time: Timestamp,
    /// When it was found there last.
    pub latest_time: Timestamp,
}

/// Which sensitive files are listed. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SensitiveFileFilter {
    /// Found by this rule.
    pub rule_key: String,
    /// Of which this became.
    pub status: Option<SensitiveStatus>,
    /// On these assets.
    pub asset: AssetFilter,
}

/// What a check of the configuration looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckItem {
    /// Identity, which is the same wherever it is checked. Below 2^53.
    pub check_id: i64,
    /// What is checked, in a few words.
    pub item: String,
    /// How much it weighs when it fails.
    pub level: RiskLevel,
    /// What it is about, as `Identity authentication`.
    pub kind: String,
    /// The number of the baseline to which it belongs.
    pub risk_id: i64,
    /// The name of that baseline.
    pub risk_name: String,
    /// The category of that baseline.
    pub risk_type: String,
    /// The name of that category.
    pub alias: String,
    /// What is checked, and why.
    pub description: String,
    /// What to do when it fails.
    pub advice: String,
}

/// How a check of the configuration turned out in a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheck {
    /// What was checked.
    pub item: CheckItem,
    /// It is as it should be.
    pub passed: bool,
    /// What was found, where it is not.
    pub prompt: String,
}

/// A check in the newest scan of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub item: CheckItem,
    /// On which asset.
    pub asset: ScannedAsset,
    /// How it is.
    pub status: CheckStatus,
    /// What was found, where it failed.
    pub prompt: String,
    /// When it was checked there for the first time.
    pub first_time: Timestamp,
    /// When it was checked there last.
    pub latest_time: Timestamp,
}

/// A check on all assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSummary {
    /// What was checked.
    pub item: CheckItem,
    /// On how many assets it is how: every status that is there, the one that most asks for attention first.
    pub statuses: Vec<(CheckStatus, u64)>,
}

/// Which checks are listed. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckFilter {
    /// This one.
    pub check_id: Option<i64>,
    /// With this in what is checked, upper and lower case alike.
    pub item: String,
    /// Of this weight.
    pub level: Option<RiskLevel>,
    /// About this.
    pub kind: String,
    /// Of a baseline of this category.
    pub risk_type: String,
    /// With one of these.
    pub statuses: Vec<CheckStatus>,
    /// Of those that do not fail, and are neither being fixed nor verified: checked then or later.
    pub settled_since: Option<Timestamp>,
    /// On these assets.
    pub asset: AssetFilter,
}
