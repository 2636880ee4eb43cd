//! What a policy may say about the features of a product.
//!
//! Which features there are, and what their settings mean, only the products know: settings are kept as they came.
//! What can be judged without them is their form.

use guardhouse_contract::{json, policies::FeaturePolicy};

use crate::fields::Checks;

/// Longest path of a flag, in bytes.
const LONGEST_PATH: usize = 1_024;

/// Checks features; `field` says where they are.
pub fn check(checks: &mut Checks, field: &str, features: &[FeaturePolicy]) {
    for (index, feature) in features.iter().enumerate() {
        let field = format!("{field}[{index}]");
        if feature.feature_id == 0 {
            let wrong = "is missing; a feature is needed, 4294967295 for settings in the older format";
            checks.fail(format!("{field}.featureId"), wrong);
        }
        // What gRPC brings has not been read: a payload must be one of its type, or nobody could list the policy.
        let alone = FeaturePolicy { configuration: feature.configuration.clone(), ..Default::default() };
        if json::to_value(&alone).is_err() {
            checks.fail(format!("{field}.configuration"), "is not what its type says");
        }
        let mut paths: Vec<_> = feature.flags.keys().collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| !is_path(path)) {
            let wrong = "is not a path of fields such as scan.profile; a list can be named only as a whole";
            checks.fail(format!("{field}.flags[{path:?}]"), wrong);
        }
    }
}

/// Whether `path` is names of fields, joined by dots.
fn is_path(path: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    path.len() <= LONGEST_PATH && path.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{action::RunCommandResult, policies::SettingFlags, status::pack};
    use prost_types::Any;

    use super::*;

    fn wrong_fields(feature: FeaturePolicy) -> Vec<String> {
        let mut checks = Checks::default();
        check(&mut checks, "policy.features", &[feature]);
        let status = checks.finish().err();
        status
            .iter()
            .flat_map(|status| status.violations())
            .map(|violation| violation.field.clone())
            .collect()
    }

    fn feature(configuration: Option<Any>, flags: &[&str]) -> FeaturePolicy {
        let flags = flags.iter().map(|&path| (path.to_owned(), SettingFlags::default())).collect();
        FeaturePolicy { configuration, feature_id: 1, flags }
    }

    #[test]
    fn a_feature_has_an_id() {
        let nameless = FeaturePolicy { feature_id: 0, ..feature(None, &[]) };
        assert_eq!(wrong_fields(nameless), ["policy.features[0].featureId"]);
        assert_eq!(wrong_fields(FeaturePolicy { feature_id: u32::MAX, ..feature(None, &[]) }), [""; 0]);
    }

    #[test]
    fn foreign_settings_are_not_judged_and_others_must_be_of_their_type() {
        let foreign =
            Any { type_url: "type.googleapis.com/Vendor.Settings".to_owned(), value: vec![0xff; 9] };
        assert_eq!(wrong_fields(feature(Some(foreign), &[])), [""; 0]);
        let known = pack(&RunCommandResult::default());
        let broken = Any { value: vec![0xff; 9], ..known.clone() };
        assert_eq!(wrong_fields(feature(Some(known), &[])), [""; 0]);
        assert_eq!(wrong_fields(feature(Some(broken), &[])), ["policy.features[0].configuration"]);
    }

    #[test]
    fn flags_are_set_by_paths_of_fields() {
        assert_eq!(wrong_fields(feature(None, &["a", "_a.b_2.cD"])), [""; 0]);
        let long = "a".repeat(LONGEST_PATH + 1);
        for path in ["", ".", "a.", ".a", "a..b", "a[0]", "a.0", "a b", "*", "ä", "a\n", &long] {
            assert_eq!(wrong_fields(feature(None, &[path])), [format!("policy.features[0].flags[{path:?}]")]);
        }
    }
}
