//! What the port serves to anyone: its own description, and whether it lives.

use bytes::Bytes;
use guardhouse_contract::openapi;
use http::{Method, Response, StatusCode};

use crate::answer::{self, Body};

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
            "/healthz" => answer::with_body(StatusCode::OK, "text/plain; charset=utf-8", "ok"),
            _ => return None,
        };
        Some(if verb == Method::GET { document } else { answer::verb_not_allowed("GET") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_get_and_only_these_paths() {
        let documents = Documents::new();
        let status =
            |verb: Method, path| documents.serve(&verb, path).map(|response| response.status().as_u16());
        assert_eq!(status(Method::GET, "/openapi.json"), Some(200));
        assert_eq!(status(Method::GET, "/healthz"), Some(200));
        assert_eq!(status(Method::POST, "/healthz"), Some(405));
        assert_eq!(status(Method::GET, "/healthz/"), None);
        assert_eq!(status(Method::GET, "/v1/devices"), None);
    }
}
