//! The OpenAPI document of the public API, derived from the contract.
//!
//! Names follow the public schemas, so that a client generator produces the same types from either: a schema
//! is called by the last part of its package and the name of its message (`v1Device`), a body without the
//! fields of the path by service, method and `Body`. Descriptions are the comments of the `.proto` files.
//!
//! Only the token endpoint is no method of the contract; it is written by hand in `token`.

mod operation;
mod responses;
mod schema;
mod token;

use serde_json::{Map, Value, json};

use self::schema::Schemas;
use crate::{descriptors, http};

/// The OpenAPI 3.0.3 document of every published binding, and of `POST /oauth/token`.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    let mut tags = vec![token::tag()];
    for binding in http::bindings().iter().filter(|binding| binding.published) {
        let service = binding.method.parent_service();
        if tags.iter().all(|tag: &Value| tag["name"] != service.name()) {
            let mut tag = json!({"name": service.name()});
            describe(&mut tag, descriptors::comment(&service.parent_file(), service.path()));
            tags.push(tag);
        }
        let path = operation::path(binding);
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        operations[binding.verb.as_str().to_ascii_lowercase()] = operation::operation(binding, &mut schemas);
    }
    paths.insert(token::PATH.to_owned(), token::path_item(&mut schemas));
    let responses = responses::components(&mut schemas);

    json!({
        "openapi": "3.0.3",
        "info": {"title": "Guardhouse", "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "responses": responses,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    })
}

/// Adds a description to a part of the document.
fn describe(part: &mut Value, description: Option<&str>) {
    if let Some(description) = description {
        part["description"] = json!(description);
    }
}
