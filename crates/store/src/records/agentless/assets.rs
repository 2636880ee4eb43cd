//! Places where targets lie, and what can be scanned there.

use guardhouse_model::Timestamp;
use uuid::Uuid;

/// A place where targets lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessLocation {
    /// Identity.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// An encoded contract `Address`, without secrets.
    pub address: Vec<u8>,
    /// What opens it, encrypted; `None`: nothing is needed.
    pub sealed_credentials: Option<Vec<u8>>,
    /// Of its assets: 1 are devices, 3 snapshots, 4 images.
    pub target_type: i32,
    /// When it was registered.
    pub create_time: Timestamp,
    /// When it was last looked at.
    pub look_time: Option<Timestamp>,
    /// Why that failed; empty: it did not.
    pub trouble: String,
}

/// What can be scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessAsset {
    /// What it is called in the public API.
    pub instance_id: String,
    /// Where it lies.
    pub location: Uuid,
    /// In its location.
    pub name: String,
    /// 1: a device, 3: a snapshot, 4: an image.
    pub target_type: i32,
    /// How much there is to read at most.
    pub size_bytes: u64,
    /// Another one whenever the content is.
    pub version: String,
    /// The system that was found on it; empty: none yet.
    pub platform: String,
    /// When it was last there.
    pub seen_time: Timestamp,
    /// It was not there when its location was last looked at.
    pub is_gone: bool,
}

/// Which assets are listed. What is `None` does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgentlessAssetScope {
    /// Of this location.
    pub location: Option<Uuid>,
    /// 1: devices, 3: snapshots, 4: images.
    pub target_type: Option<i32>,
    /// Those that are not there any more, or those that are.
    pub is_gone: Option<bool>,
}

/// What came of a look at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationLook {
    /// When it began.
    pub time: Timestamp,
    /// All that lies there, or why it cannot be told, in a sentence.
    pub found: Result<Vec<FoundAsset>, String>,
    /// What was last there before is forgotten, unless there is a result of it.
    pub forget: Timestamp,
}

/// Something that lies in a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAsset {
    /// What it is called in the public API.
    pub instance_id: String,
    /// In its location.
    pub name: String,
    /// How much there is to read at most.
    pub size_bytes: u64,
    /// Another one whenever the content is.
    pub version: String,
}
