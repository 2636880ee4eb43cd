//! Policies that are typical for what they cost.

use guardhouse_contract::{json, policies::FeaturePolicy};
use serde_json::{Map, Value as Json, json};

/// A policy with every setting that our features have.
pub fn ours(index: usize) -> Vec<FeaturePolicy> {
    let list = |value: Json| json!({"values": [value], "merge": "LIST_MERGE_APPEND"});
    let feature = |number: u32, name: &str, mut settings: Json| {
        settings["@type"] = format!("type.googleapis.com/guardhouse.policy.v1.{name}").into();
        feature(&json!({"featureId": number, "configuration": settings}))
    };
    vec![
        feature(
            0x4748_0001,
            "AgentPolicy",
            json!({
                "connectionInterval": format!("{}s", 60 + index),
                "servers": list(json!(format!("https://guard-{index}.example.com:7443"))),
                "allowedActions": list(json!("RunCommand")),
                "forbiddenActions": list(json!("OnDemandScan")),
                "maintenanceWindows": list(json!({"days": ["DAY_SUNDAY"], "start": "02:00", "duration": "3600s"})),
                "delayedActions": list(json!("ShutdownComputer")),
                "runCommand": {"timeLimit": "60s", "outputLimitBytes": index, "directories": list(json!("/srv"))},
                "isolationExceptions": list(json!({"remote": "192.0.2.0/24", "port": 443})),
            }),
        ),
        feature(
            0x4748_0002,
            "ScanPolicy",
            json!({
                "profiles": list(json!({"name": format!("profile {index}"), "targets": ["/home", "/srv"]})),
                "exclusions": list(json!(format!("/var/cache/{index}/**"))),
                "schedules": list(json!({"profile": "In-depth scan", "start": "03:00"})),
                "cleaning": "CLEANING_QUARANTINE",
            }),
        ),
        feature(
            0x4748_0003,
            "UpdatesPolicy",
            json!({
                "agentAutomatic": true,
                "systemSecurityAutomatic": true,
                "excludedPackages": list(json!(format!("package-{index}"))),
            }),
        ),
        feature(0x4748_0004, "LoggingPolicy", json!({"level": "LOG_LEVEL_DEBUG"})),
    ]
}

/// A policy with 30 settings in three sections; `section` says which, by the number of the policy.
pub fn vendor(index: usize, section: fn(usize) -> usize) -> Vec<FeaturePolicy> {
    let member = |number: usize| (format!("setting{number}"), json!(format!("value {number} of {index}")));
    let members: Map<String, Json> = (0..10).map(member).collect();
    let name = |part: &str| format!("{part}{}", section(index));
    let mut settings = json!({"@type": "type.googleapis.com/Vendor.Settings"});
    for part in ["scanning", "updating", "logging"] {
        settings[name(part)] = Json::Object(members.clone());
    }
    vec![feature(&json!({"featureId": 7, "configuration": settings}))]
}

fn feature(feature: &Json) -> FeaturePolicy {
    json::from_value(feature).expect("a feature")
}
