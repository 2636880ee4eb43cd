//! Locations and assets as the contract has them.

use std::collections::HashMap;

use guardhouse_contract::{
    Status,
    scans::{self, Address},
    time::to_proto,
};
use guardhouse_store::{AgentlessAsset, AgentlessLocation};
use prost::Message as _;

/// A location, without what opens it.
///
/// # Errors
/// What is kept of it cannot be read.
pub fn location(location: AgentlessLocation) -> Result<scans::AgentlessLocation, Status> {
    Ok(scans::AgentlessLocation {
        uuid: location.id.to_string(),
        display_name: location.name,
        address: Some(Address::decode(location.address.as_slice()).map_err(Status::internal)?),
        target_type: location.target_type,
        has_credentials: location.sealed_credentials.is_some(),
        create_time: Some(to_proto(location.create_time)),
        look_time: location.look_time.map(to_proto),
        trouble: location.trouble,
    })
}

/// An asset; `names` has the names of devices.
pub fn asset(asset: AgentlessAsset, names: &mut HashMap<String, String>) -> scans::AgentlessAsset {
    scans::AgentlessAsset {
        device_name: names.remove(&asset.instance_id).unwrap_or_default(),
        instance_id: asset.instance_id,
        location_uuid: asset.location.to_string(),
        name: asset.name,
        target_type: asset.target_type,
        size_bytes: i64::try_from(asset.size_bytes).unwrap_or(i64::MAX),
        version: asset.version,
        platform: asset.platform,
        seen_time: Some(to_proto(asset.seen_time)),
        is_gone: asset.is_gone,
    }
}
