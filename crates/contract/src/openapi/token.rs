//! `POST /oauth/token`: the one endpoint that OAuth 2.0 (RFC 6749) defines and the contract does not.

use serde_json::{Value, json};

use super::{responses, schema::Schemas};

/// The path of the token endpoint.
pub(super) const PATH: &str = "/oauth/token";

/// The tag of the token endpoint.
pub(super) fn tag() -> Value {
    json!({"name": "OAuth", "description": "Access tokens for everything else."})
}

/// The operations on the token endpoint. It needs no authorisation, because it is where authorisation begins.
pub(super) fn path_item(schemas: &mut Schemas) -> Value {
    let body = schemas.insert("oauth_token_body", form());
    let token = schemas.insert("Token", token());
    let refusal = schemas.insert("OAuthError", refusal());
    let error = responses::error(schemas);
    json!({
        "post": {
            "operationId": "OAuth_Token",
            "tags": ["OAuth"],
            "description": "Exchanges a password or a refresh token for an access token. A refresh token can be \
                used once: the answer carries the next one.",
            "parameters": [],
            "requestBody": {
                "required": true,
                "content": {"application/x-www-form-urlencoded": {"schema": body}},
            },
            "responses": {
                "200": responses::success(token),
                "202": responses::reference("Accepted"),
                "400": responses::failure("The grant is refused, as RFC 6749 section 5.2 defines.", &refusal),
                "415": responses::failure("The body is not a form.", &refusal),
                "429": responses::reference("TooManyRequests"),
                "default": responses::failure("An unexpected error.", &error),
            },
            "security": [],
        },
    })
}

fn form() -> Value {
    json!({
        "required": ["grant_type"],
        "type": "object",
        "properties": {
            "grant_type": {"type": "string", "enum": ["password", "refresh_token"]},
            "username": {"type": "string", "description": "Name of the account, for `password`."},
            "password": {
                "type": "string",
                "format": "password",
                "description": "Password of the account, for `password`.",
            },
            "refresh_token": {"type": "string", "description": "The last refresh token, for `refresh_token`."},
        },
    })
}

fn token() -> Value {
    json!({
        "type": "object",
        "properties": {
            "access_token": {
                "type": "string",
                "description": "To be sent as `Authorization: Bearer` with every call.",
            },
            "refresh_token": {"type": "string", "description": "Good for the next access token, once."},
            "token_type": {"type": "string", "enum": ["Bearer"]},
            "expires_in": {
                "type": "integer",
                "format": "int32",
                "description": "Seconds until the access token expires.",
            },
        },
    })
}

fn refusal() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "string",
                "description": "`invalid_request`, `invalid_grant` or `unsupported_grant_type`.",
            },
            "error_description": {"type": "string", "description": "What was wrong, for the developer."},
        },
    })
}
