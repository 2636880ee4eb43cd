//! What the port serves to anyone: its own descriptions, and whether it lives.

use bytes::Bytes;
use guardhouse_contract::openapi;
use http::{Method, Response, StatusCode};

use crate::answer::{self, Body};

/// What refusals of the RPC face refer to: how it is used, its errors, and which actions there are.
const AGENTLESS: &str = include_str!("../../../docs/agentless-api.md");

/// The documents.
#[derive(Debug)]
pub struct Documents {
    openapi: Bytes,
}

impl Documents {
    /// Writes the documents once.
    pub fn new() -> Self {
        Self { openapi: openapi::document().to_string().into() }
    }

    /// Answers a request for `path`; `None` if it is not one of these.
    pub fn serve(&self, verb: &Method, path: &str) -> Option<Response<Body>> {
        let document = match path {
            "/openapi.json" => answer::json(self.openapi.clone()),
            "/agentless-api" => answer::with_body(StatusCode::OK, "text/markdown; charset=utf-8", AGENTLESS),
            "/healthz" => answer::with_body(StatusCode::OK, "text/plain; charset=utf-8", "ok"),
            _ => return None,
        };
        Some(if verb == Method::GET { document } else { answer::verb_not_allowed("GET") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refusals refer to that part of it, and nobody should look for an action in vain.
    #[test]
    fn the_page_about_the_rpc_face_has_its_errors_and_its_actions() {
        assert!(AGENTLESS.contains("\n## Errors\n"));
        for action in guardhouse_contract::actions::actions() {
            let row = format!("\n| `{}` | yes |", action.method.name());
            assert!(AGENTLESS.contains(&row), "{row}");
        }
    }

    #[test]
    fn only_get_and_only_these_paths() {
        let documents = Documents::new();
        let status =
            |verb: Method, path| documents.serve(&verb, path).map(|response| response.status().as_u16());
        assert_eq!(status(Method::GET, "/openapi.json"), Some(200));
        assert_eq!(status(Method::GET, "/healthz"), Some(200));
        assert_eq!(status(Method::GET, "/agentless-api"), Some(200));
        assert_eq!(status(Method::POST, "/healthz"), Some(405));
        assert_eq!(status(Method::GET, "/healthz/"), None);
        assert_eq!(status(Method::GET, "/v1/devices"), None);
    }
}
