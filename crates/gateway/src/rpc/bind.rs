//! Makes the request message of an action out of its parameters.

use std::collections::BTreeMap;

use guardhouse_contract::{Status, json};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value as Json};

use super::{parameters::Parameters, refusal::Refusal};

/// Parameters by the first part of their names; each has what is below it, or a value, or by mistake both.
#[derive(Debug, Default)]
struct Tree<'a> {
    value: Option<&'a str>,
    below: BTreeMap<&'a str, Tree<'a>>,
}

/// Binds the parameters to the fields of `input`. Lists are `Name.1`, `Name.2`, …, or a text of JSON; fields of
/// messages are `Name.Field`. Parameters that no field has are ignored: clients send some to every action.
///
/// # Errors
/// A required parameter is missing, or a value is not of the type or beyond the range of its field.
pub fn bind(
    input: &MessageDescriptor,
    required: &[FieldDescriptor],
    parameters: &Parameters,
) -> Result<DynamicMessage, Refusal> {
    let mut tree = Tree::default();
    for (name, value) in parameters.iter() {
        // Others may have names of any depth.
        let first = name.split('.').next().unwrap_or_default();
        if input.get_field_by_json_name(first).is_some() {
            tree.insert(name, name, value)?;
        }
    }
    for field in required {
        if !tree.below.contains_key(field.json_name()) {
            return Err(Refusal::missing(field.json_name()));
        }
    }
    let mut document = Map::new();
    for (name, below) in tree.below {
        if let Some(field) = input.get_field_by_json_name(name) {
            document.insert(name.to_owned(), field_value(&field, name, below)?);
        }
    }
    let mut message = DynamicMessage::new(input.clone());
    json::read_into(&mut message, &Json::Object(document)).map_err(Status::invalid_fields)?;
    Ok(message)
}

impl<'a> Tree<'a> {
    /// Puts a value in its place; `path` is the whole name, of which `name` is left.
    fn insert(&mut self, path: &str, name: &'a str, value: &'a str) -> Result<(), Refusal> {
        let mut place = self;
        for (depth, part) in name.split('.').enumerate() {
            if depth >= json::MAX_DEPTH {
                let why = format!("is nested too deep: at most {} levels are allowed", json::MAX_DEPTH);
                return Err(Refusal::invalid(path, &why));
            }
            place = place.below.entry(part).or_default();
        }
        place.value = Some(value);
        Ok(())
    }

    /// The value of a parameter that has nothing below it.
    fn leaf(&self, path: &str, wanted: &str) -> Result<&'a str, Refusal> {
        match (self.value, self.below.keys().next()) {
            (Some(value), None) => Ok(value),
            (_, Some(part)) => {
                Err(Refusal::invalid(path, &format!("must be {wanted}, and {path}.{part} is given")))
            }
            (None, None) => Ok(""),
        }
    }
}

fn field_value(field: &FieldDescriptor, path: &str, tree: Tree<'_>) -> Result<Json, Refusal> {
    if field.is_map() {
        return map(field, path, tree);
    }
    if field.is_list() {
        return list(field, path, tree);
    }
    value(field, path, tree)
}

/// One value: of a field, or of a list or a map.
fn value(field: &FieldDescriptor, path: &str, tree: Tree<'_>) -> Result<Json, Refusal> {
    match field.kind() {
        Kind::Message(message) => {
            if tree.value.is_some() {
                // Some messages are a text in JSON. For all others it is said that they must be objects.
                let text = tree.leaf(path, "an object, as a whole or part by part")?;
                let json = serde_json::from_str(text).ok().filter(Json::is_object);
                return Ok(json.unwrap_or_else(|| Json::String(text.to_owned())));
            }
            let mut object = Map::new();
            for (name, below) in tree.below {
                if let Some(field) = message.get_field_by_json_name(name) {
                    object.insert(name.to_owned(), field_value(&field, &format!("{path}.{name}"), below)?);
                }
            }
            Ok(Json::Object(object))
        }
        Kind::Bool => {
            let text = tree.leaf(path, "true or false")?;
            Ok(match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Json::Bool(true),
                "false" | "0" => Json::Bool(false),
                _ => Json::String(text.to_owned()),
            })
        }
        _ => Ok(Json::String(tree.leaf(path, "a single value")?.to_owned())),
    }
}

/// A list. Its places count from 1, and some may be missing: clients leave out what is not set.
fn list(field: &FieldDescriptor, path: &str, tree: Tree<'_>) -> Result<Json, Refusal> {
    let wanted = format!("a list: {path}.1, {path}.2, … or a list of JSON");
    if let Some(json) = structured(path, &tree, &wanted, Json::is_array)? {
        return Ok(json);
    }
    let mut elements = BTreeMap::new();
    for (part, below) in tree.below {
        let place = Some(part).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()) && *part != "0");
        let place = place.and_then(|part| part.parse::<u32>().ok()).ok_or_else(|| {
            Refusal::invalid(&format!("{path}.{part}"), "must have a number from 1 in this place of its name")
        })?;
        if elements.insert(place, value(field, &format!("{path}.{part}"), below)?).is_some() {
            return Err(Refusal::invalid(&format!("{path}.{part}"), "is given twice"));
        }
    }
    Ok(Json::Array(elements.into_values().collect()))
}

fn map(field: &FieldDescriptor, path: &str, tree: Tree<'_>) -> Result<Json, Refusal> {
    if let Some(json) = structured(path, &tree, "an object: entries below it, or JSON", Json::is_object)? {
        return Ok(json);
    }
    let kind = field.kind();
    let entry = kind.as_message().map(MessageDescriptor::map_entry_value_field);
    let mut entries = Map::new();
    for (key, below) in tree.below {
        let path = format!("{path}.{key}");
        let entry = entry.as_ref().ok_or_else(|| Refusal::invalid(&path, "has no place"))?;
        entries.insert(key.to_owned(), value(entry, &path, below)?);
    }
    Ok(Json::Object(entries))
}

/// The value of a parameter that is a text of JSON; `None` if it is given part by part.
fn structured(
    path: &str,
    tree: &Tree<'_>,
    wanted: &str,
    fits: fn(&Json) -> bool,
) -> Result<Option<Json>, Refusal> {
    let Some(text) = tree.value else { return Ok(None) };
    if let Some(part) = tree.below.keys().next() {
        return Err(Refusal::invalid(
            path,
            &format!("is given as a whole, and {path}.{part} as a part of it"),
        ));
    }
    // What the JSON holds is checked with everything else.
    let json = serde_json::from_str(text).ok().filter(fits);
    json.map(Some).ok_or_else(|| Refusal::invalid(path, &format!("must be {wanted}")))
}

#[cfg(test)]
mod tests;
