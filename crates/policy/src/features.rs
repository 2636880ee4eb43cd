//! The features of Guardhouse's own agent and the types of their configurations.

use guardhouse_contract::{
    descriptors,
    settings::{AgentPolicy, Feature, LoggingPolicy, ScanPolicy, UpdatesPolicy},
};
use prost::Name as _;
use prost_reflect::MessageDescriptor;

/// The type that configures a feature, where it is one of ours.
pub(crate) fn type_of(feature_id: u32) -> Option<String> {
    let feature = i32::try_from(feature_id).ok().and_then(|number| Feature::try_from(number).ok())?;
    match feature {
        Feature::Unspecified => None,
        Feature::Agent => Some(AgentPolicy::full_name()),
        Feature::Scan => Some(ScanPolicy::full_name()),
        Feature::Updates => Some(UpdatesPolicy::full_name()),
        Feature::Logging => Some(LoggingPolicy::full_name()),
    }
}

/// The feature of ours that a type configures.
pub(crate) fn feature_of(type_name: &str) -> Option<Feature> {
    let all = [Feature::Agent, Feature::Scan, Feature::Updates, Feature::Logging];
    all.into_iter().find(|&feature| type_of(feature as u32).as_deref() == Some(type_name))
}

/// The message that configures a feature, where it is one of ours.
pub(crate) fn descriptor_of(feature_id: u32) -> Option<MessageDescriptor> {
    descriptors::pool().get_message_by_name(&type_of(feature_id)?)
}

/// The full name of the type that a `type_url` names: whatever precedes the last slash is ignored.
pub(crate) fn type_name(type_url: &str) -> &str {
    type_url.rsplit('/').next().unwrap_or_default()
}
