//! Groups and their members.

use guardhouse_model::{DeviceId, GroupId};

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The device.
    pub device: DeviceId,
    /// Its display name.
    pub display_name: String,
    /// The group that contains it directly, or the dynamic group that was asked for.
    pub group: GroupId,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Identity.
    pub id: GroupId,
    /// The group above; only *All* has none.
    pub parent: Option<GroupId>,
    /// Name given by the user.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// Id of the record in an external system.
    pub external_reference: String,
    /// `ExternalAssetType`.
    pub external_type: i32,
    /// It has the devices that a rule picks, and none of its own.
    pub is_dynamic: bool,
    /// Grows with every change.
    pub version: u64,
}

/// What became of a group that was to take a place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupMove {
    /// It is there.
    Done(Group),
    /// There is no such group.
    NoSuchGroup,
    /// There is no such parent.
    NoSuchParent,
    /// The parent is a dynamic group, below which only dynamic groups can be.
    BelowDynamic,
    /// The parent is the group itself or lies below it.
    Cycle,
    /// The tree would become too deep.
    TooDeep,
}
