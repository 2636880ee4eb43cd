//! Reads `google.protobuf.Any`: an object that names the type of its payload.

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _};
use prost_types::Any;
use serde_json::{Map, Value as Json};

use super::{
    read::Reader,
    scalar::{quoted, shown},
    well_known::{self, Form},
};

/// What every `@type` that the server writes begins with.
pub(super) const PREFIX: &str = "type.googleapis.com/";

/// Reads `object` into `message`, an `Any`.
///
/// The payload must be a message that the contract knows. [`payload_type`] is the one place that decides so;
/// a field that may carry foreign payloads needs a second answer there, and a second way to pack here.
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

    let packed = Any {
        type_url: format!("{PREFIX}{}", payload.descriptor().full_name()),
        value: payload.encode_to_vec(),
    };
    message.clear();
    message.transcode_from(&packed).expect("the message is an Any");
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
