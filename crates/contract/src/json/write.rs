//! Writes messages as canonical JSON.

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, ReflectMessage as _, SerializeOptions, Value};
use prost_types::Any;
use serde_json::Value as Json;

use super::MAX_DEPTH;
use crate::{Status, descriptors};

/// Unset scalars, lists and enums are shown, as the public API does; unset messages are absent.
const OPTIONS: SerializeOptions =
    SerializeOptions::new().skip_default_fields(false).stringify_64_bit_integers(true);

/// How deep a message may nest. More than a document that is read: there an `Any` and its payload are one
/// level, here they are two, and an answer wraps what a request brought.
const DEEPEST: usize = 3 * MAX_DEPTH;

/// Writes `message` as JSON.
///
/// # Errors
/// Internal: the message holds what has no JSON form, such as an `Any` of an unknown type or a time beyond
/// the year 9999.
pub fn write(message: &DynamicMessage) -> Result<Vec<u8>, Status> {
    check(message, DEEPEST)?;
    let mut json = Vec::new();
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &OPTIONS).map_err(broken)?;
    Ok(json)
}

/// Writes a typed message as JSON.
///
/// # Errors
/// As [`write()`]; also when `M` is no message of the contract.
pub fn write_message<M: Message + Name>(message: &M) -> Result<Vec<u8>, Status> {
    write(&reflected(message)?)
}

/// Turns a typed message into a JSON value.
///
/// # Errors
/// As [`write_message`].
pub fn to_value<M: Message + Name>(message: &M) -> Result<Json, Status> {
    let message = reflected(message)?;
    check(&message, DEEPEST)?;
    message.serialize_with_options(serde_json::value::Serializer, &OPTIONS).map_err(broken)
}

fn reflected<M: Message + Name>(message: &M) -> Result<DynamicMessage, Status> {
    let name = M::full_name();
    let descriptor = descriptors::pool().get_message_by_name(&name);
    let descriptor =
        descriptor.ok_or_else(|| Status::internal(format_args!("{name} is not part of the contract")))?;
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).map_err(broken)
}

/// Checks every `Any` before anything is written. Each begins a new message, and with it a new recursion
/// limit of the decoder: without this, a device could send a result that nests deep enough to exhaust the
/// stack.
fn check(message: &DynamicMessage, depth: usize) -> Result<(), Status> {
    let depth = depth.checked_sub(1).ok_or_else(|| broken("a message is nested too deep"))?;
    if message.descriptor().full_name() == "google.protobuf.Any" {
        let any: Any = message.transcode_to().map_err(broken)?;
        let name = any.type_url.rsplit('/').next().unwrap_or_default();
        let descriptor = message.descriptor().parent_pool().get_message_by_name(name);
        let descriptor =
            descriptor.ok_or_else(|| broken(format_args!("an Any is of unknown type {:?}", any.type_url)))?;
        return check(&DynamicMessage::decode(descriptor, any.value.as_slice()).map_err(broken)?, depth);
    }
    let mut fields = message.fields().map(|(_, value)| value);
    fields.try_for_each(|value| check_value(value, depth))
}

fn check_value(value: &Value, depth: usize) -> Result<(), Status> {
    match value {
        Value::Message(message) => check(message, depth),
        Value::List(values) => values.iter().try_for_each(|value| check_value(value, depth)),
        Value::Map(values) => values.values().try_for_each(|value| check_value(value, depth)),
        _ => Ok(()),
    }
}

fn broken(cause: impl std::fmt::Display) -> Status {
    Status::internal(format_args!("cannot write JSON: {cause}"))
}
