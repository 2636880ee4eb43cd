//! Devices as tables.

use guardhouse_contract::devices::{Device, MemberDevice};

use crate::output::{constant, table, time};

/// One line per device.
pub fn devices<'a>(devices: impl IntoIterator<Item = &'a Device>) -> String {
    let header = ["NAME", "UUID", "ENROLMENT", "STATUS", "SYSTEM", "ADDRESS", "LAST SYNC"];
    let row = |device: &Device| {
        [
            device.display_name.clone(),
            device.uuid.clone(),
            constant(device.enrollment_status().as_str_name(), "DEVICE_ENROLLMENT_STATUS_"),
            constant(device.functionality_status().as_str_name(), "DEVICE_FUNCTIONALITY_STATUS_"),
            device.operating_system.as_ref().map(|system| system.display_name.clone()).unwrap_or_default(),
            device.primary_local_ip_address.clone(),
            time(device.last_sync_time.as_ref()),
        ]
    };
    table(header, devices.into_iter().map(row))
}

/// One line per member of a group.
pub fn members(members: &[MemberDevice]) -> String {
    let row =
        |member: &MemberDevice| [member.display_name.clone(), member.uuid.clone(), member.group_uuid.clone()];
    table(["NAME", "UUID", "GROUP"], members.iter().map(row))
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::devices::{DeviceEnrollmentStatus, DeviceFunctionalityStatus, OperatingSystem};

    use super::*;

    #[test]
    fn a_device_is_a_line() {
        let enrolled = Device {
            display_name: "web-1".to_owned(),
            uuid: "0193-a".to_owned(),
            enrollment_status: DeviceEnrollmentStatus::Finished.into(),
            functionality_status: DeviceFunctionalityStatus::AttentionRequired.into(),
            operating_system: Some(OperatingSystem {
                display_name: "Debian 13".to_owned(),
                ..Default::default()
            }),
            primary_local_ip_address: "192.0.2.7".to_owned(),
            last_sync_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..Default::default()
        };
        let placeholder = Device {
            display_name: "web-2".to_owned(),
            uuid: "0193-b".to_owned(),
            enrollment_status: DeviceEnrollmentStatus::Pending.into(),
            ..Default::default()
        };
        let expected = "\
            NAME   UUID    ENROLMENT  STATUS              SYSTEM     ADDRESS    LAST SYNC\n\
            web-1  0193-a  FINISHED   ATTENTION_REQUIRED  Debian 13  192.0.2.7  2023-11-14T22:13:20Z\n\
            web-2  0193-b  PENDING    -                   -          -          -";
        assert_eq!(devices([&enrolled, &placeholder]), expected);
    }
}
