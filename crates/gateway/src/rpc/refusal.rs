//! Refusals as clients of these APIs know them.

use std::{borrow::Cow, time::Duration};

use guardhouse_contract::{Code, Status};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;

use super::JSON;
use crate::{
    answer::{self, Body, Failure},
    body::Unreadable,
};

/// How long to wait, in milliseconds: newer clients read this one,
const RETRY_AFTER: HeaderName = HeaderName::from_static("x-acs-retry-after");
/// and others that one, as a member of a list.
const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-user-api");

/// Where a client finds out more.
const HELP: &str = "/agentless-api#errors";

/// How many characters of a name from the request a code repeats.
const MAX_NAME: usize = 100;

/// Why a request is not carried out.
#[derive(Debug)]
pub struct Refusal {
    http: StatusCode,
    code: Cow<'static, str>,
    message: String,
    wait: Option<Duration>,
    /// What happened, for the log.
    status: Option<Box<Status>>,
}

impl Refusal {
    /// `400`.
    pub fn bad_request(code: impl Into<Cow<'static, str>>, message: String) -> Self {
        Self { http: StatusCode::BAD_REQUEST, code: code.into(), message, wait: None, status: None }
    }

    /// `404`.
    pub fn not_found(code: &'static str, message: String) -> Self {
        Self { http: StatusCode::NOT_FOUND, ..Self::bad_request(code, message) }
    }

    /// The parameter with this name is not there, and has to be.
    pub fn missing(name: &str) -> Self {
        Self::bad_request(with_name("Missing", name), format!("{name} is mandatory for this action."))
    }

    /// The parameter with this path is wrong; `why` says what would be right.
    pub fn invalid(path: &str, why: &str) -> Self {
        let name = path.split('.').next().unwrap_or_default();
        Self::bad_request(with_name("Invalid", name), format!("{path}: {why}"))
    }

    /// The verb is neither GET nor POST.
    pub fn method(method: &Method) -> Self {
        let message = format!("the HTTP method {method} is not supported; use GET or POST");
        Self::bad_request("UnsupportedHTTPMethod", message)
    }

    /// The body cannot be read.
    pub fn body(error: Unreadable) -> Self {
        Self::bad_request("InvalidParameter", error.to_string())
    }

    /// The code.
    #[cfg(any(test, fuzzing))]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The message.
    #[cfg(any(test, fuzzing))]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The answer to the request with this id, which was sent to `host`.
    pub fn into_answer(self, request_id: &str, host: &str) -> Response<Body> {
        let document = json!({
            "RequestId": request_id,
            "HostId": host,
            "Code": self.code,
            "Message": self.message,
            "Recommend": HELP,
        });
        let mut response = answer::with_body(self.http, JSON, document.to_string());
        if let Some(wait) = self.wait {
            let millis = wait.as_millis().saturating_add(1);
            let headers = response.headers_mut();
            let mut tell = |name, text: String| {
                headers.extend(HeaderValue::try_from(text).ok().map(|value| (name, value)));
            };
            tell(RETRY_AFTER, millis.to_string());
            tell(RATE_LIMIT, format!("Remain:0,TimeLeft:{millis}"));
            tell(header::RETRY_AFTER, millis.div_ceil(1_000).to_string());
        }
        let failure = self.status.map_or_else(
            || {
                let what = format!("{}: {}", self.code, self.message);
                Status::new(Code::InvalidArgument, "RPC_REFUSED", what)
            },
            |status| *status,
        );
        response.extensions_mut().insert(Failure(failure));
        response
    }
}

/// What the services and the way to them say, in the words of these APIs. A reason that is not written in capitals
/// is such a word already.
impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let http = StatusCode::from_u16(status.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let own_word = status.reason().bytes().any(|byte| byte.is_ascii_lowercase());
        let (code, message) = match (status.violations(), status.code()) {
            _ if own_word => (status.reason().to_owned().into(), status.message().to_owned()),
            ([first, ..], Code::InvalidArgument) => {
                let path = from_json_path(&first.field);
                let refusal = Self::invalid(&path, &first.description);
                (refusal.code, refusal.message)
            }
            (_, code) => (word(code).into(), message(code, status.message())),
        };
        Self { http, code, message, wait: status.wait(), status: Some(Box::new(status)) }
    }
}

/// What these APIs call an error that nobody named otherwise.
fn word(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument | Code::OutOfRange => "InvalidParameter",
        Code::FailedPrecondition => "OperationDenied",
        Code::NotFound => "ResourceNotFound",
        Code::PermissionDenied | Code::Unauthenticated => "NoPermission",
        Code::ResourceExhausted => "Throttling.User",
        Code::Unimplemented => "InvalidApi.NotFound",
        Code::Unavailable | Code::DeadlineExceeded => "ServiceUnavailable",
        Code::Internal => "ServerError",
    }
}

/// What is said of an error: where these APIs have a text of their own, that and then ours.
fn message(code: Code, text: &str) -> String {
    match code {
        Code::PermissionDenied | Code::Unauthenticated => format!("caller has no permission: {text}"),
        Code::Internal => format!("ServerError: {text}"),
        _ => text.to_owned(),
    }
}

/// A code that names a parameter. What does not look like the name of one is not repeated.
fn with_name(word: &str, name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain && (1..=MAX_NAME).contains(&name.len()) {
        format!("{word}{name}")
    } else {
        format!("{word}Parameter")
    }
}

/// `Targets[0].ImageId` as parameters spell it: `Targets.1.ImageId`.
fn from_json_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for part in path.split('[') {
        match part.split_once(']').and_then(|(index, rest)| Some((index.parse::<usize>().ok()?, rest))) {
            Some((index, rest)) => out.push_str(&format!(".{}{rest}", index.saturating_add(1))),
            None => out.push_str(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_error_has_a_word_of_these_apis() {
        let status = |code| Status::new(code, "SOMETHING", "text");
        for (status, http, code) in [
            (Status::invalid("text"), 400, "InvalidParameter"),
            (Status::invalid_field("PageSize", "must be an integer"), 400, "InvalidPageSize"),
            (Status::invalid_field("Targets[1].Ids[0]", "must be a text"), 400, "InvalidTargets"),
            (Status::invalid_field("a b", "must be a text"), 400, "InvalidParameter"),
            (status(Code::PermissionDenied), 403, "NoPermission"),
            (status(Code::ResourceExhausted), 429, "Throttling.User"),
            (status(Code::Unavailable), 503, "ServiceUnavailable"),
            (Status::not_found("task 1"), 404, "ResourceNotFound"),
            (Status::internal("a secret of the house"), 500, "ServerError"),
            (Status::failed_precondition("TaskIsProcessing", "Task Is Processing."), 400, "TaskIsProcessing"),
        ] {
            let refusal = Refusal::from(status);
            assert_eq!((refusal.http.as_u16(), refusal.code()), (http, code), "{refusal:?}");
            assert!(!refusal.message().contains("secret"), "{refusal:?}");
        }
        for (status, message) in [
            (Status::invalid_field("Targets[1].Ids[0]", "must be a text"), "Targets.2.Ids.1: must be a text"),
            (status(Code::PermissionDenied), "caller has no permission: text"),
            (
                Status::internal("a secret of the house"),
                "ServerError: internal error; quote the request-id when you report it",
            ),
        ] {
            assert_eq!(Refusal::from(status).message(), message);
        }
    }

    #[tokio::test]
    async fn a_refusal_has_the_five_members_that_clients_know() {
        let answer = Refusal::missing("TargetType").into_answer("ID", "localhost");
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], JSON);
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let expected = json!({
            "RequestId": "ID",
            "HostId": "localhost",
            "Code": "MissingTargetType",
            "Message": "TargetType is mandatory for this action.",
            "Recommend": HELP,
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn who_is_throttled_is_told_for_how_long() {
        let status = Status::new(Code::ResourceExhausted, "RATE_LIMITED", "slower")
            .retry_after(Duration::from_millis(1_200));
        let answer = Refusal::from(status).into_answer("ID", "localhost");
        let header = |name: &str| answer.headers()[name].to_str().expect("a text").to_owned();
        assert_eq!(header("x-acs-retry-after"), "1201");
        assert_eq!(header("x-ratelimit-user-api"), "Remain:0,TimeLeft:1201");
        assert_eq!(header("retry-after"), "2");
    }
}
