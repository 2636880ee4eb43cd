//! What rules look at.

use jiff::Timestamp;

use super::{address::Address, text::Folded, version::VersionKey};

/// Everything of a device that a rule can look at. Numbers of enumerations are the contract's; 0 is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Name given by the user.
    pub display_name: Folded,
    /// Name as the device reports it.
    pub original_display_name: Folded,
    /// `DeviceEnrollmentStatus`.
    pub enrolment_status: i32,
    /// `DeviceFunctionalityStatus`.
    pub functionality_status: i32,
    /// Number of problems.
    pub problem_count: u32,
    /// Nobody wants to be bothered about it.
    pub is_muted: bool,
    /// Last contact.
    pub last_seen: Option<Timestamp>,
    /// What its attributes say.
    pub attributes: AttributeFacts,
}

/// What the attributes of a device say that a rule can look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeFacts {
    /// Name of the operating system.
    pub operating_system: Folded,
    /// Family of the operating system: Windows, Linux and so on.
    pub operating_system_family: u32,
    /// Edition of the operating system: server, client and so on.
    pub operating_system_edition: u32,
    /// Version of the operating system.
    pub operating_system_version: VersionKey,
    /// Version of the agent.
    pub agent_version: VersionKey,
    /// First address of the device itself.
    pub primary_address: Address,
    /// `DeviceType`.
    pub device_type: i32,
    /// A phone or a tablet.
    pub is_mobile: bool,
    /// The template of virtual machines.
    pub is_master: bool,
    /// What is installed.
    pub components: Vec<Component>,
}

/// A component that is installed on a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Component {
    /// Its name.
    pub name: Folded,
    /// Its version.
    pub version: VersionKey,
}
