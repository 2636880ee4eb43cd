//! Policies on the command line: tried, assigned, explained, and taken away.

use serde_json::{Value, json};

use super::Person;
use crate::support::{Agent, Server};

/// A file with an interval that is forced, if that is wanted.
fn settings(interval: &str, forced: bool) -> String {
    let flags = if forced { json!({"connectionInterval": {"applyForcefully": true}}) } else { json!({}) };
    let feature = json!({
        "featureId": 0x4748_0001,
        "configuration": {
            "@type": "type.googleapis.com/guardhouse.policy.v1.AgentPolicy",
            "connectionInterval": interval,
        },
        "flags": flags,
    });
    json!([feature]).to_string()
}

#[tokio::test]
async fn a_person_sees_what_policies_say_and_why() {
    let server = Server::start(&[]).await;
    let agent = Agent::start_new(&server, "kiosk").await;
    let person = Person::signed_in(&server).await;
    person.succeeds(&["policy", "create", "house rules", "--settings", "-"], &settings("60s", true)).await;
    person.succeeds(&["policy", "create", "kiosks", "--settings", "-"], &settings("10s", false)).await;

    let assign = ["policy", "assign", "house rules", "--group", "All"];
    let tried = person.succeeds(&[&assign[..], &["--dry-run", "--show-device", "kiosk"]].concat(), "").await;
    for said in ["1 of 1 devices would get other settings", "agent.connectionInterval", "\"60s\""] {
        assert!(tried.contains(said), "{said} is missing in {tried}");
    }
    let untouched = person.succeeds(&["policy", "assignments"], "").await;
    assert!(!untouched.contains("house rules"), "{untouched}");

    let assigned = person.succeeds(&[&assign[..], &["-o", "json"]].concat(), "").await;
    let assigned: Value = serde_json::from_str(&assigned).expect("JSON and nothing else");
    person.succeeds(&["policy", "assign", "kiosks", "--device", "kiosk"], "").await;
    server.admin().await.in_force(&agent.device).await;
    let effective = ["policy", "effective", "--device", "kiosk"];
    let short = person.succeeds(&effective, "").await;
    assert!(short.contains("forced") && short.contains("in force on the device since"), "{short}");
    let explained = person.succeeds(&[&effective[..], &["--explain"]].concat(), "").await;
    for said in [
        "1. house rules (rank 1 of group",
        "2. kiosks (rank 1 of device",
        "agent.connectionInterval = \"60s\"   (forced)",
        "not \"10s\" from kiosks",
        "as an earlier policy forces its value",
        "in force on the device since",
    ] {
        assert!(explained.contains(said), "{said} is missing in {explained}");
    }

    let assignment = assigned["assignment"]["uuid"].as_str().expect("text");
    person.succeeds(&["policy", "unassign", assignment], "").await;
    let left = person.succeeds(&effective, "").await;
    assert!(left.contains("\"10s\"") && !left.contains("house rules"), "{left}");
}
