//! Compares the OpenAPI document with the schemas of the public API that it follows, field by field and in
//! both directions.
//!
//! Those schemas are not part of this repository. Where they are missing, the comparison is skipped, and says
//! so.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use guardhouse_contract::openapi;
use serde_json::{Value, json};

/// The public schemas that Guardhouse serves.
const FILES: [&str; 5] = [
    "automation.json",
    "device-management.json",
    "asset-management.json",
    "policy-management.json",
    "business-account.json",
];

/// A difference that is meant: segments of its place (`*` is any one segment, a final `**` any rest), and
/// why.
struct Explained(&'static str, &'static str);

const EXPLAINED: &[Explained] = &[
    Explained(
        "paths * * security **",
        "the reference files leave out what an operation needs as authorisation",
    ),
    Explained(
        "paths * * responses * content application/json schema $ref",
        "the public documents leave the body of an error open; Guardhouse sends google.rpc.Status, and says so",
    ),
    Explained(
        "paths * * responses 412 **",
        "the public text has a rank beyond the last answered with 412, which the public document does not list",
    ),
    Explained("paths * * responses 429 headers Retry-After **", "Guardhouse says when to call again"),
    Explained("paths /oauth/token post responses 400 **", "refusals by RFC 6749 are documented"),
    Explained("paths /oauth/token post responses 415 **", "the refusal of what is no form is documented"),
    Explained("paths /oauth/token post responses 429 **", "the rate limit covers the token endpoint"),
    Explained("schemas OAuthError **", "the body of a refusal by RFC 6749"),
    Explained(
        "schemas protobufAny additionalProperties **",
        "the public schema allows objects only beside @type, but the fields of a message are of any type",
    ),
];

#[test]
fn the_document_is_the_public_one() {
    let Some(public) = public() else { return };
    let expected = flat(&public);
    let found = flat(&own());
    assert!(expected.len() > 1000, "the public schemas are read: {} facts", expected.len());

    let mut used = vec![false; EXPLAINED.len()];
    let mut unexplained = Vec::new();
    let places = expected.keys().chain(found.keys().filter(|place| !expected.contains_key(*place)));
    for place in places {
        let (public, own) = (expected.get(place), found.get(place));
        if public == own {
            continue;
        }
        match EXPLAINED.iter().position(|explained| matches(explained.0, place)) {
            Some(index) => used[index] = true,
            None => unexplained.push(format!("{}: public {public:?}, own {own:?}", place.join(" "))),
        }
    }
    assert!(unexplained.is_empty(), "{} differences:\n{}", unexplained.len(), unexplained.join("\n"));
    for (explained, used) in EXPLAINED.iter().zip(used) {
        assert!(used, "no difference is explained by {:?} any more ({})", explained.0, explained.1);
    }
}

/// Property order is what a reader of the document sees first.
#[test]
fn properties_come_in_the_public_order() {
    let Some(public) = public() else { return };
    let own = own();
    for (name, schema) in public["schemas"].as_object().expect("schemas") {
        let names = |schema: &Value| -> Vec<String> {
            schema["properties"].as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
        };
        assert_eq!(names(&own["schemas"][name]), names(schema), "{name}");
    }
}

/// The public documents, merged; `None` where they are missing.
fn public() -> Option<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/contract");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the public schemas are not here ({})", folder.display());
        return None;
    }
    let mut merged = json!({"paths": {}, "schemas": {}});
    for file in FILES {
        let text = fs::read_to_string(folder.join(file)).expect("a public schema");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        for part in ["paths", "schemas"] {
            for (name, value) in document[part].as_object().expect("an object") {
                let before =
                    merged[part].as_object_mut().expect("an object").insert(name.clone(), value.clone());
                assert!(before.is_none_or(|before| before == *value), "{file} redefines {name}");
            }
        }
    }
    Some(merged)
}

/// Where methods of our own are, which the public API does not have.
const EXTENSIONS: &str = "/guardhouse/";

/// Our document in the shape of the public ones: shared responses in their places, headers without the
/// wrapper that OpenAPI 3 puts around their schemas; without our extensions.
fn own() -> Value {
    let document = openapi::document();
    let mut paths = document["paths"].clone();
    paths.as_object_mut().expect("paths").retain(|path, _| !path.starts_with(EXTENSIONS));
    let operations = paths.as_object_mut().expect("paths").values_mut();
    for operation in operations.flat_map(|item| item.as_object_mut().expect("operations").values_mut()) {
        for response in operation["responses"].as_object_mut().expect("responses").values_mut() {
            if let Some(reference) = response["$ref"].as_str() {
                let shared = document.pointer(reference.trim_start_matches('#'));
                *response = shared.expect("a shared response").clone();
            }
            for header in response["headers"].as_object_mut().expect("headers").values_mut() {
                *header = header["schema"].take();
            }
        }
    }
    let mut schemas = document["components"]["schemas"].clone();
    let needed = needed(&paths, &schemas);
    schemas.as_object_mut().expect("schemas").retain(|name, _| needed.contains(name));
    json!({"paths": paths, "schemas": schemas})
}

/// The names of the schemas to which `paths` lead.
fn needed(paths: &Value, schemas: &Value) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    let mut ahead = vec![paths];
    while let Some(value) = ahead.pop() {
        match value {
            Value::Object(members) => ahead.extend(members.values()),
            Value::Array(elements) => ahead.extend(elements),
            Value::String(text) => {
                if let Some(name) = text.strip_prefix("#/components/schemas/")
                    && needed.insert(name.to_owned())
                {
                    ahead.push(&schemas[name]);
                }
            }
            _ => {}
        }
    }
    needed
}

/// Every leaf of a document by its place. Descriptions are ours alone.
fn flat(document: &Value) -> BTreeMap<Vec<String>, Value> {
    let mut leaves = BTreeMap::new();
    flatten(document, &mut Vec::new(), &mut leaves);
    leaves
}

fn flatten(value: &Value, place: &mut Vec<String>, leaves: &mut BTreeMap<Vec<String>, Value>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    if members.is_empty() {
        leaves.insert(place.clone(), value.clone());
    }
    for (name, value) in members {
        if name == "description" && value.is_string() {
            continue;
        }
        place.push(name);
        flatten(value, place, leaves);
        place.pop();
    }
}

fn matches(pattern: &str, place: &[String]) -> bool {
    let mut place = place.iter();
    for segment in pattern.split(' ') {
        match (segment, place.next()) {
            ("**", _) => return true,
            ("*", Some(_)) => {}
            (segment, Some(name)) if segment == name => {}
            _ => return false,
        }
    }
    place.next().is_none()
}
