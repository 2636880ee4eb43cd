//! Words what policies say together.

use std::{collections::BTreeMap, fmt::Write as _};

use guardhouse_contract::{
    Status, link,
    management::{
        AppliedPolicy, EffectiveFeature, EffectivePolicy, EffectiveSetting, OverriddenValue, PolicySource,
        SettingChange, UnappliedSetting, overridden_value::Reason,
    },
    time::to_proto,
};
use guardhouse_model::{DeviceId, policies::Fate};
use guardhouse_policy::{Effective, ExplainedSetting, explain};
use guardhouse_store::{Assignment, DevicePolicy};
use prost::Message as _;
use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::Value as Json;

use super::library::Library;
use crate::policy_assignments;

/// What the policies of `stack` say together, and why.
///
/// # Errors
/// Internal: what is kept of a policy has no JSON form.
pub fn policy(
    device: DeviceId,
    library: &Library,
    stack: &[Assignment],
    effective: Effective,
) -> Result<EffectivePolicy, Status> {
    let (assignments, parsed) = library.stack(stack);
    let sources: Vec<_> = assignments.into_iter().map(|assignment| source(library, assignment)).collect();
    let mut settings = Vec::new();
    for feature in explain(&parsed)? {
        settings.extend(feature.settings.into_iter().map(|explained| EffectiveSetting {
            feature_id: feature.feature_id,
            configuration_type: feature.type_name.clone(),
            product: feature.product.clone(),
            ..setting(explained, &sources)
        }));
    }
    let feature = |feature: link::EffectiveFeature| EffectiveFeature {
        feature_id: feature.feature_id,
        configuration: feature.configuration,
        read_only_paths: feature.read_only_paths,
    };
    Ok(EffectivePolicy {
        device_uuid: device.to_string(),
        generation: hexadecimal(&effective.generation),
        features: effective.features.into_iter().map(feature).collect(),
        settings,
        merged_policies: sources,
    })
}

/// What a device has reported, where `present` is the generation that it should have.
///
/// # Errors
/// Internal: what is kept is no report.
pub fn applied(reported: &DevicePolicy, present: &[u8; 32]) -> Result<AppliedPolicy, Status> {
    let report = link::PolicyReport::decode(reported.unapplied.as_slice()).map_err(Status::internal)?;
    let unapplied = |setting: link::UnappliedSetting| UnappliedSetting {
        feature_id: setting.feature_id,
        path: setting.path,
        // The numbers are the same on the link and here.
        reason: setting.reason,
        detail: setting.detail,
    };
    Ok(AppliedPolicy {
        generation: hexadecimal(&reported.generation),
        up_to_date: reported.generation == *present,
        report_time: Some(to_proto(reported.report_time)),
        unapplied_settings: report.unapplied.into_iter().map(unapplied).collect(),
    })
}

/// The settings that are not the same before and after.
#[must_use]
pub fn changes<'a>(before: &'a EffectivePolicy, after: &'a EffectivePolicy) -> Vec<SettingChange> {
    type Sides<'a> = (Option<&'a Value>, Option<&'a Value>);
    let key = |setting: &'a EffectiveSetting| {
        let EffectiveSetting { feature_id, configuration_type, product, path, .. } = setting;
        (*feature_id, configuration_type.as_str(), product.as_str(), path.as_str())
    };
    let mut settings: BTreeMap<_, Sides<'a>> = BTreeMap::new();
    for setting in &before.settings {
        settings.entry(key(setting)).or_default().0 = setting.value.as_ref();
    }
    for setting in &after.settings {
        settings.entry(key(setting)).or_default().1 = setting.value.as_ref();
    }
    let changed = settings.into_iter().filter(|(_, (before, after))| before != after);
    changed
        .map(|((feature_id, configuration_type, product, path), (before, after))| SettingChange {
            feature_id,
            configuration_type: configuration_type.to_owned(),
            product: product.to_owned(),
            path: path.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        })
        .collect()
}

fn setting(explained: ExplainedSetting, sources: &[PolicySource]) -> EffectiveSetting {
    let mut setting = EffectiveSetting {
        path: explained.path,
        value: Some(value(explained.value)),
        apply_forcefully: explained.forced,
        read_only: explained.read_only,
        ..Default::default()
    };
    for said in explained.history {
        let source = sources.get(said.source).cloned();
        let reason = match said.fate {
            Fate::InForce => {
                setting.sources.extend(source);
                continue;
            }
            Fate::Overridden { .. } => Reason::OverriddenByLater,
            Fate::Ignored { .. } => Reason::ForcedByEarlier,
        };
        let value = Some(value(said.value));
        setting.overridden.push(OverriddenValue { source, value, reason: reason.into() });
    }
    setting
}

fn source(library: &Library, assignment: &Assignment) -> PolicySource {
    let name = library.book(assignment.policy).map(|book| book.display_name.clone());
    PolicySource {
        policy_uuid: assignment.policy.to_string(),
        policy_display_name: name.unwrap_or_default(),
        // The one of a preview has none yet.
        assignment_uuid: if assignment.id.0.is_nil() { String::new() } else { assignment.id.to_string() },
        target: Some(policy_assignments::render_target(assignment.target)),
        rank: assignment.rank,
    }
}

/// JSON as the message that stands for it. Numbers are those of JSON in JavaScript: beyond 2^53 they are near.
fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(bool) => Kind::BoolValue(bool),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::MAX)),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(values) => Kind::ListValue(ListValue { values: values.into_iter().map(value).collect() }),
        Json::Object(members) => {
            let fields = members.into_iter().map(|(name, member)| (name, value(member))).collect();
            Kind::StructValue(Struct { fields })
        }
    };
    Value { kind: Some(kind) }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
