//! Makes an HTTP request out of a request message, by the HTTP rules of the contract: the reverse of what the
//! gateway does.

use anyhow::Context as _;
use guardhouse_contract::{
    http::{Binding, bindings},
    json,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use prost_reflect::{DynamicMessage, ReflectMessage as _};
use reqwest::Method;
use serde_json::Value;

/// What a segment of a path may hold as it is (RFC 3986, unreserved). A colon is encoded too: behind a field
/// it begins a custom verb.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parts of an HTTP request that depend on the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The HTTP verb.
    pub verb: Method,
    /// Path and query, percent-encoded.
    pub path_and_query: String,
    /// The JSON document to send, for a method that has a body.
    pub body: Option<Vec<u8>>,
}

/// The published binding of a method, by its full name, for example
/// `eset.connect.device_management.v1.Devices.GetDevice`.
pub fn binding(method: &str) -> Option<Binding> {
    bindings().into_iter().find(|binding| binding.published && binding.method.full_name() == method)
}

/// Fills the path from the fields that it names, and the body, or else the query, from the rest. Unset fields
/// do not appear in a query.
///
/// # Errors
/// The message holds what has no JSON form, or a field that does not fit into a query.
pub fn bind(binding: &Binding, message: &DynamicMessage) -> anyhow::Result<Bound> {
    let document: Value = serde_json::from_slice(&json::write(message)?)?;
    let mut rest = message.clone();
    let mut path_and_query = binding.template.clone();
    for name in binding.path_fields() {
        let field = message.descriptor().get_field_by_name(name);
        let field = field.with_context(|| format!("{} has no field {name}", binding.method.full_name()))?;
        let value = text(&document[field.json_name()])?;
        let segment = utf8_percent_encode(&value, SEGMENT).to_string();
        path_and_query = path_and_query.replace(&format!("{{{name}}}"), &segment);
        rest.clear_field(&field);
    }

    let verb = binding.verb.clone();
    if binding.has_body {
        return Ok(Bound { verb, path_and_query, body: Some(json::write(&rest)?) });
    }
    let mut query = Query::new(String::new());
    add_fields(&mut query, "", &rest, &document)?;
    let query = query.finish();
    if !query.is_empty() {
        path_and_query.push('?');
        path_and_query.push_str(&query);
    }
    Ok(Bound { verb, path_and_query, body: None })
}

type Query = form_urlencoded::Serializer<'static, String>;

/// Adds every field that is set: a list as often as it has elements, a message as its own fields, with their
/// path as the name. `document` is the JSON of the message.
fn add_fields(
    query: &mut Query,
    prefix: &str,
    message: &DynamicMessage,
    document: &Value,
) -> anyhow::Result<()> {
    for (field, value) in message.fields() {
        let path = format!("{prefix}{}", field.json_name());
        let document = &document[field.json_name()];
        if let (Some(message), Value::Object(_)) = (value.as_message(), document) {
            add_fields(query, &format!("{path}."), message, document)?;
            continue;
        }
        for value in texts(document).with_context(|| format!("{path} does not fit into a query"))? {
            query.append_pair(&path, &value);
        }
    }
    Ok(())
}

fn texts(value: &Value) -> anyhow::Result<Vec<String>> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => Ok(vec![text(value)?]),
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        other => anyhow::bail!("{other} is not a plain value"),
    }
}

#[cfg(test)]
mod tests;
