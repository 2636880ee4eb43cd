//! What a scan found. The JSON form of [`Report`] is an interface: documented in `docs/scan-report.md`, extended, never
//! changed.

use guardhouse_advisories::Finding;
use guardhouse_packages::Package;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the JSON form; raised when a field changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// What a scan found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of Guardhouse.
    pub tool_version: String,
    /// When the scan began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What was scanned.
    pub target: TargetReport,
    /// What there is to look for, and whether this scan did. Empty in reports of versions that did not tell.
    #[serde(default)]
    pub projects: Vec<ProjectReport>,
    /// The parts of the target.
    pub volumes: Vec<VolumeReport>,
    /// The systems on it, and their packages.
    pub systems: Vec<SystemReport>,
    /// The vulnerable packages, worst first.
    pub findings: Vec<ReportedFinding>,
    /// What was not scanned, or not wholly, and why. Empty: everything was.
    pub problems: Vec<Problem>,
    /// The advisories that were compared with; empty when there were none.
    pub advisories: Vec<AdvisorySource>,
    /// How much was looked at.
    pub totals: Totals,
}

/// What was scanned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetReport {
    /// As the user named it.
    pub name: String,
    /// `raw`, `qcow2`, `oci`, `folder`, …
    pub kind: String,
    /// As the guest sees it, in bytes; 0 for a folder.
    pub size: u64,
    /// Things to tell: which other files were read, what the sandbox of the scan lacks on this machine.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Something that a scan can look for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectReport {
    /// `vul`, `scaVul`, `webshell`, …
    pub name: String,
    /// Whether this scan looked for it. One that did not says nothing about it.
    pub run: bool,
}

/// A part of the target.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeReport {
    /// `partition 1`, `logical volume vg0/root`.
    pub place: String,
    /// In bytes.
    pub size: u64,
    /// `ext4`, `swap`, `lvm2`, or what was refused.
    pub content: String,
    /// Whether its files were scanned.
    pub scanned: bool,
    /// Things to tell: a journal that was replayed in memory.
    pub notes: Vec<String>,
}

/// A system, or a volume that belongs to none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemReport {
    /// The volume of its root.
    pub place: String,
    /// `ID` of os-release; empty when no system was recognised.
    pub os_id: String,
    /// `VERSION_ID`.
    pub os_version: String,
    /// `PRETTY_NAME`.
    pub os_name: String,
    /// Which advisories fit it: `Debian:12`, `Alpine:v3.20`; empty when none do.
    pub ecosystem: String,
    /// Sorted by kind, name, version, path.
    pub packages: Vec<FoundPackage>,
    /// Things to tell: a line of fstab whose volume is not on the target.
    pub notes: Vec<String>,
}

/// A package, and the file that names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundPackage {
    /// The package.
    #[serde(flatten)]
    pub package: Package,
    /// Its package URL.
    pub purl: String,
    /// The file that names it, in the text form of the image's paths.
    pub path: String,
    /// Which format was read: `dpkg-status`.
    pub format: String,
}

/// A vulnerable package.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedFinding {
    /// Which of [`Report::systems`].
    pub system: usize,
    /// Which of its packages.
    pub package: usize,
    /// What the advisory says.
    #[serde(flatten)]
    pub finding: Finding,
}

/// Something that was not scanned, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    /// Which system or volume, and which file of it.
    pub place: String,
    /// What is the matter, in a sentence.
    pub message: String,
}

/// Kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProblemKind {
    /// The process that reads the image was killed; by what is in the message.
    ScannerDied,
    /// A volume that is not read: encrypted, unsupported, unknown, damaged, incomplete, not allowed.
    VolumeRefused,
    /// A file or folder that cannot be read.
    Unreadable,
    /// A file is not what its name promises.
    Malformed,
    /// A bound was reached, and something was left out.
    Limit,
    /// A version that its ecosystem's tool does not take, so that no advisory could be compared.
    NotAVersion,
    /// There are no advisories for a system or for a kind of package that is there.
    NoAdvisories,
}

impl ProblemKind {
    /// All kinds, worst first.
    pub const ALL: [Self; 7] = [
        Self::ScannerDied,
        Self::VolumeRefused,
        Self::Unreadable,
        Self::Malformed,
        Self::Limit,
        Self::NotAVersion,
        Self::NoAdvisories,
    ];

    /// As the JSON form names it: `VOLUME_REFUSED`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::ScannerDied => "SCANNER_DIED",
            Self::VolumeRefused => "VOLUME_REFUSED",
            Self::Unreadable => "UNREADABLE",
            Self::Malformed => "MALFORMED",
            Self::Limit => "LIMIT",
            Self::NotAVersion => "NOT_A_VERSION",
            Self::NoAdvisories => "NO_ADVISORIES",
        }
    }

    /// In words, for people: `volume not read`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::ScannerDied => "the scan broke off",
            Self::VolumeRefused => "volume not read",
            Self::Unreadable => "not readable",
            Self::Malformed => "malformed",
            Self::Limit => "cut off by a limit",
            Self::NotAVersion => "not a version",
            Self::NoAdvisories => "no advisories",
        }
    }
}

/// A source of advisories that was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdvisorySource {
    /// Its name.
    pub name: String,
    /// When it was imported.
    pub imported: Timestamp,
    /// The newest change in it; `None` when it does not tell.
    pub newest: Option<Timestamp>,
    /// How many advisories.
    pub count: u64,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Totals {
    /// Files of every kind, folders included.
    pub files: u64,
    /// The sum of the lengths of regular files, in bytes.
    pub bytes: u64,
    /// How many of these bytes were read.
    pub bytes_read: u64,
}
