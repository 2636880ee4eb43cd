//! What `docs/policies.md` shows.

use std::sync::Arc;

use guardhouse_contract::{
    json,
    policies::{CreatePolicyRequest, FeaturePolicy},
    settings::AgentPolicy,
};
use guardhouse_policy::{Parsed, check, effective};
use prost::Message as _;
use serde_json::{Value as Json, json};

const DOCUMENT: &str = include_str!("../../../docs/policies.md");

#[test]
fn the_policy_that_is_shown_is_accepted() {
    let shown = DOCUMENT.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
    let shown: Json = serde_json::from_str(shown.expect("there is one")).expect("it is JSON");
    let request: CreatePolicyRequest = json::from_value(&shown).expect("it can be read");
    let features = request.policy.expect("is there").features;
    assert_eq!(features.len(), 1);
    assert_eq!(check("policy.features", &features), []);
}

/// A policy with a connection interval in seconds.
fn policy(seconds: i64, is_forced: bool) -> Arc<Parsed> {
    let feature: FeaturePolicy = json::from_value(&json!({
        "featureId": 1195900929,
        "flags": {"connectionInterval": {"applyForcefully": is_forced}},
        "configuration": {
            "@type": "type.googleapis.com/guardhouse.policy.v1.AgentPolicy",
            "connectionInterval": format!("{seconds}s"),
        },
    }))
    .expect("a feature");
    Arc::new(Parsed::new(&[feature]))
}

/// The interval that policies, the first one merged first, lead to.
fn interval(policies: &[Arc<Parsed>]) -> i64 {
    let merged = effective(policies).features.remove(0).configuration.expect("is there");
    let settings = AgentPolicy::decode(merged.value.as_slice()).expect("is of its type");
    settings.connection_interval.expect("is set").seconds
}

/// *Baseline* has rank 1 and says 60 s, *Office* has rank 2 and says 3600 s.
#[test]
fn both_readings_of_the_highest_rank() {
    let table = [
        ("nobody", false, false, 60, 3600),
        ("*Baseline* (rank 1)", true, false, 60, 60),
        ("*Office* (rank 2)", false, true, 3600, 3600),
        ("both", true, true, 3600, 60),
    ];
    for (forced_by, baseline, office, last_word, first_turn) in table {
        let (baseline, office) = (policy(60, baseline), policy(3600, office));
        assert_eq!(interval(&[Arc::clone(&office), Arc::clone(&baseline)]), last_word, "{forced_by}");
        assert_eq!(interval(&[baseline, office]), first_turn, "{forced_by}: what Guardhouse does");
        let named = |seconds| if seconds == 60 { "60 s (*Baseline*)" } else { "3600 s (*Office*)" };
        let line = format!("| {forced_by} | {} | **{}** |", named(last_word), named(first_turn));
        assert!(DOCUMENT.contains(&line), "the document says so: {line}");
    }
}
