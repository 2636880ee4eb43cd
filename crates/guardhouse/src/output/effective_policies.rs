//! What comes of policies, for people.

use guardhouse_contract::{
    json,
    management::{
        AppliedPolicy, EffectivePolicy, EffectiveSetting, GetEffectivePolicyResponse, OverriddenValue,
        PolicySource, PreviewPolicyAssignmentResponse, SettingChange, UnappliedSetting, overridden_value,
    },
    settings::Feature,
};
use prost_types::Value;

use crate::output::{constant, one_line, policies, table, time};

/// What holds for a device; with `explain` also why.
pub fn of_device(answer: &GetEffectivePolicyResponse, explain: bool) -> String {
    let Some(policy) = &answer.effective_policy else { return String::new() };
    let mut text = if explain { explained(policy) } else { settings(policy) };
    text += "\n\n";
    text += &state(answer.applied_policy.as_ref());
    text
}

/// What an assignment would change.
pub fn preview(answer: &PreviewPolicyAssignmentResponse) -> String {
    let mut text = format!(
        "{} of {} devices would get other settings\n",
        answer.changed_device_count, answer.targeted_device_count
    );
    if answer.effective_policy.is_some() {
        let row = |change: &SettingChange| {
            [
                setting_name(change.feature_id, &change.path),
                value(change.before.as_ref()),
                value(change.after.as_ref()),
            ]
        };
        text += &table(["SETTING", "NOW", "THEN"], answer.changes.iter().map(row));
    }
    text
}

fn settings(policy: &EffectivePolicy) -> String {
    let row = |setting: &EffectiveSetting| {
        [
            setting_name(setting.feature_id, &setting.path),
            value(setting.value.as_ref()),
            flags(setting),
            setting.sources.iter().map(name).collect::<Vec<_>>().join(", "),
        ]
    };
    table(["SETTING", "VALUE", "FLAGS", "FROM"], policy.settings.iter().map(row))
}

fn explained(policy: &EffectivePolicy) -> String {
    let mut text = String::from("merged in this order, the later over the earlier:\n");
    for (index, source) in policy.merged_policies.iter().enumerate() {
        text += &format!("{:3}. {}\n", index + 1, place(source));
    }
    for setting in &policy.settings {
        let flags = flags(setting);
        let flags = if flags.is_empty() { String::new() } else { format!("   ({flags})") };
        let (name, shown) = (setting_name(setting.feature_id, &setting.path), value(setting.value.as_ref()));
        text += &format!("\n{name} = {shown}{flags}\n");
        for source in &setting.sources {
            text += &format!("  from {}\n", place(source));
        }
        for overridden in &setting.overridden {
            text += &format!("  {}\n", lost(overridden));
        }
    }
    text.trim_end().to_owned()
}

fn lost(overridden: &OverriddenValue) -> String {
    let why = match overridden.reason() {
        overridden_value::Reason::ForcedByEarlier => "ignored, as an earlier policy forces its value",
        _ => "overridden by a later policy",
    };
    let place = overridden.source.as_ref().map(place).unwrap_or_default();
    format!("not {} from {place}: {why}", value(overridden.value.as_ref()))
}

/// Whether the device has what it should have.
fn state(applied: Option<&AppliedPolicy>) -> String {
    let Some(applied) = applied else { return "the device has reported no policy yet".to_owned() };
    let mut text = match applied.up_to_date {
        true => format!("in force on the device since {}", time(applied.report_time.as_ref())),
        false => format!("the device still has an earlier policy, of {}", time(applied.report_time.as_ref())),
    };
    let row = |setting: &UnappliedSetting| {
        [
            setting_name(setting.feature_id, &setting.path),
            constant(setting.reason().as_str_name(), "").replace('_', " ").to_lowercase(),
            setting.detail.clone(),
        ]
    };
    if !applied.unapplied_settings.is_empty() {
        text += ", without:\n";
        text += &table(["SETTING", "WHY", "DETAIL"], applied.unapplied_settings.iter().map(row));
    }
    text
}

/// The feature and the path into it.
fn setting_name(feature: u32, path: &str) -> String {
    let known = i32::try_from(feature).ok().and_then(|number| Feature::try_from(number).ok());
    let feature = match known {
        Some(known) if known != Feature::Unspecified => {
            constant(known.as_str_name(), "FEATURE_").to_lowercase()
        }
        _ => feature.to_string(),
    };
    if path.is_empty() { feature } else { one_line(&format!("{feature}.{path}")) }
}

fn flags(setting: &EffectiveSetting) -> String {
    let flags = [(setting.apply_forcefully, "forced"), (setting.read_only, "read-only")];
    flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

fn name(source: &PolicySource) -> String {
    one_line(&source.policy_display_name)
}

fn place(source: &PolicySource) -> String {
    format!("{} (rank {} of {})", name(source), source.rank, policies::target(source.target.as_ref()))
}

fn value(value: Option<&Value>) -> String {
    let Some(value) = value else { return String::new() };
    // A value alone is no message of the contract.
    let holder = EffectiveSetting { value: Some(value.clone()), ..Default::default() };
    let holder = json::to_value(&holder).unwrap_or_default();
    let Some(value) = holder.get("value") else { return String::new() };
    // Lists of our own settings carry what they do with the list before them.
    let merge = value.get("merge").and_then(|merge| merge.as_str()?.strip_prefix("LIST_MERGE_"));
    match (merge, value.get("values")) {
        (Some("UNSPECIFIED" | "REPLACE"), Some(values)) => one_line(&values.to_string()),
        (Some(merge), Some(values)) => one_line(&format!("{} {values}", merge.to_lowercase())),
        _ => one_line(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::policies::{PolicyTarget, policy_target::Target};
    use prost_types::{ListValue, Struct, value::Kind};

    use super::*;

    const AGENT: u32 = Feature::Agent as u32;

    fn text(text: &str) -> Option<Value> {
        Some(Value { kind: Some(Kind::StringValue(text.to_owned())) })
    }

    fn source(name: &str, rank: u32) -> PolicySource {
        let target = PolicyTarget { target: Some(Target::DeviceGroupUuid("g".to_owned())) };
        PolicySource {
            policy_display_name: name.to_owned(),
            rank,
            target: Some(target),
            ..Default::default()
        }
    }

    fn answer() -> GetEffectivePolicyResponse {
        let setting = EffectiveSetting {
            feature_id: AGENT,
            path: "connectionInterval".to_owned(),
            value: text("60s"),
            apply_forcefully: true,
            sources: vec![source("base", 1)],
            overridden: vec![OverriddenValue {
                source: Some(source("late", 2)),
                value: text("10s"),
                reason: overridden_value::Reason::ForcedByEarlier.into(),
            }],
            ..Default::default()
        };
        let policy = EffectivePolicy {
            settings: vec![setting],
            merged_policies: vec![source("base", 1), source("late", 2)],
            ..Default::default()
        };
        GetEffectivePolicyResponse { effective_policy: Some(policy), applied_policy: None }
    }

    #[test]
    fn settings_are_shown_with_their_origin() {
        let expected = "\
            SETTING                   VALUE  FLAGS   FROM\n\
            agent.connectionInterval  \"60s\"  forced  base\n\n\
            the device has reported no policy yet";
        assert_eq!(of_device(&answer(), false), expected);
    }

    #[test]
    fn reasons_are_shown_when_asked_for() {
        let expected = "\
            merged in this order, the later over the earlier:\n  \
              1. base (rank 1 of group g)\n  \
              2. late (rank 2 of group g)\n\
            \nagent.connectionInterval = \"60s\"   (forced)\n  \
              from base (rank 1 of group g)\n  \
              not \"10s\" from late (rank 2 of group g): ignored, as an earlier policy forces its value\n\n\
            the device has reported no policy yet";
        assert_eq!(of_device(&answer(), true), expected);
    }

    #[test]
    fn lists_are_shown_as_lists() {
        let list = |merge: &str| {
            let elements = ListValue { values: text("a").into_iter().collect() };
            let fields =
                [("values", Kind::ListValue(elements)), ("merge", Kind::StringValue(merge.to_owned()))];
            let fields = fields.map(|(name, kind)| (name.to_owned(), Value { kind: Some(kind) })).into();
            Value { kind: Some(Kind::StructValue(Struct { fields })) }
        };
        for (merge, shown) in [
            ("LIST_MERGE_UNSPECIFIED", r#"["a"]"#),
            ("LIST_MERGE_REPLACE", r#"["a"]"#),
            ("LIST_MERGE_APPEND", r#"append ["a"]"#),
            ("other", r#"{"merge":"other","values":["a"]}"#),
        ] {
            assert_eq!(value(Some(&list(merge))), shown);
        }
    }

    #[test]
    fn a_preview_counts_and_shows_changes() {
        let change =
            SettingChange { feature_id: 7, path: "a.b".to_owned(), after: text("x"), ..Default::default() };
        let counted = PreviewPolicyAssignmentResponse {
            targeted_device_count: 3,
            changed_device_count: 2,
            ..Default::default()
        };
        assert_eq!(preview(&counted), "2 of 3 devices would get other settings\n");
        let shown = PreviewPolicyAssignmentResponse {
            effective_policy: Some(EffectivePolicy::default()),
            changes: vec![change],
            ..counted
        };
        let expected = "\
            2 of 3 devices would get other settings\n\
            SETTING  NOW  THEN\n\
            7.a.b    -    \"x\"";
        assert_eq!(preview(&shown), expected);
    }
}
