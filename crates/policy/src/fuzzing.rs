//! Reading and merging arbitrary policies, for the fuzz target and for the property that does the same within bounds.

use std::sync::Arc;

use guardhouse_contract::{descriptors, json, link::EffectiveFeature, policies::FeaturePolicy};
use prost::{Message as _, Name as _};

use crate::{Effective, Parsed, check, effective, explain};

/// Takes bytes for a feature of a policy, as JSON and as what gRPC brings, and does with it what becomes of a policy
/// that is created and reaches a device.
///
/// # Panics
/// A device would get what no client could be shown, or something else when the same was read again.
pub fn feature(bytes: &[u8]) {
    for feature in read_json(bytes).into_iter().chain(FeaturePolicy::decode(bytes)) {
        accept(&feature);
    }
}

fn read_json(bytes: &[u8]) -> Option<FeaturePolicy> {
    let descriptor = descriptors::pool().get_message_by_name(&FeaturePolicy::full_name());
    let document = json::read(descriptor.expect("part of the contract"), bytes);
    document.ok()?.transcode_to().ok()
}

fn accept(feature: &FeaturePolicy) {
    let policy = Arc::new(Parsed::new(std::slice::from_ref(feature)));
    let once = effective(&[Arc::clone(&policy)]);
    let twice = effective(&[Arc::clone(&policy), Arc::clone(&policy)]);
    if !check("", std::slice::from_ref(feature)).is_empty() {
        return;
    }
    explain(&[policy]).expect("it can be explained");
    for merged in [once, twice] {
        let features: Vec<_> = merged.features.iter().map(as_policy).collect();
        for feature in &features {
            json::to_value(feature).expect("it can be shown");
        }
        let again = effective(&[Arc::new(Parsed::new(&features))]);
        assert_eq!(configurations(again), configurations(merged), "read again, it is the same");
    }
}

fn as_policy(merged: &EffectiveFeature) -> FeaturePolicy {
    FeaturePolicy {
        configuration: merged.configuration.clone(),
        feature_id: merged.feature_id,
        ..Default::default()
    }
}

/// What is merged without the flags, which the document of a device cannot give back.
fn configurations(merged: Effective) -> Vec<(u32, Option<prost_types::Any>)> {
    merged.features.into_iter().map(|feature| (feature.feature_id, feature.configuration)).collect()
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::prelude::*;

    use super::*;

    const GOOD: [&str; 3] = [
        r#"{"featureId":7,"flags":{"scan.profile":{"readOnly":true}},"configuration":{"@type":"t/V.S","scan":{"profile":"a","x":{}},"l":[{"b":1,"a":2}]}}"#,
        r#"{"featureId":1195900929,"configuration":{"@type":"type.googleapis.com/guardhouse.policy.v1.AgentPolicy","servers":{"values":["https://h:1"],"merge":2},"runCommand":{"outputLimitBytes":0}}}"#,
        r#"{"featureId":4294967295,"configuration":{"@type":"type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData","data":"e30=","product":"p"}}"#,
    ];

    #[test]
    fn seeds_are_accepted() {
        for (number, good) in GOOD.iter().enumerate() {
            feature(good.as_bytes());
            keep("policies", &number.to_string(), good.as_bytes());
            let encoded = read_json(good.as_bytes()).expect("a feature").encode_to_vec();
            feature(&encoded);
            keep("policies", &format!("{number}-encoded"), &encoded);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_danger(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            feature(&bytes);
        }

        #[test]
        fn changed_policies_are_no_danger(
            which in 0..GOOD.len(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"{}[]\",:.a0@\\".to_vec())), 1..5),
        ) {
            let mut bytes = GOOD[which].as_bytes().to_vec();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            feature(&bytes);
        }
    }
}
