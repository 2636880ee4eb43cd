//! The operations: one for each published binding.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use super::{describe, responses, schema, schema::Schemas};
use crate::{descriptors, http::Binding};

/// The path of `binding`, with the fields it binds in camelCase.
pub(super) fn path(binding: &Binding) -> String {
    let input = binding.method.input();
    binding.path_fields().fold(binding.template.clone(), |path, name| {
        let field = input.get_field_by_name(name).expect("the path binds fields of the request");
        path.replace(&format!("{{{name}}}"), &format!("{{{}}}", field.json_name()))
    })
}

/// The operation of `binding`.
pub(super) fn operation(binding: &Binding, schemas: &mut Schemas) -> Value {
    let method = &binding.method;
    let service = method.parent_service();
    let mut operation = json!({
        "operationId": format!("{}_{}", service.name(), method.name()),
        "tags": [service.name()],
    });
    describe(&mut operation, descriptors::comment(&method.parent_file(), method.path()));

    operation["parameters"] = Value::Array(parameters(binding));
    if binding.has_body {
        let bound: Vec<&str> = binding.path_fields().collect();
        operation["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": schemas.body(method, &bound)}},
        });
    }
    operation["responses"] =
        responses::of_method(schemas.message(&method.output()), descriptors::answers_412(method));
    operation["security"] = json!([{"bearer": []}]);
    operation
}

fn parameters(binding: &Binding) -> Vec<Value> {
    let input = binding.method.input();
    let mut parameters = Vec::new();
    for name in binding.path_fields() {
        let field = input.get_field_by_name(name).expect("the path binds fields of the request");
        parameters.push(parameter("path", field.json_name(), &field));
    }
    if !binding.has_body {
        let bound: Vec<&str> = binding.path_fields().collect();
        let unbound = input.fields().filter(|field| !bound.contains(&field.name()));
        unbound.for_each(|field| query(&field, "", &mut parameters));
    }
    parameters
}

/// A field of the query; a message is flattened into one parameter for each of its fields.
fn query(field: &FieldDescriptor, prefix: &str, parameters: &mut Vec<Value>) {
    let name = format!("{prefix}{}", field.json_name());
    match nested(field) {
        Some(message) => {
            let prefix = format!("{name}.");
            message.fields().for_each(|field| query(&field, &prefix, parameters));
        }
        None => parameters.push(parameter("query", &name, field)),
    }
}

fn nested(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if schema::text_message(&message).is_none() => Some(message),
        _ => None,
    }
}

fn parameter(place: &str, name: &str, field: &FieldDescriptor) -> Value {
    let mut parameter = json!({"name": name, "in": place, "required": place == "path"});
    describe(&mut parameter, descriptors::comment(&field.parent_file(), field.path()));
    parameter["schema"] = parameter_schema(field);
    parameter
}

/// Parameters have limits that the same fields do not have in a body.
fn parameter_schema(field: &FieldDescriptor) -> Value {
    let plain = match field.kind() {
        Kind::Enum(descriptor) => schema::enum_values(&descriptor),
        Kind::Message(message) => {
            schema::text_message(&message).expect("other messages are flattened into their fields")
        }
        kind => schema::scalar(&kind),
    };
    if field.is_list() {
        return json!({"type": "array", "items": plain});
    }
    let mut limited = match (field.name(), field.kind()) {
        ("page_size", _) => json!({"maximum": 99999, "minimum": 0}),
        ("page_token", _) => json!({"maxLength": 128, "minLength": 0}),
        (_, Kind::String | Kind::Enum(_) | Kind::Message(_)) => json!({"maxLength": 100, "minLength": 0}),
        _ => json!({}),
    };
    for (key, value) in plain.as_object().into_iter().flatten() {
        limited[key] = value.clone();
    }
    if descriptors::is_uuid(field) {
        limited["format"] = json!("uuid");
    }
    limited
}
