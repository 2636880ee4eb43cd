//! The schemas of messages and enums.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::describe;
use crate::descriptors;

/// What standard base64 with padding looks like.
const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

/// The schemas that the document refers to, by name.
pub(super) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// All schemas, ordered by name.
    pub(super) fn finish(self) -> Map<String, Value> {
        self.0.into_iter().collect()
    }

    /// Adds a schema that no message of the contract stands for.
    pub(super) fn insert(&mut self, name: &str, schema: Value) -> Value {
        self.0.insert(name.to_owned(), schema);
        reference(name)
    }

    /// A reference to the schema of `message`, which is added with everything it refers to.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        let name = schema_name(message.package_name(), message.full_name());
        if !self.0.contains_key(&name) {
            // Taken before its fields are written: a message may contain itself.
            self.0.insert(name.clone(), Value::Null);
            let schema = match message.full_name() {
                "google.protobuf.Any" => any(),
                _ => self.object(message, message.fields()),
            };
            self.0.insert(name.clone(), schema);
        }
        reference(&name)
    }

    /// A reference to the body of `method`: the fields of its request that the path does not bind.
    pub(super) fn body(&mut self, method: &MethodDescriptor, bound: &[&str]) -> Value {
        let message = method.input();
        if bound.is_empty() {
            return self.message(&message);
        }
        let name = format!("{}{}Body", method.parent_service().name(), method.name());
        let fields = message.fields().filter(|field| !bound.contains(&field.name()));
        let schema = self.object(&message, fields);
        self.insert(&name, schema)
    }

    fn object(
        &mut self,
        message: &MessageDescriptor,
        fields: impl Iterator<Item = FieldDescriptor>,
    ) -> Value {
        let mut schema = json!({"type": "object"});
        describe(&mut schema, descriptors::comment(&message.parent_file(), message.path()));
        let properties: Map<_, _> =
            fields.map(|field| (field.json_name().to_owned(), self.property(&field))).collect();
        if !properties.is_empty() {
            schema["properties"] = Value::Object(properties);
        }
        schema
    }

    /// A reference stands alone: OpenAPI 3.0 ignores whatever else is beside it.
    fn property(&mut self, field: &FieldDescriptor) -> Value {
        let mut schema = if field.is_map() {
            let kind = field.kind();
            let entry = kind.as_message().expect("a map is a list of entry messages");
            json!({"type": "object", "additionalProperties": self.kind(&entry.map_entry_value_field().kind())})
        } else if field.is_list() {
            json!({"type": "array", "items": self.kind(&field.kind())})
        } else {
            self.kind(&field.kind())
        };
        if schema.get("$ref").is_none() {
            if descriptors::is_read_only(field) {
                schema["readOnly"] = json!(true);
            }
            describe(&mut schema, descriptors::comment(&field.parent_file(), field.path()));
        }
        schema
    }

    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Enum(descriptor) => self.enumeration(descriptor),
            Kind::Message(message) => text_message(message).unwrap_or_else(|| self.message(message)),
            kind => scalar(kind),
        }
    }

    fn enumeration(&mut self, descriptor: &EnumDescriptor) -> Value {
        let name = schema_name(descriptor.package_name(), descriptor.full_name());
        let mut schema = enum_values(descriptor);
        describe(&mut schema, enum_description(descriptor).as_deref());
        self.insert(&name, schema)
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// `eset.connect.automation.v1.DeviceTask` is `v1DeviceTask`.
fn schema_name(package: &str, full_name: &str) -> String {
    let last = package.rsplit('.').next().unwrap_or_default();
    let name = full_name.strip_prefix(package).unwrap_or(full_name);
    format!("{last}{}", name.replace('.', ""))
}

/// The schema of a type that is neither message nor enum. A 64-bit integer is text, since JSON numbers are
/// not exact beyond 53 bits.
pub(super) fn scalar(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
        Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "format": "int64"}),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({"type": "string", "format": "int64"}),
        Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "uint64"}),
        Kind::Float => json!({"type": "number", "format": "float"}),
        Kind::Double => json!({"type": "number", "format": "double"}),
        Kind::Bytes => json!({"pattern": BASE64, "type": "string", "format": "byte"}),
        Kind::String | Kind::Enum(_) | Kind::Message(_) => json!({"type": "string"}),
    }
}

/// The schema of a message that is one text in JSON.
pub(super) fn text_message(message: &MessageDescriptor) -> Option<Value> {
    match message.full_name() {
        "google.protobuf.Timestamp" => Some(json!({"type": "string", "format": "date-time"})),
        "google.protobuf.Duration" | "google.protobuf.FieldMask" => Some(json!({"type": "string"})),
        _ => None,
    }
}

/// The names of an enum; the first is the one of an unset field.
pub(super) fn enum_values(descriptor: &EnumDescriptor) -> Value {
    let names: Vec<_> = descriptor.values().map(|value| value.name().to_owned()).collect();
    json!({"type": "string", "default": descriptor.default_value().name(), "enum": names})
}

/// The comment of an enum, and one line for each of its values.
fn enum_description(descriptor: &EnumDescriptor) -> Option<String> {
    let file = descriptor.parent_file();
    let values = descriptor.values().filter_map(|value| {
        let comment = descriptors::comment(&file, value.path())?;
        Some(format!("* `{}`: {}", value.name(), comment.replace('\n', " ")))
    });
    let values = values.collect::<Vec<_>>().join("\n");
    match (descriptors::comment(&file, descriptor.path()), values.is_empty()) {
        (Some(comment), true) => Some(comment.to_owned()),
        (Some(comment), false) => Some(format!("{comment}\n\n{values}")),
        (None, true) => None,
        (None, false) => Some(values),
    }
}

/// An object that names its type; its other members are the fields of that type, of any JSON type.
fn any() -> Value {
    json!({
        "type": "object",
        "description": "A message of the type that `@type` names, with the fields of that message beside it.",
        "properties": {
            "@type": {
                "type": "string",
                "description": "`type.googleapis.com/` and the full name of the message.",
            },
        },
        "additionalProperties": true,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::http;

    /// Names of schemas leave out most of a package, so two packages could claim the same one.
    #[test]
    fn no_two_messages_share_a_name() {
        let mut names: HashMap<String, String> = HashMap::new();
        let mut claim = |name: String, full_name: &str| {
            let owner = names.entry(name).or_insert_with(|| full_name.to_owned());
            assert_eq!(owner, full_name);
        };
        let mut messages: Vec<_> = http::bindings()
            .into_iter()
            .flat_map(|binding| [binding.method.input(), binding.method.output()])
            .collect();
        let mut seen = Vec::new();
        while let Some(message) = messages.pop() {
            if seen.contains(&message) {
                continue;
            }
            if !message.is_map_entry() {
                claim(schema_name(message.package_name(), message.full_name()), message.full_name());
            }
            for field in message.fields() {
                match field.kind() {
                    Kind::Message(message) => messages.push(message),
                    Kind::Enum(descriptor) => claim(
                        schema_name(descriptor.package_name(), descriptor.full_name()),
                        descriptor.full_name(),
                    ),
                    _ => {}
                }
            }
            seen.push(message);
        }
    }
}
