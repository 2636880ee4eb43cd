//! `POST /v1/devices:batchImport`

use std::collections::{HashMap, HashSet};

use guardhouse_contract::{
    Code, Status,
    devices::{self, ImportDeviceBatchRequest, ImportDeviceBatchResponse},
};
use guardhouse_dispatch::facts;
use guardhouse_identity::Failure;
use guardhouse_model::{Environment, GroupId, groups::LOST_AND_FOUND, names};
use guardhouse_store::{Device, NewDevice};
use prost::Message as _;

use crate::{
    Context,
    devices::{no_place, render},
    fields,
};

/// Most devices of one call.
const LARGEST_BATCH: usize = 1_000;

/// Imports placeholders: PENDING until a host of the same name enrols.
///
/// The call fails as a whole when it is too large, when names repeat or when the group is unknown. A device
/// that is wrong in itself is reported under its name, and the others are imported.
pub async fn run(
    context: &Context,
    request: ImportDeviceBatchRequest,
) -> Result<ImportDeviceBatchResponse, Status> {
    let asked = request.devices.len();
    if asked > LARGEST_BATCH {
        let message = format!("the batch has {asked} devices; at most {LARGEST_BATCH} are allowed");
        return Err(Status::new(Code::OutOfRange, "BATCH_TOO_LARGE", message));
    }
    refuse_repeated_names(&request.devices)?;
    let group = parent_group(&request.parent_group_uuid)?;

    let mut errors = HashMap::new();
    let mut placeholders = Vec::with_capacity(asked);
    for device in request.devices {
        match check(&device, &request.parent_group_uuid) {
            Ok(()) => placeholders.push(placeholder(&context.environment, group, device)),
            Err(status) => {
                errors.insert(device.display_name, status.to_proto());
            }
        }
    }
    let imported = context.store.devices_import(group, placeholders).await.map_err(Failure::from)?;
    let Some(imported) = imported else { return Err(no_place(context, "parentGroupUuid", group).await?) };
    Ok(ImportDeviceBatchResponse { devices: render::devices(imported)?, errors })
}

fn refuse_repeated_names(devices: &[devices::Device]) -> Result<(), Status> {
    let mut seen = HashSet::new();
    let repeated = devices.iter().position(|device| !seen.insert(device.display_name.as_str()));
    repeated.map_or(Ok(()), |index| {
        let name = &devices[index].display_name;
        let description = format!("{name:?} is used more than once; names must be unique within a batch");
        Err(Status::invalid_field(format!("devices[{index}].displayName"), description))
    })
}

/// The group that will hold the batch; *Lost & found* when the client names none.
fn parent_group(text: &str) -> Result<GroupId, Status> {
    if text.is_empty() { Ok(LOST_AND_FOUND) } else { fields::resource("parentGroupUuid", text) }
}

fn check(device: &devices::Device, parent_group_uuid: &str) -> Result<(), Status> {
    names::check(&device.display_name)
        .map_err(|wrong| Status::invalid_field("displayName", wrong.to_string()))?;
    let own = &device.parent_group_uuid;
    if !own.is_empty() && !own.eq_ignore_ascii_case(parent_group_uuid) {
        let description = format!(
            "is {own}, but the request imports into {parent_group_uuid:?}; leave it empty or make them equal"
        );
        return Err(Status::invalid_field("parentGroupUuid", description));
    }
    let length = device.description.chars().count();
    if length > fields::LONGEST_DESCRIPTION {
        let description =
            format!("has {length} characters; at most {} are kept", fields::LONGEST_DESCRIPTION);
        return Err(Status::invalid_field("description", description));
    }
    Ok(())
}

fn placeholder(environment: &Environment, group: GroupId, device: devices::Device) -> NewDevice {
    // What a client may say of a device that has not yet spoken for itself; the rest is the server's to know.
    let attributes = devices::Device {
        is_mobile: device.is_mobile,
        is_master: device.is_master,
        device_type: device.device_type,
        operating_system: device.operating_system,
        primary_local_ip_address: device.primary_local_ip_address,
        cloning_configuration: device.cloning_configuration,
        active_products: device.active_products,
        ..Default::default()
    };
    let facts = facts::of(&attributes);
    let device = Device {
        description: device.description,
        attributes: attributes.encode_to_vec(),
        ..Device::placeholder(environment.uuid().into(), group, device.display_name)
    };
    NewDevice { device, facts }
}
