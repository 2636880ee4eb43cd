//! Configurations: made of merged settings, and their values as JSON.

use guardhouse_contract::{Status, json, policies::FeaturePolicy};
use guardhouse_model::policies::{ListMerge, MergedValue, SettingPath, SettingValue};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage as _, Value};
use prost_types::Any;
use serde_json::Value as Json;

use crate::{features, foreign, parsed::FeatureKey, typed};

/// A value that is merged as a whole, or an element of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Leaf {
    /// Of a field of a typed configuration.
    Field(Value),
    /// Of a member of a foreign object.
    Member(Json),
    /// A whole configuration.
    Payload(Any),
}

/// What is written of a setting.
pub(crate) struct Entry<'a> {
    pub(crate) path: &'a SettingPath,
    pub(crate) value: MergedValue<'a, Leaf>,
    /// What a list does with the list before it; the list that all policies together lead to does nothing.
    pub(crate) merge: Option<ListMerge>,
}

impl<'a> Entry<'a> {
    /// The setting as one policy has it.
    pub(crate) fn of_policy(path: &'a SettingPath, value: &'a SettingValue<Leaf>) -> Self {
        match value {
            SettingValue::Whole(value) => Self { path, value: MergedValue::Whole(value), merge: None },
            SettingValue::List { elements, merge } => {
                Self { path, value: MergedValue::List(elements.iter().collect()), merge: Some(*merge) }
            }
        }
    }
}

/// The configuration with these settings; `None` when there is nothing in it. A foreign object is there also when it
/// is empty: its product knows why.
pub(crate) fn write<'a>(
    key: &FeatureKey,
    foreign_type: Option<&str>,
    entries: impl IntoIterator<Item = Entry<'a>>,
    sections: impl IntoIterator<Item = &'a SettingPath>,
) -> Option<Any> {
    let mut entries = entries.into_iter().peekable();
    if let Some(Entry { value: MergedValue::Whole(Leaf::Payload(payload)), .. }) = entries.peek() {
        return Some(payload.clone());
    }
    if let Some(type_url) = foreign_type {
        let members = entries.filter_map(|entry| match entry.value {
            MergedValue::Whole(Leaf::Member(value)) => Some((entry.path, value)),
            _ => None,
        });
        return Some(foreign::write(type_url, members.collect(), sections));
    }
    entries.peek()?;
    let message = message(features::descriptor_of(key.feature_id)?, entries);
    let type_url = format!("type.googleapis.com/{}", message.descriptor().full_name());
    Some(Any { type_url, value: message.encode_to_vec() })
}

fn message<'a>(
    descriptor: MessageDescriptor,
    entries: impl IntoIterator<Item = Entry<'a>>,
) -> DynamicMessage {
    let field = |leaf: &Leaf| match leaf {
        Leaf::Field(value) => Some(value.clone()),
        Leaf::Member(_) | Leaf::Payload(_) => None,
    };
    let mut message = DynamicMessage::new(descriptor);
    for Entry { path, value, merge } in entries {
        match value {
            MergedValue::Whole(value) => {
                if let Some(value) = field(value) {
                    typed::set(&mut message, path.names(), value);
                }
            }
            MergedValue::List(elements) => {
                let elements = elements.into_iter().filter_map(field).collect();
                typed::set_list(&mut message, path.names(), elements, merge);
            }
        }
    }
    message
}

/// The value of a setting as JSON, as it would be seen in the configuration.
///
/// # Errors
/// Internal: it has no JSON form.
pub(crate) fn value_as_json(key: &FeatureKey, entry: Entry<'_>) -> Result<Json, Status> {
    match entry.value {
        MergedValue::Whole(Leaf::Member(value)) => Ok(value.clone()),
        MergedValue::Whole(Leaf::Payload(payload)) => {
            let feature = FeaturePolicy { configuration: Some(payload.clone()), ..Default::default() };
            Ok(json::to_value(&feature)?["configuration"].take())
        }
        MergedValue::Whole(Leaf::Field(_)) | MergedValue::List(_) => {
            let path = entry.path;
            let Some(descriptor) = features::descriptor_of(key.feature_id) else { return Ok(Json::Null) };
            let json = json::write(&message(descriptor, [entry]))?;
            let mut json: Json = serde_json::from_slice(&json).map_err(Status::internal)?;
            Ok(path.names().iter().fold(&mut json, |json, name| &mut json[name]).take())
        }
    }
}
