//! Sets fields from the texts of a path or a query.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value};

use super::{
    MAX_DEPTH, MAX_LIST,
    scalar::{self, is_digits},
    too_many,
    well_known::{self, Form},
};
use crate::{FieldViolation, descriptors};

/// What became of a name in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It names a field, which now has the value.
    Set,
    /// It names nothing that a client can set this way.
    Unknown,
}

/// Sets the field at `path` (names in either spelling, joined by dots: `target.deviceUuid`) from `values`.
///
/// A list takes every value, any other field the last one. An empty text leaves a field unset unless it is a
/// plain string, since clients send `page_token=`.
///
/// # Errors
/// One violation per value that the field cannot take.
pub fn set_from_text(
    message: &mut DynamicMessage,
    path: &str,
    values: &[&str],
) -> Result<Found, Vec<FieldViolation>> {
    let Some((parents, field)) = resolve(&message.descriptor(), path) else { return Ok(Found::Unknown) };
    let Some(last) = values.last() else { return Ok(Found::Set) };

    if field.is_list() {
        let elements = list(&field, path, values)?;
        let list =
            descend(message, &parents).get_field_mut(&field).as_list_mut().expect("the field is a list");
        if list.len() + elements.len() > MAX_LIST {
            let description = too_many("elements", list.len() + elements.len());
            return Err(vec![FieldViolation::new(path, description)]);
        }
        list.extend(elements);
        return Ok(Found::Set);
    }

    let violation = |description| vec![FieldViolation::new(path, description)];
    let Some(value) = single(&field, last).map_err(violation)? else { return Ok(Found::Set) };
    let parent = descend(message, &parents);
    if let Some(other) = rival(parent, &field) {
        let other = other.json_name();
        return Err(violation(format!(
            "must not be given together with {other}: only one of them is allowed"
        )));
    }
    parent.set_field(&field, value);
    Ok(Found::Set)
}

/// The field at `path` and the message fields that lead to it; `None` unless one text can set it.
fn resolve(root: &MessageDescriptor, path: &str) -> Option<(Vec<FieldDescriptor>, FieldDescriptor)> {
    let mut descriptor = root.clone();
    let mut parents = Vec::new();
    let mut names = path.split('.');
    loop {
        let field = names.next().and_then(|name| descriptors::field(&descriptor, name))?;
        if descriptors::is_read_only(&field) || field.is_map() || parents.len() >= MAX_DEPTH {
            return None;
        }
        descriptor = match field.kind() {
            Kind::Message(message) if well_known::form(&message) == Form::Fields => message,
            Kind::Message(message) if well_known::form(&message) != Form::Text => return None,
            _ => return names.next().is_none().then_some((parents, field)),
        };
        if field.is_list() {
            return None;
        }
        parents.push(field);
    }
}

fn descend<'a>(message: &'a mut DynamicMessage, parents: &[FieldDescriptor]) -> &'a mut DynamicMessage {
    parents.iter().fold(message, |message, field| {
        message.get_field_mut(field).as_message_mut().expect("the field holds a message")
    })
}

fn list(field: &FieldDescriptor, path: &str, values: &[&str]) -> Result<Vec<Value>, Vec<FieldViolation>> {
    let mut elements = Vec::new();
    let mut violations = Vec::new();
    for (index, text) in values.iter().enumerate().take(MAX_LIST + 1) {
        match single(field, text) {
            Ok(element) => elements.extend(element),
            Err(description) => violations.push(FieldViolation::new(format!("{path}[{index}]"), description)),
        }
        if violations.len() == super::MAX_VIOLATIONS {
            break;
        }
    }
    if violations.is_empty() { Ok(elements) } else { Err(violations) }
}

/// Reads one text; `None` when it leaves the field unset.
fn single(field: &FieldDescriptor, text: &str) -> Result<Option<Value>, String> {
    let kind = field.kind();
    let may_be_empty = kind == Kind::String && !descriptors::is_uuid(field);
    if text.is_empty() && !may_be_empty {
        return Ok(None);
    }
    if let Kind::Message(descriptor) = kind {
        let mut message = DynamicMessage::new(descriptor);
        well_known::set_text(&mut message, text)?;
        return Ok(Some(Value::Message(message)));
    }
    match scalar::parse(&kind, text) {
        // Any page size above the largest is served as the largest, however long its text is.
        Err(_) if field.name() == "page_size" && kind == Kind::Uint32 && is_digits(text) => {
            Ok(Some(Value::U32(u32::MAX)))
        }
        value => value.and_then(|value| scalar::checked(field, value)).map(Some),
    }
}

/// Another member of the choice that `field` belongs to, where it is already set.
fn rival(message: &DynamicMessage, field: &FieldDescriptor) -> Option<FieldDescriptor> {
    let oneof = field.containing_oneof()?;
    oneof.fields().find(|other| other != field && message.has_field(other))
}
