//! Which devices a task is for.

use std::collections::BTreeSet;

use clap::Args;
use guardhouse_contract::{automation::DeviceTaskTargets, devices::ListMemberDevicesRequest};

use crate::client::Client;

/// Targets on the command line: at least one.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct TargetArgs {
    /// A device, by uuid or by name; repeat it for several.
    #[arg(long = "device", value_name = "DEVICE")]
    devices: Vec<String>,

    /// A group with all groups below it, by uuid or by name, including devices that join later; repeat it for
    /// several.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
}

impl TargetArgs {
    /// Finds the devices and groups.
    ///
    /// # Errors
    /// A name is not that of one device or group.
    pub async fn resolve(&self, client: &Client) -> anyhow::Result<DeviceTaskTargets> {
        Ok(DeviceTaskTargets {
            devices_uuids: client.resolve_devices(&self.devices).await?,
            device_groups_uuids: client.resolve_groups(&self.groups).await?,
        })
    }
}

/// The devices that are targets now: those listed and the present members of the groups.
pub async fn present(client: &Client, targets: &DeviceTaskTargets) -> anyhow::Result<BTreeSet<String>> {
    let mut devices: BTreeSet<_> = targets.devices_uuids.iter().cloned().collect();
    for group in &targets.device_groups_uuids {
        let request = ListMemberDevicesRequest {
            group_uuid: group.clone(),
            recurse_subgroups: true,
            ..Default::default()
        };
        let members = client.list_member_devices(request).await?.devices;
        devices.extend(members.into_iter().map(|member| member.uuid));
    }
    Ok(devices)
}
