//! A device as clients see it.

use guardhouse_contract::{Status, devices, time::to_proto};
use guardhouse_store::Device;
use prost::Message as _;

/// Joins the kept attributes with the fields that the store keeps apart.
pub fn device(kept: Device) -> Result<devices::Device, Status> {
    let attributes = devices::Device::decode(kept.attributes.as_slice())
        .map_err(|error| Status::internal(format!("attributes of device {}: {error}", kept.id)))?;
    Ok(devices::Device {
        uuid: kept.id.to_string(),
        parent_group_uuid: kept.group.to_string(),
        display_name: kept.display_name,
        original_display_name: kept.original_display_name,
        description: kept.description,
        enrollment_status: kept.enrolment_status,
        functionality_status: kept.functionality_status,
        functionality_problem_count: kept.problem_count,
        is_muted: kept.is_muted,
        last_sync_time: kept.last_sync_time.map(to_proto),
        public_ip_address: kept.public_ip_address,
        device_token: kept.device_token,
        etag: format!("{:x}", kept.version),
        ..attributes
    })
}

/// The same for several.
pub fn devices(kept: Vec<Device>) -> Result<Vec<devices::Device>, Status> {
    kept.into_iter().map(device).collect()
}
