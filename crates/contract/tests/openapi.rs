//! The OpenAPI document as a golden file: a change of the public API shows in a review as a change of it.

use std::{collections::BTreeSet, env, fs, path::Path};

use guardhouse_contract::{descriptors, http, openapi};
use serde_json::Value;

/// Run with `UPDATE_GOLDEN=1` to write the file anew.
#[test]
fn the_document_is_the_golden_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let document = serde_json::to_string_pretty(&openapi::document()).expect("a JSON value") + "\n";
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &document).expect("the golden file can be written");
    }
    let golden = fs::read_to_string(&path).expect("the golden file");
    if let Some((index, (expected, found))) =
        golden.lines().zip(document.lines()).enumerate().find(|(_, (expected, found))| expected != found)
    {
        panic!(
            "openapi.json differs from line {}: expected {expected:?}, found {found:?}; \
             UPDATE_GOLDEN=1 cargo test -p guardhouse-contract writes it anew",
            index + 1
        );
    }
    assert_eq!(golden.len(), document.len(), "openapi.json has another length than the document");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = openapi::document();
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 50, "{references:?}");
    for reference in &references {
        let pointer = reference.strip_prefix('#').expect("a reference into the same document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
        assert!(references.contains(&format!("#/components/schemas/{name}")), "{name} is never used");
    }
}

fn collect_references(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| collect_references(value, references));
        }
        Value::Array(elements) => elements.iter().for_each(|value| collect_references(value, references)),
        _ => {}
    }
}

#[test]
fn every_operation_needs_a_token_except_the_one_that_gives_it() {
    let document = openapi::document();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (verb, operation) in item.as_object().expect("operations") {
            let open = operation["security"].as_array().expect("security").is_empty();
            assert_eq!(open, path == "/oauth/token", "{verb} {path}");
            operations += 1;
        }
    }
    assert_eq!(operations, 72);
}

#[test]
fn methods_that_answer_412_are_visible_as_such() {
    let document = openapi::document();
    for binding in http::bindings().iter().filter(|binding| binding.published) {
        let id = format!("{}_{}", binding.method.parent_service().name(), binding.method.name());
        let operations = document["paths"].as_object().expect("paths").values();
        let mut operations = operations.flat_map(|item| item.as_object().expect("operations").values());
        let operation = operations.find(|operation| operation["operationId"] == id.as_str());
        let responses = &operation.expect("an operation")["responses"];
        assert_eq!(responses.get("412").is_some(), descriptors::answers_412(&binding.method), "{id}");
    }
}

/// What only the server and its agents know of each other is nobody else's business.
#[test]
fn the_agent_link_is_not_public() {
    let document = openapi::document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for name in ["v1EnrolRequest", "v1AgentFrame", "v1Inventory", "v1Access"] {
        assert!(!schemas.contains_key(name), "{name}");
    }
}
