//! Dynamic groups, and what their rules look at.

use guardhouse_model::{
    DeviceId, GroupId, Timestamp,
    dynamic_groups::{AttributeFacts, Rule},
};

use crate::Device;

/// A device to add, and what its attributes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    /// The device.
    pub device: Device,
    /// What a rule can look at of [`Device::attributes`].
    pub facts: AttributeFacts,
}

/// A device of whose attributes nothing is known.
impl From<Device> for NewDevice {
    fn from(device: Device) -> Self {
        Self { device, facts: AttributeFacts::default() }
    }
}

/// What the kept attributes of a device say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedFacts {
    /// The device.
    pub device: DeviceId,
    /// The attributes from which the facts were derived. When the device has others by now, the facts do not count.
    pub attributes: Vec<u8>,
    /// What a rule can look at of them.
    pub facts: AttributeFacts,
}

/// A dynamic group: of the devices that its parent has, those that the rule picks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicGroup {
    /// Identity.
    pub id: GroupId,
    /// The group above, static or dynamic.
    pub parent: GroupId,
    /// Name given by the user.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// Which devices it has.
    pub rule: Rule,
    /// Grows with every change of the group itself. Devices come and go without one.
    pub version: u64,
    /// When the rule was last judged for all devices. Between, it is judged for every device that changes.
    pub evaluate_time: Timestamp,
    /// How many devices it has.
    pub device_count: u64,
}

/// A dynamic group that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDynamicGroup {
    /// Identity.
    pub id: GroupId,
    /// The group above, static or dynamic.
    pub parent: GroupId,
    /// Name given by the user.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// Which devices it has.
    pub rule: Rule,
}

/// What is to become of a dynamic group; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DynamicGroupUpdate {
    /// Another name.
    pub display_name: Option<String>,
    /// Another text.
    pub description: Option<String>,
    /// Another rule.
    pub rule: Option<Rule>,
}

/// What became of a dynamic group that was to take a place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DynamicGroupCreate {
    /// It is there, with these devices.
    Done(Box<DynamicGroup>, Vec<DeviceId>),
    /// There is no such parent.
    NoSuchParent,
    /// The tree would become too deep.
    TooDeep,
}
