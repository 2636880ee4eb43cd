//! The settings of a policy, from a file.

use std::path::Path;

use anyhow::{Context as _, bail};
use guardhouse_contract::{
    json,
    policies::{FeaturePolicy, Policy},
};
use serde_json::{Value, json};

use crate::commands::input;

/// Reads the features of a policy from a file.
///
/// # Errors
/// The file cannot be read or holds no features.
pub fn features(file: &Path) -> anyhow::Result<Vec<FeaturePolicy>> {
    let shown = input::name(file);
    let text = input::read(file).with_context(|| format!("cannot read {shown}"))?;
    parse(&text).with_context(|| format!("there are no settings in {shown}"))
}

fn parse(text: &str) -> anyhow::Result<Vec<FeaturePolicy>> {
    let policy = match serde_json::from_str(text).context("it is not valid JSON")? {
        Value::Array(features) => json!({ "features": features }),
        Value::Object(mut object) => match object.remove("policy") {
            // The answer of `policy get`, and the body of a request.
            Some(policy) => policy,
            None => Value::Object(object),
        },
        _ => bail!("a list of features is needed, or an object with the member \"features\""),
    };
    if policy.get("features").is_none() {
        bail!("the member \"features\" is missing; a list of features is needed there");
    }
    let policy: Policy = json::from_value(&policy)?;
    Ok(policy.features)
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{settings::AgentPolicy, status::pack};

    use super::*;

    #[test]
    fn settings_are_found_in_a_list_in_an_object_and_in_a_policy() {
        let feature = json!({
            "featureId": 1_195_900_929,
            "configuration": {"@type": "type.googleapis.com/guardhouse.policy.v1.AgentPolicy"},
        });
        let expected = FeaturePolicy {
            feature_id: 1_195_900_929,
            configuration: Some(pack(&AgentPolicy::default())),
            ..Default::default()
        };
        for document in [
            json!([feature]),
            json!({"features": [feature]}),
            json!({"policy": {"uuid": "", "displayName": "a", "features": [feature]}}),
        ] {
            assert_eq!(parse(&document.to_string()).expect("valid"), std::slice::from_ref(&expected));
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        for (text, said) in [
            ("", "not valid JSON"),
            ("7", "a list of features is needed"),
            ("{}", "\"features\" is missing"),
            ("{\"policy\": {}}", "\"features\" is missing"),
            ("[{\"featureId\": -1}]", "featureId"),
        ] {
            let error = format!("{:#}", parse(text).expect_err("refused"));
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
