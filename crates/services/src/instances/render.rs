//! A device as that API shows machines.

use guardhouse_contract::{Status, agentless::Instance, devices};
use guardhouse_store::Device;

use crate::devices::render;

/// The type of machine that devices are.
pub const SERVER: &str = "ecs";

/// Whose machines devices are: of no cloud.
pub const FLAG: i32 = 1;

/// What [`FLAG`] is called.
const FLAG_NAME: &str = "OUT";

/// Importance of every device: general.
pub const IMPORTANCE: i32 = 1;

/// Families of operating systems, as devices tell them.
pub const WINDOWS: u32 = 1;
/// The same.
pub const LINUX: u32 = 2;

/// `DEVICE_ENROLLMENT_STATUS_PENDING`: the device is expected, and no agent has spoken for it yet.
const PENDING: i32 = 1;

/// A device in `region`, whose agent is connected or not.
///
/// # Errors
/// What is kept of it cannot be read.
pub fn instance(device: Device, region: &str, is_connected: bool) -> Result<Instance, Status> {
    let is_pending = device.enrolment_status == PENDING;
    let last_contact = device.last_sync_time;
    let shown = render::device(device)?;
    let online = if is_connected { "online" } else { "offline" };
    let system = shown.operating_system.unwrap_or_default();
    let (public, own) = (shown.public_ip_address, shown.primary_local_ip_address);
    let name = if shown.display_name.is_empty() { shown.original_display_name } else { shown.display_name };
    let hardware = shown.hardware_profiles;
    Ok(Instance {
        instance_id: shown.uuid.clone(),
        uuid: shown.uuid,
        instance_name: name,
        ip: if public.is_empty() { own.clone() } else { public.clone() },
        ip_list_string: listed([public.as_str(), own.as_str()]),
        internet_ip: public,
        intranet_ip: own,
        mac_list_string: listed(adapters(&hardware)),
        os: os(system.family_id).to_owned(),
        os_name: system.display_name,
        cpu_info: processor(&hardware),
        client_status: online.to_owned(),
        client_sub_status: if is_pending { "uninstalled" } else { online }.to_owned(),
        status: if is_connected { "Running" } else { "" }.to_owned(),
        last_login_timestamp: last_contact.map_or(0, |time| time.as_millisecond()),
        asset_type: "0".to_owned(),
        importance: IMPORTANCE,
        flag: FLAG,
        flag_name: FLAG_NAME.to_owned(),
        vendor: FLAG,
        vendor_name: FLAG_NAME.to_owned(),
        region: region.to_owned(),
        region_id: region.to_owned(),
        region_name: region.to_owned(),
    })
}

fn os(family: u32) -> &'static str {
    match family {
        WINDOWS => "windows",
        LINUX => "linux",
        _ => "",
    }
}

fn adapters(hardware: &[devices::Hardware]) -> impl Iterator<Item = &str> {
    let adapters = hardware.iter().flat_map(|profile| &profile.network_adapters);
    adapters.map(|adapter| adapter.mac_address.as_str())
}

fn processor(hardware: &[devices::Hardware]) -> String {
    let mut processors = hardware.iter().flat_map(|profile| &profile.processors);
    processors.next().map_or_else(String::new, |processor| processor.caption.clone())
}

/// What there is, each once, with commas between.
fn listed<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut listed = Vec::new();
    for text in texts {
        if !text.is_empty() && !listed.contains(&text) {
            listed.push(text);
        }
    }
    listed.join(",")
}

#[cfg(test)]
mod tests {
    use guardhouse_model::{DeviceId, Timestamp, groups::ALL};
    use prost::Message as _;
    use uuid::Uuid;

    use super::*;

    fn device() -> Device {
        Device::placeholder(DeviceId(Uuid::from_u128(7)), ALL, "web".to_owned())
    }

    #[test]
    fn what_nobody_knows_is_empty() {
        let shown = instance(device(), "cellar-1", false).expect("is shown");
        assert_eq!(
            (shown.uuid.as_str(), shown.instance_name.as_str()),
            (&*Uuid::from_u128(7).to_string(), "web")
        );
        assert_eq!(
            (shown.client_status.as_str(), shown.client_sub_status.as_str()),
            ("offline", "uninstalled")
        );
        assert_eq!((shown.status.as_str(), shown.last_login_timestamp), ("", 0));
        let unknown = [shown.ip, shown.ip_list_string, shown.mac_list_string, shown.os, shown.os_name];
        assert!(unknown.iter().all(String::is_empty), "{unknown:?}");
        assert_eq!(shown.region_id, "cellar-1");
    }

    #[test]
    fn what_a_device_says_is_shown() {
        let adapter =
            |mac: &str| devices::NetworkAdapter { mac_address: mac.to_owned(), ..Default::default() };
        let attributes = devices::Device {
            operating_system: Some(devices::OperatingSystem {
                family_id: LINUX,
                display_name: "Debian GNU/Linux 13".to_owned(),
                ..Default::default()
            }),
            primary_local_ip_address: "10.0.0.1".to_owned(),
            hardware_profiles: vec![devices::Hardware {
                network_adapters: vec![adapter("aa:bb"), adapter(""), adapter("cc:dd"), adapter("aa:bb")],
                processors: vec![devices::Processor {
                    caption: "a fast one".to_owned(),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        let device = Device {
            display_name: String::new(),
            original_display_name: "host".to_owned(),
            enrolment_status: 2,
            public_ip_address: "192.0.2.1".to_owned(),
            last_sync_time: Timestamp::from_millisecond(1_700_000_000_123).ok(),
            attributes: attributes.encode_to_vec(),
            ..device()
        };
        let shown = instance(device, "", true).expect("is shown");
        assert_eq!((shown.os.as_str(), shown.os_name.as_str()), ("linux", "Debian GNU/Linux 13"));
        assert_eq!((shown.internet_ip.as_str(), shown.intranet_ip.as_str()), ("192.0.2.1", "10.0.0.1"));
        assert_eq!((shown.ip.as_str(), shown.ip_list_string.as_str()), ("192.0.2.1", "192.0.2.1,10.0.0.1"));
        assert_eq!((shown.mac_list_string.as_str(), shown.cpu_info.as_str()), ("aa:bb,cc:dd", "a fast one"));
        let status = [shown.client_status, shown.client_sub_status, shown.status].join(" ");
        assert_eq!((status.as_str(), shown.instance_name.as_str()), ("online online Running", "host"));
        assert_eq!(shown.last_login_timestamp, 1_700_000_000_123);
    }
}
