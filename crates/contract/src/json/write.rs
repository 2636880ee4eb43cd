//! Writes messages as canonical JSON.

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, ReflectMessage as _, SerializeOptions, Value};
use prost_types::Any;
use serde_json::Value as Json;

use super::{MAX_DEPTH, any};
use crate::{Status, descriptors};

/// Unset scalars, lists and enums are shown, as the public API does; unset messages are absent.
const OPTIONS: SerializeOptions =
    SerializeOptions::new().skip_default_fields(false).stringify_64_bit_integers(true);

/// As [`OPTIONS`], but a number is a number: what clients of the APIs spoken RPC style expect.
const NUMBERS: SerializeOptions = OPTIONS.stringify_64_bit_integers(false);

/// How deep a message may nest. More than a document that is read: there an `Any` and its payload are one
/// level, here they are two, and an answer wraps what a request brought.
const DEEPEST: usize = 3 * MAX_DEPTH;

/// Writes `message` as JSON.
///
/// # Errors
/// Internal: the message holds what has no JSON form, such as an `Any` of an unknown type or a time beyond
/// the year 9999.
pub fn write(message: &DynamicMessage) -> Result<Vec<u8>, Status> {
    write_as(message, &OPTIONS)
}

/// Writes `message` as JSON in which integers of 64 bits are numbers, too. Nothing is ever null: lists are there
/// though they are empty, and messages that are not set are absent.
///
/// # Errors
/// As [`write()`].
pub fn write_with_numbers(message: &DynamicMessage) -> Result<Vec<u8>, Status> {
    write_as(message, &NUMBERS)
}

fn write_as(message: &DynamicMessage, options: &SerializeOptions) -> Result<Vec<u8>, Status> {
    if check(message, DEEPEST, true)? {
        return serde_json::to_vec(&with_foreign(message.clone(), options)?).map_err(broken);
    }
    let mut json = Vec::new();
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), options).map_err(broken)?;
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
    if check(&message, DEEPEST, true)? {
        return with_foreign(message, &OPTIONS);
    }
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
///
/// Answers whether there are foreign payloads, which fields with the option `opaque` may hold; not below another `Any`.
fn check(message: &DynamicMessage, depth: usize, opaque: bool) -> Result<bool, Status> {
    let depth = depth.checked_sub(1).ok_or_else(|| broken("a message is nested too deep"))?;
    if message.descriptor().full_name() == "google.protobuf.Any" {
        let any: Any = message.transcode_to().map_err(broken)?;
        let name = any.type_url.rsplit('/').next().unwrap_or_default();
        let descriptor = message.descriptor().parent_pool().get_message_by_name(name);
        let descriptor =
            descriptor.ok_or_else(|| broken(format_args!("an Any is of unknown type {:?}", any.type_url)))?;
        let payload = DynamicMessage::decode(descriptor, any.value.as_slice()).map_err(broken)?;
        return check(&payload, depth, false);
    }
    let mut has_foreign = false;
    for (field, value) in message.fields() {
        has_foreign |= match value {
            Value::Message(held)
                if opaque && descriptors::is_opaque(&field) && any::write_opaque(held)?.is_some() =>
            {
                true
            }
            value => check_value(value, depth, opaque)?,
        };
    }
    Ok(has_foreign)
}

fn check_value(value: &Value, depth: usize, opaque: bool) -> Result<bool, Status> {
    let any_of = |found, value| Ok(found | check_value(value, depth, opaque)?);
    match value {
        Value::Message(message) => check(message, depth, opaque),
        Value::List(values) => values.iter().try_fold(false, any_of),
        Value::Map(values) => values.values().try_fold(false, |_, value| check_value(value, depth, false)),
        _ => Ok(false),
    }
}

/// Writes a message in which there are foreign payloads: first with others in their places.
fn with_foreign(mut message: DynamicMessage, options: &SerializeOptions) -> Result<Json, Status> {
    let mut foreign = Vec::new();
    take_foreign(&mut message, "", &mut foreign)?;
    let mut json = message.serialize_with_options(serde_json::value::Serializer, options).map_err(broken)?;
    for (place, payload) in foreign {
        let written = json.pointer_mut(&place);
        *written.ok_or_else(|| broken(format_args!("nothing was written at {place}")))? = payload;
    }
    Ok(json)
}

/// Moves foreign payloads from the message below `place`, a JSON pointer, to `foreign`, each with its place.
fn take_foreign(
    message: &mut DynamicMessage,
    place: &str,
    foreign: &mut Vec<(String, Json)>,
) -> Result<(), Status> {
    for (field, value) in message.fields_mut() {
        let place = format!("{place}/{}", field.json_name());
        match value {
            Value::Message(held) if descriptors::is_opaque(&field) => {
                if let Some(payload) = any::write_opaque(held)? {
                    any::hold_place(held);
                    foreign.push((place, payload));
                }
            }
            Value::Message(message) => take_foreign(message, &place, foreign)?,
            Value::List(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    if let Value::Message(message) = value {
                        take_foreign(message, &format!("{place}/{index}"), foreign)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn broken(cause: impl std::fmt::Display) -> Status {
    Status::internal(format_args!("cannot write JSON: {cause}"))
}
