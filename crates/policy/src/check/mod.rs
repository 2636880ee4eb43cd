//! Judges the features of a policy that is to be created.
//!
//! Of features that only other products know, the form is judged; of ours, every setting by the rules that
//! `settings.proto` states.

mod agent;
mod flags;
mod forms;
mod found;
mod scan;
mod settings;

use guardhouse_contract::{
    FieldViolation, descriptors, json, pb::guardhouse::json::v1::ForeignObject, policies::FeaturePolicy,
};
use prost::Name as _;
use prost_types::Any;

use crate::{
    features::{self, type_name},
    foreign,
};
use found::Found;

/// Checks features; `field` says where they are in the request. At most [`json::MAX_VIOLATIONS`] are answered.
#[must_use]
pub fn check(field: &str, features: &[FeaturePolicy]) -> Vec<FieldViolation> {
    let mut found = Found::at(field);
    for (index, feature) in features.iter().enumerate() {
        found.element(index, |found| check_feature(found, feature));
    }
    found.violations()
}

fn check_feature(found: &mut Found, feature: &FeaturePolicy) {
    if feature.feature_id == 0 {
        let wrong = "is missing; a feature is needed, 4294967295 for settings in the older format";
        found.member("featureId", |found| found.wrong(wrong));
    }
    if let Some(payload) = &feature.configuration {
        found.member("configuration", |found| configuration(found, feature.feature_id, payload));
    }
    flags::check(found, feature);
}

fn configuration(found: &mut Found, feature_id: u32, payload: &Any) {
    // What gRPC brings has not been read: a payload must be one of its type, or nobody could list the policy.
    let alone = FeaturePolicy { configuration: Some(payload.clone()), ..Default::default() };
    if json::to_value(&alone).is_err() {
        return found.wrong("is not what its type says");
    }
    if payload.type_url.is_empty() {
        if !payload.value.is_empty() {
            found.member("@type", |found| found.wrong("is missing: it names the type of the configuration"));
        }
        return;
    }
    let object =
        (type_name(&payload.type_url) == ForeignObject::full_name()).then(|| foreign::object(payload));
    let type_url = match object {
        None => payload.type_url.clone(),
        Some(Some(object)) => foreign::read(object).type_url,
        Some(None) => return found.wrong("is a foreign object that does not name its type in @type"),
    };
    let named = type_name(&type_url);
    match (features::type_of(feature_id), features::feature_of(named)) {
        (Some(own), _) if own != named => {
            let wrong = format!("is {type_url:?}, but feature {feature_id} takes type.googleapis.com/{own}");
            found.member("@type", |found| found.wrong(wrong));
        }
        (None, Some(owner)) => {
            let wrong = format!("is {type_url:?}, which belongs to feature {}", owner as u32);
            found.member("@type", |found| found.wrong(wrong));
        }
        _ if type_url != payload.type_url && descriptors::pool().get_message_by_name(named).is_some() => {
            found.wrong(format!("is a foreign object, but {named} is known: send the message itself"));
        }
        (Some(_), _) => settings::check(found, feature_id, payload),
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests;
