//! Selections of assets.

use guardhouse_model::Timestamp;
use uuid::Uuid;

/// A selection to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgentlessSelection {
    /// Identity: any positive number.
    pub key: i64,
    /// What it is for. It takes the place of the selection that was for it before.
    pub business_type: String,
    /// Whether it has all assets rather than those that are taken into it.
    pub has_all: bool,
    /// Which assets count: `all`, `linux`, `windows`, or of a system in lower case, as `debian`.
    pub platform: String,
    /// Who makes it.
    pub account: Uuid,
    /// What the client names so that asking twice makes one selection; empty: nothing.
    pub client_token: String,
    /// Now.
    pub create_time: Timestamp,
}

/// What became of a request to keep a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectionAdded {
    /// It is kept.
    Added,
    /// The account asked for the same before, by its token: this is that selection.
    Repeated(i64),
    /// Another one has its key; nothing was changed.
    KeyTaken,
}

/// A selection as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessSelection {
    /// Identity.
    pub key: i64,
    /// Whether it has all assets rather than those that were taken into it.
    pub has_all: bool,
    /// Which assets count: `all`, `linux`, `windows`, or of a system in lower case, as `debian`.
    pub platform: String,
}

/// What became of a request to change a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectionChanged {
    /// It is as was wanted.
    Changed,
    /// There is no such selection.
    NotFound,
    /// It has all assets anyway; nothing was changed.
    HasAll,
    /// These are no assets; nothing was changed.
    Unknown(Vec<String>),
    /// It would have more than [`crate::Store::MOST_SELECTED`]; nothing was changed.
    TooMany,
}

/// Which assets are listed. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentlessAssetFilter {
    /// These; at most 1,000.
    pub ids: Option<Vec<String>>,
    /// As in the public API.
    pub target_type: Option<i32>,
    /// No devices: only what lies in locations.
    pub without_devices: bool,
    /// Whose name has this in it, upper and lower case alike.
    pub name: String,
    /// On which this system was found, upper and lower case alike.
    pub platform: String,
}
