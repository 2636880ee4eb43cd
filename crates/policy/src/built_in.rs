//! Policies that come with the product.

use guardhouse_contract::{
    policies::{FeaturePolicy, Policy},
    settings::{AgentPolicy, Feature, LogLevel, LoggingPolicy, StringList},
    status::pack,
};
use guardhouse_model::PolicyId;
use prost_types::{Any, Duration};
use uuid::Uuid;

/// Every built-in policy, in the order of their ids. Like all policies they never change: what a later version says
/// otherwise gets another id.
#[must_use]
pub fn built_in() -> [Policy; 3] {
    let list = |value: &str| Some(StringList { values: vec![value.to_owned()], ..Default::default() });
    let interval = AgentPolicy {
        connection_interval: Some(Duration { seconds: 20 * 60, nanos: 0 }),
        ..Default::default()
    };
    let commands = AgentPolicy { forbidden_actions: list("RunCommand"), ..Default::default() };
    let logging = LoggingPolicy { level: Some(LogLevel::Debug.into()) };
    [
        policy(
            1,
            "Agent: connect every 20 minutes",
            "For devices that need not answer at once: they come, do what there is to do, and leave.",
            (Feature::Agent, pack(&interval)),
        ),
        policy(
            2,
            "Agent: no remote commands",
            "RunCommand is not carried out; such runs are suppressed.",
            (Feature::Agent, pack(&commands)),
        ),
        policy(
            3,
            "Logging: how everything happens",
            "The agent writes what helps to find the cause of a fault.",
            (Feature::Logging, pack(&logging)),
        ),
    ]
}

/// Whether a policy came with the product, so that it can be neither changed nor deleted.
#[must_use]
pub fn is_built_in(policy: PolicyId) -> bool {
    (1..=3).any(|number| id(number) == policy)
}

/// The form of the ids of the groups that are there from the start.
fn id(number: u128) -> PolicyId {
    PolicyId(Uuid::from_u128(0x0000_0000_0000_0000_7002_0000_0000_0000 | number))
}

fn policy(number: u128, name: &str, description: &str, (feature, settings): (Feature, Any)) -> Policy {
    Policy {
        uuid: id(number).to_string(),
        built_in: true,
        display_name: name.to_owned(),
        description: description.to_owned(),
        features: vec![FeaturePolicy {
            feature_id: feature as u32,
            configuration: Some(settings),
            ..Default::default()
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn built_in_policies_could_have_been_created_and_are_known_by_their_ids() {
        for policy in built_in() {
            assert_eq!(check("features", &policy.features).len(), 0, "{}", policy.display_name);
            assert!(is_built_in(policy.uuid.parse().expect("a uuid")));
        }
        assert!(!is_built_in(PolicyId(Uuid::nil())));
    }
}
