//! Versions of the agent.

use guardhouse_model::Timestamp;

/// A version of the agent for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRelease {
    /// The version, as the program itself tells it.
    pub version: String,
    /// The platform it runs on.
    pub platform: String,
    /// Size of the program in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the program.
    pub sha256: Vec<u8>,
    /// Signature over all of this.
    pub signature: Vec<u8>,
    /// When it came.
    pub import_time: Timestamp,
    /// Which devices are to have it.
    pub wanted: Wanted,
}

/// Which devices are to have a version of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// None.
    Nowhere,
    /// Those with an earlier version.
    Upgrade,
    /// All, also those with a later one.
    Everywhere,
}
