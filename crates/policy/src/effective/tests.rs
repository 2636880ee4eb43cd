use std::collections::HashMap;

use guardhouse_contract::{
    json,
    pb::era::common::data_definition::policy::PolicyData,
    policies::{FeaturePolicy, SettingFlags},
    settings::Feature,
    status::pack,
};
use guardhouse_model::policies::Fate;
use proptest::prelude::*;
use prost_types::Any;
use serde_json::{Value as Json, json};

use super::*;
use crate::explain;

const AGENT: u32 = Feature::Agent as u32;
const SCAN: u32 = Feature::Scan as u32;

/// A policy with one feature; flags by their paths: `f` is force, `r` is read-only.
fn policy(feature_id: u32, configuration: Json, flags: &[(&str, &str)]) -> Arc<Parsed> {
    let feature = json::from_value(&json!({"featureId": feature_id, "configuration": configuration}));
    let flag =
        |flags: &str| SettingFlags { apply_forcefully: flags.contains('f'), read_only: flags.contains('r') };
    let flags: HashMap<_, _> = flags.iter().map(|(path, flags)| ((*path).to_owned(), flag(flags))).collect();
    let feature = FeaturePolicy { flags, ..feature.expect("a feature") };
    assert_eq!(crate::check("features", std::slice::from_ref(&feature)), []);
    Arc::new(Parsed::new(&[feature]))
}

fn agent(mut settings: Json, flags: &[(&str, &str)]) -> Arc<Parsed> {
    settings["@type"] = json!("type.googleapis.com/guardhouse.policy.v1.AgentPolicy");
    policy(AGENT, settings, flags)
}

fn vendor(mut settings: Json, flags: &[(&str, &str)]) -> Arc<Parsed> {
    settings["@type"] = json!("type.googleapis.com/Vendor.Settings");
    policy(7, settings, flags)
}

/// What `policies` lead to as JSON, and the read-only paths, feature by feature.
fn shown(policies: &[Arc<Parsed>]) -> Vec<(u32, Json, Vec<String>)> {
    let show = |feature: &EffectiveFeature| {
        let shown = FeaturePolicy { configuration: feature.configuration.clone(), ..Default::default() };
        let shown = json::to_value(&shown).expect("it can be shown")["configuration"].take();
        (feature.feature_id, shown, feature.read_only_paths.clone())
    };
    effective(policies).features.iter().map(show).collect()
}

/// The text in which a foreign configuration of the only feature is kept.
fn text(policies: &[Arc<Parsed>]) -> String {
    let (_, shown, _) = shown(policies).remove(0);
    shown.to_string()
}

#[test]
fn settings_of_ours_are_merged_field_by_field() {
    let first = agent(
        json!({
            "connectionInterval": "60s",
            "servers": {"values": ["https://a"]},
            "runCommand": {"timeLimit": "5s", "outputLimitBytes": 7},
        }),
        &[("run_command", "f"), ("servers", "r")],
    );
    let second = agent(
        json!({
            "connectionInterval": "90s",
            "servers": {"values": ["https://b"], "merge": "LIST_MERGE_PREPEND"},
            "runCommand": {"timeLimit": "6s", "directories": {"values": ["/srv"]}},
        }),
        &[("connectionInterval", "r")],
    );
    let merged = shown(&[first, second]);
    assert_eq!(
        merged,
        [(
            AGENT,
            json!({
                "@type": "type.googleapis.com/guardhouse.policy.v1.AgentPolicy",
                "connectionInterval": "90s",
                "servers": {"values": ["https://b", "https://a"], "merge": "LIST_MERGE_UNSPECIFIED"},
                "runCommand": {
                    "timeLimit": "5s",
                    "outputLimitBytes": 7,
                    "directories": {"values": ["/srv"], "merge": "LIST_MERGE_UNSPECIFIED"},
                },
            }),
            vec!["connectionInterval".to_owned(), "servers".to_owned()],
        )]
    );
}

#[test]
fn what_is_not_set_says_nothing() {
    let limits =
        agent(json!({"runCommand": {"outputLimitBytes": 7, "directories": {"values": ["/a"]}}}), &[]);
    let empty = agent(json!({"runCommand": {}}), &[("runCommand", "fr"), ("connectionInterval", "f")]);
    assert_eq!(
        effective(&[empty.clone(), limits.clone(), empty.clone()]),
        effective(std::slice::from_ref(&limits))
    );
    assert!(effective(&[empty]).is_empty());
    assert!(effective(&[Arc::new(Parsed::default())]).is_empty());
    let zero = agent(json!({"runCommand": {"outputLimitBytes": 0, "directories": {"values": []}}}), &[]);
    let merged = shown(&[limits, zero]).remove(0).1;
    assert_eq!(merged["runCommand"]["outputLimitBytes"], 0, "0 is something else than nothing");
    assert_eq!(merged["runCommand"]["directories"]["values"], json!([]), "and so is an empty list");
}

#[test]
fn foreign_objects_are_merged_member_by_member() {
    let first = vendor(
        json!({"scan": {"profile": "deep", "x-y": {}, "retries": 3, "on": [1, 2]}, "z": null, "a.b": 1}),
        &[("scan.profile", "f"), ("scan.on", "r")],
    );
    let second =
        vendor(json!({"scan": {"profile": "quick", "retries": 4.5, "on": [3]}, "A": {"b": "c"}}), &[]);
    let merged = text(&[first.clone(), second.clone()]);
    let expected = concat!(
        r#"{"@type":"type.googleapis.com/Vendor.Settings","A":{"b":"c"},"a.b":1,"#,
        r#""scan":{"on":[3],"profile":"deep","retries":4.5,"x-y":{}},"z":null}"#
    );
    assert_eq!(merged, expected);
    let locked = |policies: &[_]| shown(policies).remove(0).2;
    assert_eq!(locked(&[first.clone(), second.clone()]), [""; 0]);
    assert_eq!(locked(&[second, first]), ["scan.on"]);
}

#[test]
fn empty_objects_survive_where_nothing_takes_their_place() {
    let sections = vendor(json!({"a": {}, "b": {"c": {}}}), &[]);
    let with = |other: Json, forced: &str| {
        text(&[vendor(other, &[(forced, "f")]), sections.clone()])
            .replace(r#""@type":"type.googleapis.com/Vendor.Settings""#, "")
    };
    assert_eq!(with(json!({}), "a"), r#"{,"a":{},"b":{"c":{}}}"#);
    assert_eq!(with(json!({"a": 1, "b": {"d": 2}}), "x"), r#"{,"a":1,"b":{"c":{},"d":2}}"#);
    let nothing = vendor(json!({}), &[]);
    assert_eq!(text(&[nothing]), r#"{"@type":"type.googleapis.com/Vendor.Settings"}"#);
}

#[test]
fn an_object_and_a_value_at_one_place_override_each_other() {
    let value = |flags| vendor(json!({"a": 1}), flags);
    let object = |flags| vendor(json!({"a": {"b": 2, "c": 3}}), flags);
    let a = |policies: &[_]| shown(policies).remove(0).1["a"].take();
    assert_eq!(a(&[value(&[]), object(&[])]), json!({"b": 2, "c": 3}));
    assert_eq!(a(&[object(&[]), value(&[])]), json!(1));
    assert_eq!(a(&[value(&[("a", "f")]), object(&[])]), json!(1));
    assert_eq!(a(&[object(&[("a.b", "f")]), value(&[("a", "f")])]), json!({"b": 2, "c": 3}));
}

#[test]
fn payloads_are_one_setting() {
    let binary = |byte: u8, flags: &[(&str, bool)]| {
        let payload = Any { type_url: "type.googleapis.com/Vendor.Binary".to_owned(), value: vec![byte; 3] };
        let flags = flags.iter().map(|&(path, apply_forcefully)| {
            (path.to_owned(), SettingFlags { apply_forcefully, read_only: true })
        });
        let feature = FeaturePolicy { configuration: Some(payload), feature_id: 7, flags: flags.collect() };
        Arc::new(Parsed::new(&[feature]))
    };
    let last = |policies: &[_]| effective(policies).features.remove(0);
    let plain = last(&[binary(1, &[]), binary(2, &[])]);
    assert_eq!(plain.configuration.expect("is there").value, [2; 3]);
    assert_eq!(plain.read_only_paths, [""; 0]);
    let forced = last(&[binary(1, &[("value", true)]), binary(2, &[])]);
    assert_eq!(forced.configuration.expect("is there").value, [1; 3]);
    assert_eq!(forced.read_only_paths, [""], "the whole configuration");
}

#[test]
fn products_stand_beside_each_other() {
    let data = |product: &str, data: &str| {
        let data = PolicyData { data: data.into(), product: product.to_owned() };
        let feature =
            FeaturePolicy { configuration: Some(pack(&data)), feature_id: u32::MAX, flags: HashMap::new() };
        Arc::new(Parsed::new(&[feature]))
    };
    let merged = shown(&[data("p", "1"), data("q", "2"), data("p", "3")]);
    let found: Vec<_> = merged.iter().map(|(_, shown, _)| (&shown["product"], &shown["data"])).collect();
    assert_eq!(found, [(&json!("p"), &json!("Mw==")), (&json!("q"), &json!("Mg=="))]);
}

#[test]
fn features_and_types_stand_beside_each_other_in_order() {
    let scan = json!({"@type": "t/guardhouse.policy.v1.ScanPolicy", "cleaning": "CLEANING_QUARANTINE"});
    let policies = [
        policy(8, json!({"@type": "t/B", "x": 1}), &[]),
        policy(SCAN, scan, &[]),
        agent(json!({"connectionInterval": "60s"}), &[]),
        policy(8, json!({"@type": "t/A", "x": 2}), &[]),
        policy(7, json!({"@type": "t/A", "x": 3}), &[]),
    ];
    let found: Vec<_> =
        shown(&policies).into_iter().map(|(id, shown, _)| (id, shown["@type"].clone())).collect();
    let expected = [
        (7, json!("t/A")),
        (8, json!("t/A")),
        (8, json!("t/B")),
        (AGENT, json!("type.googleapis.com/guardhouse.policy.v1.AgentPolicy")),
        (SCAN, json!("type.googleapis.com/guardhouse.policy.v1.ScanPolicy")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn equal_content_has_an_equal_generation() {
    let whole =
        agent(json!({"connectionInterval": "60s", "servers": {"values": ["https://a", "https://b"]}}), &[]);
    let interval = agent(json!({"connectionInterval": "60s"}), &[]);
    let servers = agent(json!({"servers": {"values": ["https://a"], "merge": "LIST_MERGE_APPEND"}}), &[]);
    let more = agent(
        json!({"servers": {"values": ["https://b"], "merge": "LIST_MERGE_APPEND"}}),
        &[("servers", "f")],
    );
    let pieces = [interval, servers, more];
    assert_eq!(effective(&pieces), effective(std::slice::from_ref(&whole)));
    let locked = agent(json!({"connectionInterval": "60s"}), &[("connectionInterval", "r")]);
    assert_ne!(effective(&[whole.clone(), locked]).generation, effective(&[whole]).generation);

    let one = vendor(json!({"a": [{"x": 1, "y": 2}], "b": {"c": 1}}), &[]);
    let other = vendor(json!({"b": {"c": 1}, "a": [{"y": 2, "x": 1}]}), &[]);
    assert_eq!(effective(&[one]), effective(&[other]), "the order of members does not count");
}

#[test]
fn a_feature_twice_in_a_policy_is_merged_in_its_order() {
    let features = [60, 90].map(|seconds| {
        let settings = guardhouse_contract::settings::AgentPolicy {
            connection_interval: Some(prost_types::Duration { seconds, nanos: 0 }),
            ..Default::default()
        };
        FeaturePolicy { configuration: Some(pack(&settings)), feature_id: AGENT, flags: HashMap::new() }
    });
    let merged = shown(&[Arc::new(Parsed::new(&features))]);
    assert_eq!(merged[0].1["connectionInterval"], "90s");
}

#[test]
fn everything_is_explained() {
    let policies = [
        agent(json!({"servers": {"values": ["https://a"]}}), &[("servers", "r")]),
        agent(json!({"connectionInterval": "60s"}), &[("connectionInterval", "f")]),
        agent(
            json!({
                "connectionInterval": "90s",
                "servers": {"values": ["https://b"], "merge": "LIST_MERGE_APPEND"},
            }),
            &[],
        ),
    ];
    let [feature] = explain(&policies).expect("explained").try_into().expect("one feature");
    assert_eq!((feature.feature_id, feature.type_name.as_str()), (AGENT, "guardhouse.policy.v1.AgentPolicy"));
    let [interval, servers] = feature.settings.try_into().expect("two settings");

    assert_eq!((interval.path.as_str(), &interval.value), ("connectionInterval", &json!("60s")));
    assert_eq!((interval.forced, interval.read_only), (true, false));
    let said: Vec<_> =
        interval.history.into_iter().map(|said| (said.source, said.value, said.fate)).collect();
    assert_eq!(said, [(1, json!("60s"), Fate::InForce), (2, json!("90s"), Fate::Ignored { forced_by: 1 })]);

    assert_eq!((servers.forced, servers.read_only), (false, true));
    assert_eq!(servers.value["values"], json!(["https://a", "https://b"]));
    assert_eq!(servers.history[1].value, json!({"values": ["https://b"], "merge": "LIST_MERGE_APPEND"}));
    assert!(servers.history.iter().all(|said| said.fate == Fate::InForce));
}

#[test]
fn what_is_explained_is_what_devices_get() {
    let policies = [
        agent(json!({"runCommand": {"outputLimitBytes": 7, "timeLimit": "3s"}}), &[("runCommand", "r")]),
        vendor(json!({"a": {"b": 1, "x.y": [2]}, "c": "d"}), &[("a", "f")]),
        vendor(json!({"a": 4, "c": {"e": 5}}), &[]),
    ];
    let effective = shown(&policies);
    for (feature, (feature_id, shown, read_only)) in
        explain(&policies).expect("explained").iter().zip(effective)
    {
        assert_eq!(feature.feature_id, feature_id);
        let locked =
            feature.settings.iter().filter(|setting| setting.read_only).map(|setting| setting.path.clone());
        assert_eq!(locked.collect::<Vec<_>>(), read_only);
        for setting in feature.settings.iter().filter(|setting| !setting.path.contains("x.y")) {
            let pointer = format!("/{}", setting.path.replace('.', "/"));
            assert_eq!(shown.pointer(&pointer), Some(&setting.value), "{pointer}");
        }
    }
}

/// An object of a foreign product, up to three levels deep.
fn object() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![any::<u8>().prop_map(Json::from), Just(json!(null)), Just(json!([1, {"b": 2}]))];
    let object = |inner: BoxedStrategy<Json>| {
        let name = prop::sample::select(vec!["a", "b", "b.c", ""]);
        let members = prop::collection::vec((name, inner), 0..4);
        members
            .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    object(leaf.prop_recursive(2, 12, 4, move |inner| object(inner.boxed())).boxed())
}

/// Takes empty objects away, which set nothing.
fn pruned(value: &Json) -> Json {
    let Json::Object(members) = value else { return value.clone() };
    let members = members.iter().map(|(name, value)| (name.clone(), pruned(value)));
    members.filter(|(_, value)| *value != json!({})).collect()
}

/// What later settings make of a value, where nothing is forced.
fn naive(value: &mut Json, later: &Json) {
    match (value, later) {
        (Json::Object(members), Json::Object(later)) => {
            for (name, later) in later {
                naive(members.entry(name.clone()).or_insert(json!({})), later);
            }
        }
        (value, later) => *value = later.clone(),
    }
}

proptest! {
    #[test]
    fn foreign_objects_are_what_a_naive_model_says(objects in prop::collection::vec(object(), 1..5)) {
        let mut expected = json!({});
        for object in &objects {
            naive(&mut expected, &pruned(object));
        }
        let policies: Vec<_> = objects.into_iter().map(|object| vendor(object, &[])).collect();
        let (_, mut merged, _) = shown(&policies).remove(0);
        prop_assert_eq!(merged["@type"].take(), "type.googleapis.com/Vendor.Settings");
        merged.as_object_mut().map(|members| members.shift_remove("@type"));
        prop_assert_eq!(pruned(&merged), pruned(&expected));
    }
}
