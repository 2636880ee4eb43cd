//! Reads `google.protobuf.Any`: an object that names the type of its payload.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use prost::{Message as _, Name as _};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _};
use prost_types::Any;
use serde_json::{Map, Value as Json, json};

use super::{
    MAX_DEPTH,
    read::Reader,
    scalar::{quoted, shown},
    well_known::{self, Form},
};
use crate::{Status, pb::guardhouse::json::v1::ForeignObject};

/// What every `@type` that the server writes begins with.
pub(super) const PREFIX: &str = "type.googleapis.com/";

/// Reads `object` into `message`, an `Any` whose payload must be a message that the contract knows.
pub(super) fn read(reader: &mut Reader, message: &mut DynamicMessage, object: &Map<String, Json>) {
    let mut descriptor = None;
    let named = payload_type(message.descriptor().parent_pool(), object.get("@type"));
    reader.member("@type", |reader| match named {
        Ok(named) => descriptor = Some(named),
        Err(description) => reader.violation(description),
    });
    let Some(descriptor) = descriptor else { return };

    let mut payload = DynamicMessage::new(descriptor);
    if has_value_member(&payload.descriptor()) {
        reader.member("value", |reader| match object.get("value") {
            Some(value) => reader.message(&mut payload, value),
            None => reader.violation(format!("is missing: it carries the {}", payload.descriptor().name())),
        });
    } else {
        reader.fields(&mut payload, object);
    }

    let type_url = format!("{PREFIX}{}", payload.descriptor().full_name());
    pack(message, &Any { type_url, value: payload.encode_to_vec() });
}

/// Reads `object` into `message`, an `Any` of a field with the option `opaque`: a payload that the contract does not
/// know is kept as the JSON it came in.
pub(super) fn read_opaque(reader: &mut Reader, message: &mut DynamicMessage, object: &Map<String, Json>) {
    let is_foreign = matches!(object.get("@type"), Some(Json::String(text)) if !text.is_empty())
        && payload_type(message.descriptor().parent_pool(), object.get("@type")).is_err();
    if !is_foreign {
        return read(reader, message, object);
    }
    let json = Json::Object(object.clone());
    if let Err(description) = well_known::bounded(&json, MAX_DEPTH) {
        return reader.violation(description);
    }
    pack(message, &crate::status::pack(&ForeignObject { json: json.to_string() }));
}

/// The JSON of `message`, an `Any` of a field with the option `opaque`, where its payload is foreign: the object it came
/// in; the bytes as the member `value` when it came encoded. `None`: the contract knows the payload.
pub(super) fn write_opaque(message: &DynamicMessage) -> Result<Option<Json>, Status> {
    let broken = |cause: &dyn std::fmt::Display| Status::internal(format_args!("a foreign payload: {cause}"));
    let any: Any = message.transcode_to().map_err(|error| broken(&error))?;
    let name = any.type_url.rsplit('/').next().unwrap_or_default();
    if name == ForeignObject::full_name() {
        let foreign = ForeignObject::decode(any.value.as_slice()).map_err(|error| broken(&error))?;
        let object: Map<String, Json> =
            serde_json::from_str(&foreign.json).map_err(|error| broken(&error))?;
        return Ok(Some(Json::Object(object)));
    }
    if message.descriptor().parent_pool().get_message_by_name(name).is_some() {
        return Ok(None);
    }
    let value = BASE64_STANDARD.encode(&any.value);
    Ok(Some(json!({"@type": any.type_url, "value": value})))
}

/// Puts a payload that can be written in the place of a foreign one.
pub(super) fn hold_place(message: &mut DynamicMessage) {
    pack(message, &crate::status::pack(&ForeignObject::default()));
}

fn pack(message: &mut DynamicMessage, packed: &Any) {
    message.clear();
    message.transcode_from(packed).expect("the message is an Any");
}

/// The message that `@type` names, or what is wrong with `@type`. Whatever precedes its last slash is
/// ignored.
fn payload_type(pool: &DescriptorPool, type_url: Option<&Json>) -> Result<MessageDescriptor, String> {
    const EXPECTED: &str =
        "the type of the object, such as type.googleapis.com/Era.Common.DataDefinition.Task.OS.RunCommand";

    let type_url = type_url.ok_or_else(|| format!("is missing: it names {EXPECTED}"))?;
    let text = type_url.as_str().ok_or_else(|| format!("must name {EXPECTED}, not {}", shown(type_url)))?;
    let name = text.rsplit('/').next().unwrap_or(text);
    let known = pool.get_message_by_name(name).filter(|descriptor| !descriptor.is_map_entry());
    known.ok_or_else(|| format!("names an unknown type, {}; it must name {EXPECTED}", quoted(text)))
}

/// Whether a payload of this type is the member `value`, because its JSON form has no members of its own.
fn has_value_member(descriptor: &MessageDescriptor) -> bool {
    well_known::form(descriptor) != Form::Fields || descriptor.full_name() == "google.protobuf.Empty"
}
