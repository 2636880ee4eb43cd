//! Policies and assignments as tables.

use guardhouse_contract::{
    json,
    policies::{FeaturePolicy, Policy, PolicyAssignment, PolicyTarget, policy_target::Target},
};

use crate::output::{printable, sheet, table};

/// One line per policy.
pub fn policies(policies: &[Policy]) -> String {
    let row = |policy: &Policy| {
        [
            policy.display_name.clone(),
            policy.uuid.clone(),
            if policy.built_in { "yes" } else { "no" }.to_owned(),
            policy.features.iter().map(feature).collect::<Vec<_>>().join(", "),
        ]
    };
    table(["NAME", "UUID", "BUILT-IN", "FEATURES"], policies.iter().map(row))
}

/// Everything that is known of one policy, its settings as JSON.
pub fn policy(policy: Option<&Policy>) -> String {
    let Some(policy) = policy else { return String::new() };
    let head = sheet([
        ("name", policy.display_name.clone()),
        ("uuid", policy.uuid.clone()),
        ("description", policy.description.clone()),
        ("built-in", if policy.built_in { "yes" } else { "no" }.to_owned()),
    ]);
    let settings = Policy { features: policy.features.clone(), ..Default::default() };
    let settings = json::to_value(&settings).ok().and_then(|policy| policy.get("features").cloned());
    let settings = settings.and_then(|features| serde_json::to_string_pretty(&features).ok());
    format!("{head}\n{}", printable(&settings.unwrap_or_default()))
}

/// One line per assignment.
pub fn assignments(assignments: &[PolicyAssignment]) -> String {
    let row = |assignment: &PolicyAssignment| {
        [
            assignment.uuid.clone(),
            target(assignment.target.as_ref()),
            assignment.rank.to_string(),
            assignment.policy_uuid.clone(),
        ]
    };
    let mut sorted: Vec<_> = assignments.iter().collect();
    sorted.sort_by_key(|assignment| (target(assignment.target.as_ref()), assignment.rank));
    table(["ASSIGNMENT", "TARGET", "RANK", "POLICY"], sorted.into_iter().map(row))
}

/// What a policy is assigned to.
pub fn target(target: Option<&PolicyTarget>) -> String {
    match target.and_then(|target| target.target.as_ref()) {
        Some(Target::DeviceUuid(uuid)) => format!("device {uuid}"),
        Some(Target::DeviceGroupUuid(uuid)) => format!("group {uuid}"),
        Some(Target::SubscriptionUuid(uuid)) => format!("subscription {uuid}"),
        None => String::new(),
    }
}

/// What people call a feature: the type of its settings, or its number.
fn feature(feature: &FeaturePolicy) -> String {
    let known = feature.configuration.as_ref().map(|any| any.type_url.rsplit(['/', '.']).next());
    match known.flatten() {
        Some(name) if !name.is_empty() && name != "ForeignObject" => name.to_owned(),
        _ => feature.feature_id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{settings::AgentPolicy, status::pack};

    use super::*;

    #[test]
    fn assignments_stand_by_target_and_rank() {
        let assignment = |uuid: &str, group: &str, rank| PolicyAssignment {
            uuid: uuid.to_owned(),
            policy_uuid: "p".to_owned(),
            rank,
            target: Some(PolicyTarget { target: Some(Target::DeviceGroupUuid(group.to_owned())) }),
        };
        let list = [assignment("1", "g", 2), assignment("2", "f", 1), assignment("3", "g", 1)];
        let expected = "\
            ASSIGNMENT  TARGET   RANK  POLICY\n\
            2           group f  1     p\n\
            3           group g  1     p\n\
            1           group g  2     p";
        assert_eq!(assignments(&list), expected);
    }

    #[test]
    fn a_policy_names_its_features() {
        let features = vec![
            FeaturePolicy {
                configuration: Some(pack(&AgentPolicy::default())),
                feature_id: 9,
                ..Default::default()
            },
            FeaturePolicy { feature_id: 7, ..Default::default() },
        ];
        let shown =
            Policy { display_name: "base".to_owned(), uuid: "u".to_owned(), features, ..Default::default() };
        let expected = "\
            NAME  UUID  BUILT-IN  FEATURES\n\
            base  u     no        AgentPolicy, 7";
        assert_eq!(policies(std::slice::from_ref(&shown)), expected);
        let sheet = policy(Some(&shown));
        assert!(sheet.starts_with("name         base\n") && sheet.contains("\"featureId\": 9"), "{sheet}");
    }
}
