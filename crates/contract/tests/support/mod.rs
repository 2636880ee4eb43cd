//! What the JSON tests share.

use guardhouse_contract::descriptors;
use prost_reflect::MessageDescriptor;

/// The message of the contract that is called `name`, without its package where the domains' messages are meant.
pub fn descriptor(name: &str) -> MessageDescriptor {
    const PACKAGES: [&str; 5] = [
        "eset.connect.automation.v1.",
        "eset.connect.device_management.v1.",
        "eset.connect.asset_management.v1.",
        "eset.connect.policy_management.v2.",
        "",
    ];
    let mut candidates = PACKAGES.iter().map(|package| format!("{package}{name}"));
    let found = candidates.find_map(|name| descriptors::pool().get_message_by_name(&name));
    found.unwrap_or_else(|| panic!("{name} is not part of the contract"))
}
