//! Reads a JSON document into a message and collects everything that is wrong with it.

use std::fmt::{self, Write as _};

use prost::{Message, Name};
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, OneofDescriptor, ReflectMessage as _,
    Value,
};
use serde_json::{Map, Value as Json};

use super::{
    MAX_DEPTH, MAX_LIST, MAX_VIOLATIONS, any,
    scalar::{self, shown},
    too_many,
    well_known::{self, Form},
};
use crate::{FieldViolation, Status, descriptors};

/// Reads the JSON body of a request. Read-only fields are ignored.
///
/// # Errors
/// The body is not a JSON object, or some of its fields are wrong.
pub fn read(descriptor: MessageDescriptor, json: &[u8]) -> Result<DynamicMessage, Status> {
    if json.trim_ascii().is_empty() {
        return Err(Status::invalid("the body is empty: it must be a JSON object"));
    }
    let mut message = DynamicMessage::new(descriptor);
    let document: Json = serde_json::from_slice(json)
        .map_err(|error| Status::invalid(format!("the body is not valid JSON: {error}")))?;
    read_into(&mut message, &document).map_err(refusal)?;
    Ok(message)
}

/// Reads a JSON document of a request into `message`, over what the message already holds. Read-only fields
/// are ignored.
///
/// # Errors
/// Some fields are wrong; `message` is then half read. A document that is no object is a violation without
/// path.
pub fn read_into(message: &mut DynamicMessage, json: &Json) -> Result<(), Vec<FieldViolation>> {
    Reader::new(ReadOnly::Ignored).document(message, json)
}

/// Reads a JSON value that the server wrote, read-only fields included.
///
/// # Errors
/// Some fields are wrong, or `M` is no message of the contract.
pub fn from_value<M: Message + Name + Default>(value: &Json) -> Result<M, Status> {
    let descriptor = descriptors::pool().get_message_by_name(&M::full_name());
    let descriptor = descriptor
        .ok_or_else(|| Status::internal(format_args!("{} is not part of the contract", M::full_name())))?;
    let mut message = DynamicMessage::new(descriptor);
    Reader::new(ReadOnly::Kept).document(&mut message, value).map_err(refusal)?;
    message.transcode_to().map_err(Status::internal)
}

fn refusal(violations: Vec<FieldViolation>) -> Status {
    match violations.as_slice() {
        [whole] if whole.field.is_empty() => Status::invalid(format!("the document {}", whole.description)),
        _ => Status::invalid_fields(violations),
    }
}

/// What to do with fields that the server assigns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadOnly {
    /// The document is a request.
    Ignored,
    /// The document is an answer.
    Kept,
}

/// One document on its way into a message.
pub(super) struct Reader {
    read_only: ReadOnly,
    violations: Vec<FieldViolation>,
    path: String,
    depth: usize,
}

impl Reader {
    fn new(read_only: ReadOnly) -> Self {
        Self { read_only, violations: Vec::new(), path: String::new(), depth: 0 }
    }

    fn document(mut self, message: &mut DynamicMessage, json: &Json) -> Result<(), Vec<FieldViolation>> {
        self.message(message, json);
        if self.violations.is_empty() { Ok(()) } else { Err(self.violations) }
    }

    /// Reports what is wrong with the value at the present path, and what would be right.
    pub(super) fn violation(&mut self, description: impl Into<String>) {
        if !self.is_full() {
            self.violations.push(FieldViolation::new(&self.path, description));
        }
    }

    fn is_full(&self) -> bool {
        self.violations.len() >= MAX_VIOLATIONS
    }

    /// Reads the member `name` of the present object.
    pub(super) fn member(&mut self, name: &str, read: impl FnOnce(&mut Self)) {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.at(format_args!("{dot}{name}"), read);
    }

    fn at(&mut self, segment: fmt::Arguments<'_>, read: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.write_fmt(segment).expect("write to a string");
        read(self);
        self.path.truncate(length);
    }

    /// Reads a message in whichever form its type has in JSON.
    pub(super) fn message(&mut self, message: &mut DynamicMessage, json: &Json) {
        if self.depth == MAX_DEPTH {
            return self.violation(format!("is nested too deep: at most {MAX_DEPTH} levels are allowed"));
        }
        self.depth += 1;
        match (well_known::form(&message.descriptor()), json) {
            (Form::Fields, Json::Object(object)) => self.fields(message, object),
            (Form::Any, Json::Object(object)) => any::read(self, message, object),
            (Form::Fields | Form::Any, other) => {
                self.violation(format!("must be an object, not {}", shown(other)));
            }
            (Form::Text, Json::String(text)) => {
                if let Err(description) = well_known::set_text(message, text) {
                    self.violation(description);
                }
            }
            (Form::Text, other) => {
                self.violation(well_known::expected_text(&message.descriptor(), &shown(other)));
            }
            (Form::Json, json) => {
                if let Err(description) = well_known::set_json(message, json) {
                    self.violation(description);
                }
            }
        }
        self.depth -= 1;
    }

    /// Reads the members of `object` that are fields of `message`; others are ignored.
    pub(super) fn fields(&mut self, message: &mut DynamicMessage, object: &Map<String, Json>) {
        let descriptor = message.descriptor();
        let mut given = Given::default();
        for (name, json) in object {
            if self.is_full() {
                return;
            }
            let Some(field) = descriptors::field(&descriptor, name) else { continue };
            let ignored = self.read_only == ReadOnly::Ignored && descriptors::is_read_only(&field);
            if ignored || well_known::is_unset(&field, json) {
                continue;
            }
            self.member(name, |reader| match given.note(name, &field) {
                Ok(()) => reader.field(message, &field, json),
                Err(description) => reader.violation(description),
            });
        }
    }

    fn field(&mut self, message: &mut DynamicMessage, field: &FieldDescriptor, json: &Json) {
        if field.is_map() {
            self.map(message, field, json);
        } else if field.is_list() {
            self.list(message, field, json);
        } else if let Kind::Message(_) = field.kind() {
            let child = message.get_field_mut(field).as_message_mut().expect("the field holds a message");
            match json {
                Json::Object(object) if descriptors::is_opaque(field) => {
                    any::read_opaque(self, child, object)
                }
                json => self.message(child, json),
            }
        } else if let Some(value) = self.scalar(field, json) {
            message.set_field(field, value);
        }
    }

    fn list(&mut self, message: &mut DynamicMessage, field: &FieldDescriptor, json: &Json) {
        let Json::Array(elements) = json else {
            return self.violation(format!("must be a list, not {}", shown(json)));
        };
        if elements.len() > MAX_LIST {
            return self.violation(too_many("elements", elements.len()));
        }
        let mut values = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            if self.is_full() {
                return;
            }
            self.at(format_args!("[{index}]"), |reader| values.extend(reader.element(field, element)));
        }
        message.set_field(field, Value::List(values));
    }

    fn map(&mut self, message: &mut DynamicMessage, field: &FieldDescriptor, json: &Json) {
        let Json::Object(entries) = json else {
            return self.violation(format!("must be an object, not {}", shown(json)));
        };
        if entries.len() > MAX_LIST {
            return self.violation(too_many("entries", entries.len()));
        }
        let kind = field.kind();
        let entry = kind.as_message().expect("a map is a list of entry messages");
        let (key_field, value_field) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        let mut values = std::collections::HashMap::with_capacity(entries.len());
        for (key, json) in entries {
            if self.is_full() {
                return;
            }
            self.at(format_args!("[{}]", scalar::quoted(key)), |reader| {
                match scalar::parse(&key_field.kind(), key) {
                    Ok(key) => {
                        let key: MapKey = key.into_map_key().expect("a key is of a key type");
                        values.extend(reader.element(&value_field, json).map(|value| (key, value)));
                    }
                    Err(description) => reader.violation(format!("as a key {description}")),
                }
            });
        }
        message.set_field(field, Value::Map(values));
    }

    /// Reads one value of a list or a map.
    fn element(&mut self, field: &FieldDescriptor, json: &Json) -> Option<Value> {
        match field.kind() {
            Kind::Message(descriptor) => {
                let mut message = DynamicMessage::new(descriptor);
                self.message(&mut message, json);
                Some(Value::Message(message))
            }
            _ => self.scalar(field, json),
        }
    }

    fn scalar(&mut self, field: &FieldDescriptor, json: &Json) -> Option<Value> {
        let value = scalar::read(&field.kind(), json).and_then(|value| scalar::checked(field, value));
        value.map_err(|description| self.violation(description)).ok()
    }
}

/// The fields of one object that already have a value.
#[derive(Default)]
struct Given<'a>(Vec<(&'a str, u32, Option<OneofDescriptor>)>);

impl<'a> Given<'a> {
    /// Notes that `field` is given under `name`. Two spellings of one field, or two members of a choice,
    /// leave open which of them is meant.
    fn note(&mut self, name: &'a str, field: &FieldDescriptor) -> Result<(), String> {
        let oneof = field.containing_oneof();
        for (other, number, other_oneof) in &self.0 {
            if *number == field.number() {
                return Err(format!("is given twice, also as {other}"));
            }
            if oneof.is_some() && oneof == *other_oneof {
                return Err(format!("must not be given together with {other}: only one of them is allowed"));
            }
        }
        self.0.push((name, field.number(), oneof));
        Ok(())
    }
}
