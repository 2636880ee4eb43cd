//! Measures what the merge of many policies costs, in time of the processor, on Linux:
//! `cargo run --release -p guardhouse-policy --example measure_merge`.

use std::{fs, hint::black_box, sync::Arc, time::Duration};

use guardhouse_contract::{json, policies::FeaturePolicy};
use guardhouse_policy::{Parsed, effective, explain};
use serde_json::{Map, Value as Json, json};

const POLICIES: usize = 50;
const ROUNDS: u32 = 500;

fn main() {
    let ours = (0..POLICIES).map(ours).collect::<Vec<_>>();
    measure("settings of ours, all of them in every policy", &ours);
    let same = (0..POLICIES).map(|index| vendor(index, |_| 0)).collect::<Vec<_>>();
    measure("30 foreign settings, the same in every policy", &same);
    let other = (0..POLICIES).map(|index| vendor(index, |index| index)).collect::<Vec<_>>();
    measure("30 foreign settings, others in every policy", &other);
}

fn measure(what: &str, policies: &[Vec<FeaturePolicy>]) {
    let time = |work: &dyn Fn()| {
        let start = processor_time();
        (0..ROUNDS).for_each(|_| work());
        (processor_time() - start) / ROUNDS
    };
    let parsed: Vec<_> = policies.iter().map(|features| Arc::new(Parsed::new(features))).collect();
    println!("{POLICIES} policies, {what}");
    println!(
        "  read them     {:>9.1?}",
        time(&|| policies.iter().for_each(|policy| drop(black_box(Parsed::new(policy)))))
    );
    println!("  effective     {:>9.1?}", time(&|| drop(black_box(effective(&parsed)))));
    println!("  explain       {:>9.1?}", time(&|| drop(black_box(explain(&parsed)))));
}

/// What this thread has had of a processor.
fn processor_time() -> Duration {
    let figures = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanoseconds = figures.split(' ').next().and_then(|figure| figure.parse().ok());
    Duration::from_nanos(nanoseconds.expect("the first figure is a number"))
}

/// A policy with every setting that our features have.
fn ours(index: usize) -> Vec<FeaturePolicy> {
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
fn vendor(index: usize, section: fn(usize) -> usize) -> Vec<FeaturePolicy> {
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
