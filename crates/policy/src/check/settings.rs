//! The settings of our features.

use guardhouse_contract::settings::{
    AgentPolicy, Feature, LogLevel, LoggingPolicy, ScanPolicy, UpdatesPolicy,
};
use prost::Message;
use prost_types::Any;

use super::{agent, forms, found::Found, scan};

/// Checks the settings of a feature of ours, of the type that belongs to it.
pub(super) fn check(found: &mut Found, feature_id: u32, payload: &Any) {
    let feature = i32::try_from(feature_id).ok().and_then(|number| Feature::try_from(number).ok());
    match feature.unwrap_or_default() {
        Feature::Unspecified => {}
        Feature::Agent => decoded::<AgentPolicy>(found, payload, agent::check),
        Feature::Scan => decoded::<ScanPolicy>(found, payload, scan::check),
        Feature::Updates => decoded::<UpdatesPolicy>(found, payload, updates),
        Feature::Logging => decoded::<LoggingPolicy>(found, payload, logging),
    }
}

fn decoded<M: Message + Default>(found: &mut Found, payload: &Any, check: fn(&mut Found, &M)) {
    match M::decode(payload.value.as_slice()) {
        Ok(settings) => check(found, &settings),
        Err(_) => found.wrong("is not what its type says"),
    }
}

fn updates(found: &mut Found, settings: &UpdatesPolicy) {
    found.texts("excludedPackages", settings.excluded_packages.as_ref(), forms::package);
}

fn logging(found: &mut Found, settings: &LoggingPolicy) {
    if let Some(level) = settings.level
        && matches!(LogLevel::try_from(level), Ok(LogLevel::Unspecified) | Err(_))
    {
        found.member("level", |found| found.wrong("is no level; LOG_LEVEL_ERROR to LOG_LEVEL_TRACE are"));
    }
}
