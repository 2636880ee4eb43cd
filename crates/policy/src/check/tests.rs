use guardhouse_contract::{
    action::RunCommandResult,
    json,
    pb::guardhouse::json::v1::ForeignObject,
    policies::SettingFlags,
    settings::{AgentPolicy, Feature, LoggingPolicy, ScanPolicy, UpdatesPolicy},
    status::pack,
};
use prost::{Message, Name};
use serde_json::{Value as Json, json};

use super::*;

fn wrong(feature: FeaturePolicy) -> Vec<(String, String)> {
    check("policy.features", &[feature])
        .into_iter()
        .map(|violation| (violation.field, violation.description))
        .collect()
}

fn wrong_fields(feature: FeaturePolicy) -> Vec<String> {
    wrong(feature).into_iter().map(|(field, _)| field).collect()
}

fn feature(feature_id: u32, configuration: Option<Any>, flags: &[&str]) -> FeaturePolicy {
    let flags = flags.iter().map(|&path| (path.to_owned(), SettingFlags::default())).collect();
    FeaturePolicy { configuration, feature_id, flags }
}

/// What is wrong with the settings of one of our features, by the field below its configuration.
fn wrong_settings<M: Message + Name + Default>(feature_of: Feature, settings: Json) -> Vec<String> {
    let settings: M = json::from_value(&settings).expect("settings");
    let found = wrong_fields(feature(feature_of as u32, Some(pack(&settings)), &[]));
    let below = |field: String| field.trim_start_matches("policy.features[0].configuration").to_owned();
    found.into_iter().map(below).collect()
}

fn agent(settings: Json) -> Vec<String> {
    wrong_settings::<AgentPolicy>(Feature::Agent, settings)
}

fn scan(settings: Json) -> Vec<String> {
    wrong_settings::<ScanPolicy>(Feature::Scan, settings)
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_feature_has_an_id() {
    assert_eq!(wrong_fields(feature(0, None, &[])), ["policy.features[0].featureId"]);
    assert_eq!(wrong_fields(feature(u32::MAX, None, &[])), NOTHING);
}

#[test]
fn foreign_settings_are_not_judged_and_others_must_be_of_their_type() {
    let foreign = Any { type_url: "type.googleapis.com/Vendor.Settings".to_owned(), value: vec![0xff; 9] };
    assert_eq!(wrong_fields(feature(1, Some(foreign), &[])), NOTHING);
    let known = pack(&RunCommandResult::default());
    let broken = Any { value: vec![0xff; 9], ..known.clone() };
    assert_eq!(wrong_fields(feature(1, Some(known), &[])), NOTHING);
    assert_eq!(wrong_fields(feature(1, Some(broken), &[])), ["policy.features[0].configuration"]);
    let nameless = Any { type_url: String::new(), value: vec![1] };
    assert_eq!(wrong_fields(feature(1, Some(nameless), &[])), ["policy.features[0].configuration.@type"]);
    assert_eq!(wrong_fields(feature(1, Some(Any::default()), &[])), NOTHING, "as good as none");
}

#[test]
fn foreign_objects_are_foreign() {
    let object = |json: &str| Some(pack(&ForeignObject { json: json.to_owned() }));
    assert_eq!(wrong_fields(feature(1, object(r#"{"@type": "t/Vendor.Settings", "a": 1}"#), &[])), NOTHING);
    for json in ["", "[]", "{}", r#"{"@type": ""}"#, r#"{"@type": 1}"#] {
        assert_eq!(
            wrong_fields(feature(1, object(json), &[])),
            ["policy.features[0].configuration"],
            "{json}"
        );
    }
    let known = r#"{"@type": "t/Era.Common.DataDefinition.Policy.PolicyData", "data": 1}"#;
    assert_eq!(wrong_fields(feature(1, object(known), &[])), ["policy.features[0].configuration"]);
    let own = r#"{"@type": "t/guardhouse.policy.v1.AgentPolicy", "connectionInterval": "1s"}"#;
    assert_eq!(wrong_fields(feature(1, object(own), &[])), ["policy.features[0].configuration.@type"]);
    assert_eq!(
        wrong_fields(feature(Feature::Agent as u32, object(own), &[])),
        ["policy.features[0].configuration"]
    );
}

#[test]
fn features_and_types_of_ours_belong_together() {
    let wrong = |feature_id: u32, configuration| {
        let found = wrong(feature(feature_id, Some(configuration), &[]));
        assert!(
            found.iter().all(|(field, _)| field == "policy.features[0].configuration.@type"),
            "{found:?}"
        );
        found.into_iter().map(|(_, wrong)| wrong).collect::<Vec<_>>().join("\n")
    };
    let (agent, scan) = (pack(&AgentPolicy::default()), pack(&ScanPolicy::default()));
    assert_eq!(wrong(Feature::Agent as u32, agent.clone()), "");
    assert!(
        wrong(Feature::Agent as u32, scan)
            .contains("takes type.googleapis.com/guardhouse.policy.v1.AgentPolicy")
    );
    assert!(wrong(7, agent).contains("belongs to feature 1195900929"));
    let foreign = Any { type_url: "type.googleapis.com/Vendor.Settings".to_owned(), value: Vec::new() };
    assert!(wrong(Feature::Logging as u32, foreign).contains("LoggingPolicy"));
    assert_eq!(wrong_fields(feature(Feature::Agent as u32, None, &[])), NOTHING, "nothing is no settings");
}

#[test]
fn flags_are_set_by_paths_of_fields() {
    assert_eq!(wrong_fields(feature(1, None, &["a", "_a.b_2.cD"])), NOTHING);
    let long = "a".repeat(1_025);
    for path in ["", ".", "a.", ".a", "a..b", "a[0]", "a.0", "a b", "*", "ä", "a\n", &long] {
        let expected = format!("policy.features[0].flags[{path:?}]");
        for feature_id in [1, Feature::Scan as u32] {
            assert_eq!(wrong_fields(feature(feature_id, None, &[path])), [expected.as_str()]);
        }
    }
}

#[test]
fn flags_of_ours_name_settings() {
    let of_agent =
        |path: &str| wrong(feature(Feature::Agent as u32, None, &[path])).pop().map(|(_, wrong)| wrong);
    for path in
        ["connectionInterval", "connection_interval", "servers", "runCommand", "run_command.timeLimit"]
    {
        assert_eq!(of_agent(path), None, "{path}");
    }
    for (path, said) in [
        ("interval", "no field of AgentPolicy"),
        ("runCommand.interval", "it has: timeLimit, outputLimitBytes, directories"),
        ("servers.values", "only as a whole"),
        ("connectionInterval.seconds", "only as a whole"),
        ("runCommand.outputLimitBytes.x", "only as a whole"),
    ] {
        let wrong = of_agent(path).expect(path);
        assert!(wrong.contains(said), "{path}: {wrong}");
    }
}

#[test]
fn settings_of_the_agent() {
    let window =
        json!({"days": ["DAY_MONDAY"], "start": "22:00", "duration": "3600s", "timeZone": "Europe/Vienna"});
    let good = json!({
        "connectionInterval": "10s",
        "servers": {"values": ["https://guard.example.com:7443"], "merge": "LIST_MERGE_APPEND"},
        "allowedActions": {"values": ["RunCommand", "StopManaging"]},
        "forbiddenActions": {"values": []},
        "maintenanceWindows": {"values": [window]},
        "delayedActions": {"values": ["ShutdownComputer"]},
        "runCommand": {"timeLimit": "604800s", "outputLimitBytes": 0, "directories": {"values": ["/srv"]}},
        "isolationExceptions": {"values": [{"description": "dns", "remote": "192.0.2.53", "port": 53}]},
    });
    assert_eq!(agent(good), NOTHING);
    let table = [
        (json!({"connectionInterval": "9.999s"}), ".connectionInterval"),
        (json!({"connectionInterval": "604801s"}), ".connectionInterval"),
        (json!({"servers": {"values": ["https://a", "http://b"]}}), ".servers.values[1]"),
        (json!({"allowedActions": {"values": ["Reboot"]}}), ".allowedActions.values[0]"),
        (json!({"forbiddenActions": {"values": ["StopManaging"]}}), ".forbiddenActions.values[0]"),
        (json!({"delayedActions": {"values": [""]}}), ".delayedActions.values[0]"),
        (json!({"runCommand": {"timeLimit": "0.5s"}}), ".runCommand.timeLimit"),
        (json!({"runCommand": {"outputLimitBytes": 65537}}), ".runCommand.outputLimitBytes"),
        (json!({"runCommand": {"directories": {"values": ["srv"]}}}), ".runCommand.directories.values[0]"),
        (
            json!({"isolationExceptions": {"values": [{"remote": ""}]}}),
            ".isolationExceptions.values[0].remote",
        ),
        (
            json!({"isolationExceptions": {"values": [{"remote": "::1", "port": 0}]}}),
            ".isolationExceptions.values[0].port",
        ),
    ];
    for (settings, field) in table {
        assert_eq!(agent(settings.clone()), [field], "{settings}");
    }
    let window = json!({"days": ["DAY_UNSPECIFIED"], "start": "24:00", "timeZone": "+02:00"});
    let fields = [".days[0]", ".start", ".duration", ".timeZone"];
    assert_eq!(
        agent(json!({"maintenanceWindows": {"values": [window]}})),
        fields.map(|field| format!(".maintenanceWindows.values[0]{field}"))
    );
    let many = vec!["RunCommand"; 1_001];
    assert_eq!(agent(json!({"allowedActions": {"values": many}})), [".allowedActions.values"]);
}

#[test]
fn settings_of_scans() {
    let good = json!({
        "profiles": {"values": [{"name": "quick", "targets": ["/home"], "archiveDepth": 20}, {"name": "deep"}]},
        "exclusions": {"values": ["/proc/**", "/home/*/cache"]},
        "schedules": {"values": [{"profile": "quick", "start": "03:00", "randomDelay": "86400s"}]},
        "cleaning": "CLEANING_QUARANTINE",
    });
    assert_eq!(scan(good), NOTHING);
    let table = [
        (json!({"cleaning": "CLEANING_UNSPECIFIED"}), ".cleaning"),
        (json!({"profiles": {"values": [{"name": ""}]}}), ".profiles.values[0].name"),
        (json!({"profiles": {"values": [{"name": "a"}, {"name": "a"}]}}), ".profiles.values[1].name"),
        (
            json!({"profiles": {"values": [{"name": "a", "targets": ["b"]}]}}),
            ".profiles.values[0].targets[0]",
        ),
        (
            json!({"profiles": {"values": [{"name": "a", "archiveDepth": 21}]}}),
            ".profiles.values[0].archiveDepth",
        ),
        (json!({"exclusions": {"values": ["*.tmp"]}}), ".exclusions.values[0]"),
        (json!({"schedules": {"values": [{"start": "03:00"}]}}), ".schedules.values[0].profile"),
        (json!({"schedules": {"values": [{"profile": "a", "start": "3"}]}}), ".schedules.values[0].start"),
        (
            json!({"schedules": {"values": [{"profile": "a", "start": "03:00", "randomDelay": "-1s"}]}}),
            ".schedules.values[0].randomDelay",
        ),
    ];
    for (settings, field) in table {
        assert_eq!(scan(settings.clone()), [field], "{settings}");
    }
}

#[test]
fn settings_of_updates_and_logging() {
    let updates = |settings| wrong_settings::<UpdatesPolicy>(Feature::Updates, settings);
    assert_eq!(updates(json!({"agentAutomatic": false, "excludedPackages": {"values": ["nginx"]}})), NOTHING);
    assert_eq!(updates(json!({"excludedPackages": {"values": ["-y"]}})), [".excludedPackages.values[0]"]);
    let logging = |settings| wrong_settings::<LoggingPolicy>(Feature::Logging, settings);
    assert_eq!(logging(json!({"level": "LOG_LEVEL_TRACE"})), NOTHING);
    assert_eq!(logging(json!({"level": "LOG_LEVEL_UNSPECIFIED"})), [".level"]);
}

/// JSON that names no value of an enum is not read at all; gRPC brings the number.
#[test]
fn numbers_that_name_no_value_are_refused() {
    let logging = pack(&LoggingPolicy { level: Some(99) });
    let field = "policy.features[0].configuration.level";
    assert_eq!(wrong_fields(feature(Feature::Logging as u32, Some(logging), &[])), [field]);
    let servers = guardhouse_contract::settings::StringList { values: Vec::new(), merge: 9 };
    let agent = pack(&AgentPolicy { servers: Some(servers), ..Default::default() });
    let field = "policy.features[0].configuration.servers.merge";
    assert_eq!(wrong_fields(feature(Feature::Agent as u32, Some(agent), &[])), [field]);
}

#[test]
fn not_everything_that_is_wrong_is_said() {
    let many = vec!["Reboot"; 900];
    assert_eq!(agent(json!({"allowedActions": {"values": many}})).len(), json::MAX_VIOLATIONS);
}
