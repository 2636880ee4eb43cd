//! Dynamic groups and their rules.

use guardhouse_contract::management::{
    DynamicGroup, MembershipCondition, MembershipRule, MembershipRules, PreviewDynamicGroupResponse,
    membership_rule::Kind,
};

use crate::output::{sheet, table, time};

/// Everything that is known of one dynamic group.
pub fn group(group: Option<&DynamicGroup>) -> String {
    let Some(group) = group else { return String::new() };
    sheet([
        ("name", group.display_name.clone()),
        ("uuid", group.uuid.clone()),
        ("description", group.description.clone()),
        ("parent", group.parent_group_uuid.clone()),
        ("rule", rule(group.rule.as_ref())),
        ("devices", group.device_count.to_string()),
        ("evaluated", time(group.evaluate_time.as_ref())),
    ])
}

/// The devices that a rule would pick.
pub fn preview(answer: &PreviewDynamicGroupResponse) -> String {
    let rows = answer
        .devices
        .iter()
        .map(|device| [device.display_name.clone(), device.uuid.clone(), device.group_uuid.clone()]);
    let mut text = table(["DEVICE", "UUID", "GROUP"], rows);
    let hidden = (answer.device_count as usize).saturating_sub(answer.devices.len());
    if hidden > 0 {
        text += &format!("\n… and {hidden} more");
    }
    text
}

/// A rule on one line.
fn rule(rule: Option<&MembershipRule>) -> String {
    match rule.and_then(|rule| rule.kind.as_ref()) {
        None => String::new(),
        Some(Kind::All(rules)) => format!("all({})", several(rules)),
        Some(Kind::Any(rules)) => format!("any({})", several(rules)),
        Some(Kind::Not(inner)) => format!("not({})", self::rule(Some(inner.as_ref()))),
        Some(Kind::Condition(asked)) => condition(asked),
    }
}

fn several(rules: &MembershipRules) -> String {
    rules.rules.iter().map(|inner| rule(Some(inner))).collect::<Vec<_>>().join(", ")
}

fn condition(asked: &MembershipCondition) -> String {
    let mut text = asked.attribute().as_str_name().to_owned();
    if !asked.component.is_empty() {
        text += &format!(" of {:?}", asked.component);
    }
    text += &format!(" {}", asked.operator().as_str_name());
    if !asked.value.is_empty() {
        text += &format!(" {:?}", asked.value);
    }
    let values: Vec<_> = asked.values.iter().map(|value| format!("{value:?}")).collect();
    if values.is_empty() { text } else { format!("{text} {}", values.join("|")) }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::json;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_stands_on_one_line() {
        let read: MembershipRule = json::from_value(&json!({"all": {"rules": [
            {"condition": {"attribute": "OPERATING_SYSTEM", "operator": "CONTAINS", "value": "Debian"}},
            {"not": {"condition": {
                "attribute": "COMPONENT_VERSION", "component": "Agent", "operator": "LESS", "value": "1.2"
            }}},
            {"any": {"rules": [{"condition": {
                "attribute": "DISPLAY_NAME", "operator": "ONE_OF", "values": ["a", "b"]
            }}]}},
        ]}}))
        .expect("is a rule");
        assert_eq!(
            rule(Some(&read)),
            r#"all(OPERATING_SYSTEM CONTAINS "Debian", not(COMPONENT_VERSION of "Agent" LESS "1.2"), any(DISPLAY_NAME ONE_OF "a"|"b"))"#
        );
        assert_eq!(rule(None), "");
    }

    #[test]
    fn a_preview_says_how_many_are_not_shown() {
        let answer = PreviewDynamicGroupResponse { device_count: 7, devices: vec![Default::default(); 2] };
        assert!(preview(&answer).ends_with("… and 5 more"));
    }
}
