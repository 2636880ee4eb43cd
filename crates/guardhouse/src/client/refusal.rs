//! An error answer of the server.

use std::fmt;

use guardhouse_contract::{FieldViolation, json, rpc};
use prost::{Message, Name};
use serde_json::Value;

/// How much of a body that is no error document is shown, in characters.
const EXCERPT: usize = 200;

/// Why the server refused a request. `Display` is the message alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub http: u16,
    /// What is wrong, for people.
    pub message: String,
    /// What is wrong, for programs, for example `RATE_LIMITED`; empty when the answer does not say.
    pub reason: String,
    /// The wrong fields of the request.
    pub violations: Vec<FieldViolation>,
    /// Under which the log of the server knows the request; empty when the answer does not say.
    pub request_id: String,
}

impl Refusal {
    /// Reads an error answer: a `google.rpc.Status`, or the error document of OAuth (RFC 6749, section 5.2).
    /// Whatever else stands between client and server may answer with anything; then an excerpt is shown.
    pub fn read(http: u16, request_id: String, body: &[u8]) -> Self {
        let document = serde_json::from_slice(body).unwrap_or(Value::Null);
        let (message, reason, violations) = oauth(&document)
            .or_else(|| status(&document))
            .unwrap_or_else(|| (excerpt(http, body), String::new(), Vec::new()));
        Self { http, message, reason, violations, request_id }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

type Parts = (String, String, Vec<FieldViolation>);

fn oauth(document: &Value) -> Option<Parts> {
    let error = document.get("error")?.as_str()?;
    let description = document.get("error_description").and_then(Value::as_str);
    Some((description.unwrap_or(error).to_owned(), error.to_owned(), Vec::new()))
}

fn status(document: &Value) -> Option<Parts> {
    let status: rpc::Status = json::from_value(document).ok().filter(|_| document.is_object())?;
    if status.message.is_empty() {
        return None;
    }
    let reason = detail::<rpc::ErrorInfo>(&status).map(|info| info.reason).unwrap_or_default();
    let request: rpc::BadRequest = detail(&status).unwrap_or_default();
    let violations = request.field_violations.into_iter();
    let violations = violations.map(|wrong| FieldViolation::new(wrong.field, wrong.description));
    Some((status.message.clone(), reason, violations.collect()))
}

/// The first detail of this type.
fn detail<M: Message + Name + Default>(status: &rpc::Status) -> Option<M> {
    let is_one = |any: &&prost_types::Any| any.type_url.rsplit('/').next() == Some(&M::full_name());
    let any = status.details.iter().find(is_one)?;
    M::decode(any.value.as_slice()).ok()
}

fn excerpt(http: u16, body: &[u8]) -> String {
    let name = reqwest::StatusCode::from_u16(http).ok().and_then(|status| status.canonical_reason());
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let colon = if text.is_empty() { "" } else { ": " };
    let shown: String = text.chars().take(EXCERPT).collect();
    format!("the server answered {http} {}{colon}{shown}", name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{Code, Status};

    use super::*;

    #[test]
    fn a_status_is_read_with_its_details() {
        let violations = vec![
            FieldViolation::new("task.displayName", "is empty"),
            FieldViolation::new("task.targets", "names nobody"),
        ];
        let sent = Status::invalid_fields(violations.clone());
        let body = json::write_message(&sent.to_proto()).expect("JSON");
        let refusal = Refusal::read(400, "r-1".to_owned(), &body);
        let expected = Refusal {
            http: 400,
            message: sent.message().to_owned(),
            reason: "INVALID_ARGUMENT".to_owned(),
            violations,
            request_id: "r-1".to_owned(),
        };
        assert_eq!(refusal, expected);

        let sent = Status::new(Code::PermissionDenied, "ACCESS_NOT_GRANTED", "may only read");
        let body = json::write_message(&sent.to_proto()).expect("JSON");
        let refusal = Refusal::read(403, String::new(), &body);
        assert_eq!(
            (refusal.to_string().as_str(), refusal.reason.as_str()),
            ("may only read", "ACCESS_NOT_GRANTED")
        );
    }

    #[test]
    fn other_answers_are_shown_as_far_as_they_can_be() {
        for (body, message, reason) in [
            (
                r#"{"error":"invalid_grant","error_description":"wrong password"}"#,
                "wrong password",
                "invalid_grant",
            ),
            (r#"{"error":"invalid_grant"}"#, "invalid_grant", "invalid_grant"),
            ("", "the server answered 502 Bad Gateway", ""),
            ("<html>no</html>\n", "the server answered 502 Bad Gateway: <html>no</html>", ""),
            ("{}", "the server answered 502 Bad Gateway: {}", ""),
            ("[1]", "the server answered 502 Bad Gateway: [1]", ""),
        ] {
            let refusal = Refusal::read(502, String::new(), body.as_bytes());
            assert_eq!((refusal.message.as_str(), refusal.reason.as_str()), (message, reason), "{body}");
        }
    }
}
