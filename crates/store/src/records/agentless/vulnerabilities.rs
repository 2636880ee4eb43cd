//! Vulnerable packages that scans found, and those that somebody lives with.

use guardhouse_model::{
    Timestamp,
    agentless::{Necessity, VulnerabilityKind},
};
use uuid::Uuid;

/// A vulnerable package, as a scan found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVulnerability {
    /// Tells it from the others of its asset, and is the same in the next scan.
    pub finding: Uuid,
    /// What it is of.
    pub kind: VulnerabilityKind,
    /// The CVE, or the advisory where that is about several or none.
    pub name: String,
    /// What it is about, in a line.
    pub alias: String,
    /// The CVEs that it is about, separated by commas.
    pub related: String,
    /// How soon it is to be mended.
    pub necessity: Necessity,
    /// By CVSS, in tenths: 0 to 100.
    pub score: Option<i32>,
    /// The package.
    pub package: String,
    /// Whose package it is: `deb`, `npm`, as in a package URL.
    pub package_kind: String,
    /// The version that is there.
    pub version: String,
    /// The first version without it; empty: there is none.
    pub fixed: String,
    /// The file that names the package, and the archives in it.
    pub path: String,
    /// The system, as `debian`; empty: none was recognised.
    pub os: String,
    /// Its version.
    pub os_release: String,
}

/// A vulnerable package of an asset, with what is known of the asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessVulnerability {
    /// Given once; a finding that is there again keeps it.
    pub id: i64,
    /// As the newest scan found it.
    pub found: NewVulnerability,
    /// Somebody lives with it.
    pub is_whitelisted: bool,
    /// When it was found first, in scans without a gap.
    pub first_time: Timestamp,
    /// When the asset was scanned.
    pub scan_time: Timestamp,
    /// The asset.
    pub asset: ScannedAsset,
}

/// What lists of findings tell of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedAsset {
    /// The asset.
    pub instance_id: String,
    /// As in the public API.
    pub target_type: i32,
    /// Its name in its location.
    pub target_name: String,
    /// The device whose disk it is; empty: of none.
    pub instance_name: String,
    /// The address of that device in the internet.
    pub internet_ip: String,
    /// Its address in its own network.
    pub intranet_ip: String,
}

/// Which vulnerabilities are listed. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VulnerabilityFilter {
    /// Of this kind.
    pub kind: Option<VulnerabilityKind>,
    /// Those that somebody lives with, or the others: always one of both.
    pub is_whitelisted: bool,
    /// With exactly this name.
    pub name: String,
    /// With this in the alias, upper and lower case of Latin letters alike.
    pub alias: String,
    /// About this CVE.
    pub cve: String,
    /// With one of these.
    pub necessities: Vec<Necessity>,
    /// Of one of these assets.
    pub instance_ids: Option<Vec<String>>,
    /// Of assets of one of these types.
    pub target_types: Option<Vec<i32>>,
    /// With a version that is fixed.
    pub is_fixable: bool,
    /// Found by this task, where that was the newest scan of the asset.
    pub task: Option<Uuid>,
    /// Found by this subtask, if it was the newest scan of its asset.
    pub subtask: Option<Uuid>,
}

/// A vulnerability, on however many assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VulnerabilityGroup {
    /// What it is of.
    pub kind: VulnerabilityKind,
    /// Its name.
    pub name: String,
    /// What it is about, in a line.
    pub alias: String,
    /// The CVEs that it is about, separated by commas.
    pub related: String,
    /// How often it is there, by how soon it is to be mended, in the order of [`Necessity::ALL`].
    pub counts: [u32; 3],
    /// The highest by CVSS, in tenths.
    pub score: Option<i32>,
    /// There is a version of one of the packages that is fixed.
    pub is_fixable: bool,
    /// When it was found first.
    pub first_time: Timestamp,
    /// When one of the assets was scanned last.
    pub scan_time: Timestamp,
}

/// A vulnerability to live with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWhitelistedVulnerability {
    /// What it is of.
    pub kind: VulnerabilityKind,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub alias: String,
    /// Where.
    pub target: WhitelistTarget,
    /// Why.
    pub reason: String,
}

/// On which assets somebody lives with a vulnerability.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhitelistTarget {
    /// As it was given.
    pub text: String,
    /// What it means.
    pub scope: WhitelistScope,
}

/// What the target of an entry of the whitelist means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WhitelistScope {
    /// All assets.
    #[default]
    All,
    /// These.
    Assets(Vec<String>),
    /// Those of the selection with this key: those that are taken into it and of its platform, also while they are not
    /// there.
    Selection(i64),
}

/// What became of a change of the whitelist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhitelistChanged {
    /// It was made.
    Changed,
    /// There is no such entry.
    NotFound,
    /// There is no selection with the key of a target; nothing was changed.
    NoSelection,
}

/// A vulnerability that somebody lives with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhitelistedVulnerability {
    /// Given once.
    pub id: i64,
    /// What it is of.
    pub kind: VulnerabilityKind,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub alias: String,
    /// Where, as it was given.
    pub target: String,
    /// Why.
    pub reason: String,
}
