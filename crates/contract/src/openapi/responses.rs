//! The responses that all operations share.

use serde_json::{Map, Value, json};

use super::schema::Schemas;
use crate::{descriptors, rpc};

/// HTTP status, name of the component, and what the status means.
const FAILURES: [(&str, &str, &str); 10] = [
    (
        "400",
        "BadRequest",
        "The request has no authorisation or is not valid; the details name the wrong fields.",
    ),
    ("401", "Unauthorized", "The access token is expired or not valid."),
    ("403", "Forbidden", "The account is not entitled to this call."),
    ("404", "NotFound", "There is no such thing, or no such pending answer."),
    ("412", "PreconditionFailed", "The state of things does not allow the call."),
    ("429", "TooManyRequests", "Too many calls at once."),
    ("500", "InternalServerError", "Something broke inside; quote the request-id when you report it."),
    ("502", "BadGateway", "A part of the service answered what it must not."),
    ("503", "ServiceUnavailable", "Not now; try again."),
    ("504", "GatewayTimeout", "The call took too long; send it again without response-id."),
];

/// The status that few methods answer.
const PRECONDITION_FAILED: &str = "412";

/// The responses of a method whose answer has the schema `answer`.
pub(super) fn of_method(answer: Value, answers_412: bool) -> Value {
    let mut responses = json!({"200": success(answer), "202": reference("Accepted")});
    for (status, name, _) in FAILURES {
        if status != PRECONDITION_FAILED || answers_412 {
            responses[status] = reference(name);
        }
    }
    responses
}

/// A response that carries the answer.
pub(super) fn success(answer: Value) -> Value {
    json!({
        "description": "The answer.",
        "headers": {"request-id": request_id()},
        "content": {"application/json": {"schema": answer}},
    })
}

/// A reference to one of the shared responses.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/responses/{name}")})
}

/// A refused call; `error` is the schema of the body.
pub(super) fn failure(description: &str, error: &Value) -> Value {
    json!({
        "description": description,
        "headers": {"request-id": request_id()},
        "content": {"application/json": {"schema": error}},
    })
}

/// The schema of the body of a refused call.
pub(super) fn error(schemas: &mut Schemas) -> Value {
    let name = <rpc::Status as prost::Name>::full_name();
    let status = descriptors::pool().get_message_by_name(&name);
    schemas.message(&status.expect("google.rpc.Status is part of the contract"))
}

/// The shared responses.
pub(super) fn components(schemas: &mut Schemas) -> Value {
    let error = error(schemas);
    let mut components = Map::new();
    components.insert("Accepted".to_owned(), accepted());
    for (status, name, description) in FAILURES {
        let mut response = failure(description, &error);
        if status == "429" {
            response["headers"]["Retry-After"] =
                json!({"description": "Seconds to wait.", "schema": {"type": "integer"}});
        }
        components.insert(name.to_owned(), response);
    }
    Value::Object(components)
}

fn accepted() -> Value {
    json!({
        "description": "The answer is not ready. Repeat the identical request with the header response-id.",
        "headers": {
            "response-id": {
                "description": "Under this id the answer can be fetched, once.",
                "schema": {"type": "string", "format": "uuid"},
            },
            "request-id": request_id(),
        },
    })
}

fn request_id() -> Value {
    json!({"description": "Identifies the call.", "schema": {"type": "string", "format": "uuid"}})
}
