//! Devices and what they report.

use guardhouse_model::{DeviceId, GroupId, Timestamp, dynamic_groups::AttributeFacts};

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
