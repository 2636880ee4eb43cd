//! Devices and what they report.

use guardhouse_model::{
    DeviceId, GroupId, Timestamp,
    dynamic_groups::{Address, AttributeFacts, Folded},
};

use super::PageNumber;

/// A device as it is kept. Numbers of enumerations are the contract's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Identity.
    pub id: DeviceId,
    /// The one group that contains it.
    pub group: GroupId,
    /// Name given by the user.
    pub display_name: String,
    /// Name as the device reports it.
    pub original_display_name: String,
    /// Free text.
    pub description: String,
    /// `DeviceEnrollmentStatus`.
    pub enrolment_status: i32,
    /// `DeviceFunctionalityStatus`.
    pub functionality_status: i32,
    /// Number of problems, of any severity.
    pub problem_count: u32,
    /// Nobody wants to be bothered about it.
    pub is_muted: bool,
    /// Last contact.
    pub last_sync_time: Option<Timestamp>,
    /// Address as the server sees it.
    pub public_ip_address: String,
    /// Digest of its key, in hexadecimal; empty before enrolment.
    pub device_token: String,
    /// An encoded contract `Device` with every attribute that has no field here.
    pub attributes: Vec<u8>,
    /// Grows with every change.
    pub version: u64,
}

impl Device {
    /// A device that is expected and has not spoken for itself yet: `DEVICE_ENROLLMENT_STATUS_PENDING`, and nothing
    /// is known of it but a name.
    #[must_use]
    pub fn placeholder(id: DeviceId, group: GroupId, display_name: String) -> Self {
        Self {
            id,
            group,
            display_name,
            original_display_name: String::new(),
            description: String::new(),
            enrolment_status: 1,
            functionality_status: 0,
            problem_count: 0,
            is_muted: false,
            last_sync_time: None,
            public_ip_address: String::new(),
            device_token: String::new(),
            attributes: Vec::new(),
            version: 1,
        }
    }
}

/// Which devices a list shows. Conditions are joined by AND.
#[derive(Debug, Clone, Default)]
pub struct DeviceFilter {
    /// One of these display names exactly; empty: any.
    pub display_names: Vec<String>,
    /// This `DeviceFunctionalityStatus`.
    pub functionality_status: Option<i32>,
    /// Muted or not.
    pub is_muted: Option<bool>,
}

/// One thing that devices of a page have to be or have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceCondition {
    /// It is this device.
    Is(DeviceId),
    /// This is a part of the name that users gave it, or of its own.
    Named(Folded),
    /// The server sees it at this address.
    PublicAddress(String),
    /// This is the first address that it has itself. One that is not known is nobody's.
    OwnAddress(Address),
    /// This is a part of the name of its operating system.
    System(Folded),
    /// Its operating system is of this family.
    Family(u32),
    /// Holds for none.
    Never,
}

/// Which devices are in pages with numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DevicePageFilter {
    /// The conditions; none: all devices.
    pub conditions: Vec<DeviceCondition>,
    /// Whether all of them have to hold, and not just one.
    pub needs_all: bool,
}

/// Which page of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DevicePage {
    /// By its number.
    Numbered(PageNumber),
    /// So many devices that come after this one; `None`: the first.
    After(Option<DeviceId>, usize),
}

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceReport {
    /// Its host name.
    pub host_name: String,
    /// An encoded contract `Device` with every attribute that has no field in [`Device`].
    pub attributes: Vec<u8>,
    /// What a rule can look at of the attributes.
    pub facts: AttributeFacts,
}
