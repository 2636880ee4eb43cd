//! What a device says of itself, as the attributes that the store keeps.

use guardhouse_contract::{Status, devices::Device, json, link::Inventory};
use guardhouse_model::names;
use guardhouse_store::DeviceReport;
use prost::Message as _;

use crate::facts;

/// Joins an inventory with the attributes that are already kept: what only an import can tell
/// (mobile, master, cloning) stays, what the device itself knows better is replaced.
///
/// # Errors
/// The host name is none, or the result could never be shown to a client: the inventory holds a value that is no
/// value of its field.
pub fn report(known: &[u8], inventory: Inventory) -> Result<DeviceReport, Status> {
    // The rule of enrolment.
    names::check(&inventory.host_name)
        .map_err(|wrong| Status::invalid_field("inventory.hostName", wrong.to_string()))?;
    let kept = Device::decode(known).map_err(Status::internal)?;
    let attributes = Device {
        operating_system: inventory.operating_system,
        hardware_profiles: inventory.hardware_profiles,
        deployed_components: inventory.deployed_components,
        primary_local_ip_address: inventory.primary_local_ip_address,
        device_type: inventory.device_type,
        ..kept
    };
    let encoded = attributes.encode_to_vec();
    // A device is not trusted: what cannot be written as JSON would spoil every list it appears in. What is already
    // kept has been judged; that is the rule when ten thousand devices come back.
    if encoded != known {
        json::write_message(&attributes).map_err(|cause| {
            Status::invalid_field("inventory", "holds a value that no client could be shown").because(cause)
        })?;
    }
    Ok(DeviceReport { host_name: inventory.host_name, facts: facts::of(&attributes), attributes: encoded })
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::devices::{Hardware, OperatingSystem};
    use prost_types::FieldMask;

    use super::*;

    #[test]
    fn the_device_knows_better_but_not_everything() {
        let system =
            |name: &str| Some(OperatingSystem { display_name: name.to_owned(), ..Default::default() });
        let kept = Device { is_mobile: true, operating_system: system("guessed"), ..Default::default() };
        let inventory = Inventory {
            host_name: "host".to_owned(),
            operating_system: system("Debian"),
            ..Default::default()
        };
        let report = report(&kept.encode_to_vec(), inventory).expect("good");
        let joined = Device::decode(report.attributes.as_slice()).expect("decodes");
        assert_eq!(report.host_name, "host");
        assert!(joined.is_mobile);
        assert_eq!(joined.operating_system, system("Debian"));
    }

    #[test]
    fn what_no_client_could_be_shown_is_refused() {
        let hardware = Hardware {
            malformed_data: Some(FieldMask { paths: vec!["notAPath_Of Anything".to_owned()] }),
            ..Default::default()
        };
        let named = |name: &str| Inventory { host_name: name.to_owned(), ..Default::default() };
        report(&[], named("host")).expect("good");
        for name in ["", "two\nlines", "a\0b"] {
            report(&[], named(name)).expect_err("refused");
        }
        report(&[], Inventory { hardware_profiles: vec![hardware], ..named("host") }).expect_err("refused");
    }
}
