//! Payloads that the contract does not know: kept as they came, where the contract allows for them.

mod support;

use guardhouse_contract::{
    json,
    pb::era::common::data_definition::policy::PolicyData,
    policies::{FeaturePolicy, GetPolicyResponse, Policy},
    status::pack,
};
use prost_types::Any;
use serde_json::{Value, json as object};
use support::descriptor;

const VENDOR: &str = "type.googleapis.com/Vendor.Product.Settings";

fn round_trip(document: &Value) -> Value {
    let message = json::read(descriptor("Policy"), document.to_string().as_bytes()).expect("accepted");
    serde_json::from_slice(&json::write(&message).expect("canonical")).expect("JSON")
}

fn policy_with(configuration: Any) -> GetPolicyResponse {
    let feature = FeaturePolicy { configuration: Some(configuration), ..Default::default() };
    let features = vec![FeaturePolicy::default(), feature];
    GetPolicyResponse { policy: Some(Policy { features, ..Default::default() }) }
}

fn written(configuration: Any) -> Value {
    let answer = policy_with(configuration);
    let value = json::to_value(&answer).expect("canonical");
    let bytes = json::write_message(&answer).expect("canonical");
    assert_eq!(serde_json::from_slice::<Value>(&bytes).expect("JSON"), value, "both ways write the same");
    value.pointer("/policy/features/1/configuration").expect("is there").clone()
}

#[test]
fn foreign_objects_come_out_as_they_went_in() {
    for configuration in [
        object!({"@type": VENDOR}),
        object!({"@type": "Vendor.Settings", "value": "AAE=", "snake_case": null, "a/b~c": {"@type": 7}}),
        object!({"z": [1, -2.5, 1e300, u64::MAX, "ß\n"], "@type": VENDOR, "a": {"": [], "b": {}}}),
    ] {
        let features = object!([{"featureId": 7}, {"featureId": u32::MAX, "configuration": configuration}]);
        let policy = round_trip(&object!({"displayName": "p", "features": features}));
        let kept = &policy["features"][1]["configuration"];
        assert_eq!(kept.to_string(), configuration.to_string(), "members in their order");
        assert_eq!(policy["features"][0]["featureId"], 7);
        assert_eq!(policy["features"][1]["featureId"], u32::MAX);
    }
}

#[test]
fn foreign_bytes_are_shown_in_base64() {
    let value: Vec<u8> = (0..=255).collect();
    let shown = written(Any { type_url: VENDOR.to_owned(), value });
    assert_eq!(shown["@type"], VENDOR);
    assert!(shown["value"].as_str().expect("text").starts_with("AAECAwQF"), "{shown}");
}

#[test]
fn payloads_that_the_contract_knows_are_read_and_written_as_everywhere() {
    let data = PolicyData { data: vec![0xff, 0], product: "eset.local.products.endpoint".to_owned() };
    let expected = object!({
        "@type": "type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData",
        "data": "/wA=",
        "product": "eset.local.products.endpoint",
    });
    assert_eq!(written(pack(&data)), expected);
    let document = object!({"features": [{"configuration": expected}]});
    assert_eq!(round_trip(&document)["features"][0]["configuration"], expected);
}

#[test]
fn what_is_wrong_is_named() {
    let deep = (0..json::MAX_DEPTH).fold(object!({}), |inner, _| object!({"a": inner}));
    for (configuration, field, words) in [
        (object!({"data": "AA=="}), "features[0].configuration.@type", "is missing"),
        (object!({"@type": 1}), "features[0].configuration.@type", "not 1"),
        (object!("x"), "features[0].configuration", "an object"),
        (object!({"@type": VENDOR, "a": "\0"}), "features[0].configuration", "U+0000"),
        (object!({"@type": VENDOR, "a": deep}), "features[0].configuration", "too deep"),
        (
            object!({"@type": "t/Era.Common.DataDefinition.Policy.PolicyData", "data": "?"}),
            "features[0].configuration.data",
            "base64",
        ),
    ] {
        let document = object!({"features": [{"configuration": configuration}]}).to_string();
        let status = json::read(descriptor("Policy"), document.as_bytes()).expect_err("refused");
        let [violation] = status.violations() else { panic!("{document}: {:?}", status.violations()) };
        assert_eq!(violation.field, field, "{document}");
        assert!(violation.description.contains(words), "{}", violation.description);
    }
}

/// Elsewhere nobody could do anything with them.
#[test]
fn other_fields_hold_no_foreign_payloads() {
    let document = object!({"params": {"@type": VENDOR}}).to_string();
    json::read(descriptor("Action"), document.as_bytes()).expect_err("an unknown type");
    let nested = pack(&policy_with(Any { type_url: VENDOR.to_owned(), value: vec![1] }));
    json::to_value(&policy_with(nested)).expect_err("below another payload nothing is opaque");
}
