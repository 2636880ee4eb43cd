//! Assets as what a task scans.

use guardhouse_store::{AgentlessAsset, NewAgentlessSubtask};
use uuid::Uuid;

/// The subtask that scans an asset. An asset that is no disk of a device stands for itself where the public API asks for
/// the name of one.
pub fn subtask(id: Uuid, asset: AgentlessAsset) -> NewAgentlessSubtask {
    NewAgentlessSubtask {
        id,
        instance_id: asset.instance_id,
        location: asset.location,
        target_type: asset.target_type,
        instance_name: asset.name.clone(),
        target_name: asset.name,
        internet_ip: String::new(),
        intranet_ip: String::new(),
        size_bytes: asset.size_bytes,
    }
}
