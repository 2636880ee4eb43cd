//! Settings of configurations whose type the contract knows.

use guardhouse_contract::settings::ListMerge as ContractListMerge;
use guardhouse_model::policies::{ListMerge, SettingPath, SettingValue};
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, Value};

use crate::configuration::Leaf;

/// The settings of `message`: its fields that are set.
pub(crate) fn settings(message: &DynamicMessage) -> Vec<(SettingPath, SettingValue<Leaf>)> {
    let mut found = Vec::new();
    collect(message, &mut Vec::new(), &mut found);
    found
}

fn collect(
    message: &DynamicMessage,
    above: &mut Vec<String>,
    found: &mut Vec<(SettingPath, SettingValue<Leaf>)>,
) {
    for (field, value) in message.fields() {
        above.push(field.json_name().to_owned());
        match value {
            Value::Message(held) if is_list(&held.descriptor()) => {
                found.push((above.clone().into(), list(held)))
            }
            Value::Message(held) if is_section(&held.descriptor()) => collect(held, above, found),
            value => found.push((above.clone().into(), SettingValue::Whole(Leaf::Field(value.clone())))),
        }
        above.pop();
    }
}

/// Whether messages of this type are lists that say what they do with the list before them.
pub(crate) fn is_list(descriptor: &MessageDescriptor) -> bool {
    let merge = descriptor.get_field_by_name("merge").map(|field| field.kind());
    matches!(merge, Some(Kind::Enum(kind)) if kind.full_name() == "guardhouse.policy.v1.ListMerge")
}

/// Whether messages of this type hold settings; others are settings.
pub(crate) fn is_section(descriptor: &MessageDescriptor) -> bool {
    !is_list(descriptor) && descriptor.package_name() != "google.protobuf"
}

fn list(message: &DynamicMessage) -> SettingValue<Leaf> {
    let values = message.get_field_by_name("values");
    let values = values.as_deref().and_then(Value::as_list).unwrap_or_default();
    let merge =
        message.get_field_by_name("merge").and_then(|merge| merge.as_enum_number()).unwrap_or_default();
    let merge = match ContractListMerge::try_from(merge) {
        Ok(ContractListMerge::Append) => ListMerge::Append,
        Ok(ContractListMerge::Prepend) => ListMerge::Prepend,
        Ok(ContractListMerge::Unspecified | ContractListMerge::Replace) | Err(_) => ListMerge::Replace,
    };
    SettingValue::List { elements: values.iter().cloned().map(Leaf::Field).collect(), merge }
}

/// Sets the field at `names` of `message`, a field that [`settings`] found in a message of the same type.
pub(crate) fn set(message: &mut DynamicMessage, names: &[String], value: Value) {
    let [name, below @ ..] = names else { return };
    let Some(field) = message.descriptor().get_field_by_json_name(name) else { return };
    if below.is_empty() {
        message.set_field(&field, value);
    } else if let Value::Message(held) = message.get_field_mut(&field) {
        set(held, below, value);
    }
}

/// Sets the list at `names` of `message`, as [`set`] does.
pub(crate) fn set_list(
    message: &mut DynamicMessage,
    names: &[String],
    elements: Vec<Value>,
    merge: Option<ListMerge>,
) {
    let merge = merge.map(|merge| match merge {
        ListMerge::Replace => ContractListMerge::Replace,
        ListMerge::Append => ContractListMerge::Append,
        ListMerge::Prepend => ContractListMerge::Prepend,
    });
    let [above @ .., last] = names else { return };
    let Some(parent) = descend(message, above) else { return };
    let Some(field) = parent.descriptor().get_field_by_json_name(last) else { return };
    if let Value::Message(list) = parent.get_field_mut(&field) {
        list.set_field_by_name("values", Value::List(elements));
        list.set_field_by_name("merge", Value::EnumNumber(merge.unwrap_or_default().into()));
    }
}

fn descend<'a>(message: &'a mut DynamicMessage, names: &[String]) -> Option<&'a mut DynamicMessage> {
    names.iter().try_fold(message, |message, name| {
        let field = message.descriptor().get_field_by_json_name(name)?;
        message.get_field_mut(&field).as_message_mut()
    })
}
