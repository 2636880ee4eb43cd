//! Answers of the HTTP faces.

use bytes::Bytes;
use guardhouse_contract::{Code, Status, json};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use uuid::Uuid;

/// The body of every answer of the port. It is tonic's, because that one can carry trailers.
pub type Body = tonic::body::Body;

/// Identifies the request; on every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// Identifies an answer that is not ready yet.
pub const RESPONSE_ID: HeaderName = HeaderName::from_static("response-id");

/// An error that an answer carries beside its public half, so that the log can say what really happened.
#[derive(Debug, Clone)]
pub struct Failure(pub Status);

/// An answer with a body of `media_type`.
pub fn with_body(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(body.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// `200` with a JSON document.
pub fn json(document: impl Into<Bytes>) -> Response<Body> {
    with_body(StatusCode::OK, "application/json", document)
}

/// `202`: the call still runs; `response_id` fetches its answer.
pub fn accepted(response_id: Uuid) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response.headers_mut().insert(RESPONSE_ID, uuid_value(response_id));
    response
}

/// An error as `google.rpc.Status`, with the headers that its HTTP status asks for.
pub fn error(status: Status) -> Response<Body> {
    let code = StatusCode::from_u16(status.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json::write_message(&status.to_proto()).unwrap_or_else(|_| {
        format!(r#"{{"code":{},"message":"internal error","details":[]}}"#, Code::Internal as i32).into()
    });
    let mut response = with_body(code, "application/json", body);
    if code == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(r#"Bearer realm="guardhouse", error="invalid_token""#);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(wait) = status.wait() {
        // The header knows whole seconds only; waiting too short would be refused again.
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        let seconds = HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response.extensions_mut().insert(Failure(status));
    response
}

/// `405`: the path exists, but not with this verb. `allow` lists those that it has.
pub fn verb_not_allowed(allow: &str) -> Response<Body> {
    let message = format!("this path is served with: {allow}");
    let mut response = error(Status::new(Code::Unimplemented, "METHOD_NOT_ALLOWED", message).with_http(405));
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// A uuid as the value of a header.
pub fn uuid_value(uuid: Uuid) -> HeaderValue {
    HeaderValue::from_str(&uuid.to_string()).expect("a uuid is plain ASCII")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_error_is_a_status_document() {
        let response =
            error(Status::invalid_field("pageSize", "is not a number").because("a secret of the house"));
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(body.to_vec()).expect("UTF-8");
        assert!(!text.contains("secret"), "{text}");
        let body: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(body["code"], 3);
        assert_eq!(body["message"], "pageSize: is not a number");
        assert_eq!(body["details"][1]["fieldViolations"][0]["field"], "pageSize");
    }

    #[test]
    fn waits_are_rounded_up_to_whole_seconds() {
        for (millis, header) in [(1, "1"), (1_000, "1"), (1_001, "2"), (0, "1")] {
            let status = Status::new(Code::ResourceExhausted, "RATE_LIMITED", "slower")
                .retry_after(Duration::from_millis(millis));
            assert_eq!(error(status).headers()[header::RETRY_AFTER], header, "{millis} ms");
        }
    }

    #[test]
    fn only_401_carries_a_challenge() {
        let unauthenticated = error(Status::new(Code::Unauthenticated, "ACCESS_TOKEN_INVALID", "no"));
        assert!(unauthenticated.headers().contains_key(header::WWW_AUTHENTICATE));
        let missing = error(Status::invalid("no header"));
        assert!(!missing.headers().contains_key(header::WWW_AUTHENTICATE));
    }

    #[test]
    fn a_wrong_verb_names_the_right_ones() {
        let response = verb_not_allowed("GET, POST");
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()[header::ALLOW], "GET, POST");
    }
}
