//! The one error of the house.
//!
//! A [`Status`] has two halves. The public half (code, reason, message, violations) is what a client gets, as
//! `google.rpc.Status`. The internal half says what really happened; it goes to the log only, and no `Display`
//! of this type ever shows it.

use std::{borrow::Cow, fmt, time::Duration};

use prost::{Message, Name};
use prost_types::Any;

use crate::rpc::{self, BadRequest, ErrorInfo, RetryInfo, bad_request};

/// A `google.rpc.Code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Code {
    /// The request is wrong in itself.
    InvalidArgument = 3,
    /// The call took too long.
    DeadlineExceeded = 4,
    /// There is no such thing.
    NotFound = 5,
    /// The caller is known, but not entitled.
    PermissionDenied = 7,
    /// Too many calls, or too much asked.
    ResourceExhausted = 8,
    /// The state of things does not allow it.
    FailedPrecondition = 9,
    /// A number or a length is beyond its limit.
    OutOfRange = 11,
    /// There is no such method.
    Unimplemented = 12,
    /// Something broke inside.
    Internal = 13,
    /// Not now; try again.
    Unavailable = 14,
    /// The caller is not known.
    Unauthenticated = 16,
}

impl Code {
    const ALL: [Self; 11] = [
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::Unauthenticated,
    ];

    /// The code with this number, if it is one of these.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|code| *code as i32 == number)
    }

    /// The HTTP status that the public API documents for this code.
    #[must_use]
    pub fn http(self) -> u16 {
        match self {
            Self::InvalidArgument | Self::FailedPrecondition | Self::OutOfRange => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::ResourceExhausted => 429,
            Self::Internal => 500,
            Self::Unimplemented => 501,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
        }
    }
}

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field as the client spells it, for example `task.targets.devicesUuids[3]`.
    pub field: String,
    /// What is wrong and what would be right.
    pub description: String,
}

impl FieldViolation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

/// Why a call failed.
#[derive(Debug, Clone)]
pub struct Status {
    code: Code,
    reason: Cow<'static, str>,
    message: String,
    violations: Vec<FieldViolation>,
    retry_after: Option<Duration>,
    http: Option<u16>,
    internal: Option<String>,
}

impl Status {
    /// A status with a stable reason in UPPER_SNAKE_CASE and a message for the developer of the client.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            message: message.into(),
            violations: Vec::new(),
            retry_after: None,
            http: None,
            internal: None,
        }
    }

    /// The request is wrong as a whole.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, "INVALID_ARGUMENT", message)
    }

    /// One field of the request is wrong.
    pub fn invalid_field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldViolation::new(field, description)])
    }

    /// Some fields of the request are wrong; the message names the first.
    #[must_use]
    pub fn invalid_fields(violations: Vec<FieldViolation>) -> Self {
        let message = match violations.as_slice() {
            [] => "the request is not valid".to_owned(),
            [only] => format!("{}: {}", only.field, only.description),
            [first, rest @ ..] => format!("{}: {} (and {} more)", first.field, first.description, rest.len()),
        };
        Self { violations, ..Self::invalid(message) }
    }

    /// There is no such thing; `what` names it, for example `device 0193…`.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, "NOT_FOUND", format!("{what} does not exist"))
    }

    /// The state of things does not allow it.
    pub fn failed_precondition(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, reason, message)
    }

    /// Something broke inside; `cause` is for the log.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(Code::Internal, "INTERNAL", "internal error; quote the request-id when you report it")
            .because(cause)
    }

    /// Adds what really happened, for the log only.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.internal = Some(cause.to_string());
        self
    }

    /// Says when the call may be tried again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Answers another HTTP status than the code's own, where the public API documents one.
    #[must_use]
    pub fn with_http(mut self, status: u16) -> Self {
        self.http = Some(status);
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The stable reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The message for the developer of the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The wrong fields.
    #[must_use]
    pub fn violations(&self) -> &[FieldViolation] {
        &self.violations
    }

    /// When the call may be tried again.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn http(&self) -> u16 {
        self.http.unwrap_or(self.code.http())
    }

    /// What really happened, for the log.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.internal.as_deref()
    }

    /// The public half, as it travels.
    #[must_use]
    pub fn to_proto(&self) -> rpc::Status {
        let mut details = vec![pack(&ErrorInfo {
            reason: self.reason.clone().into_owned(),
            domain: "guardhouse".to_owned(),
            metadata: Default::default(),
        })];
        if !self.violations.is_empty() {
            let field_violations = self.violations.iter().map(|violation| bad_request::FieldViolation {
                field: violation.field.clone(),
                description: violation.description.clone(),
            });
            details.push(pack(&BadRequest { field_violations: field_violations.collect() }));
        }
        if let Some(retry_delay) = self.retry_after.and_then(|wait| wait.try_into().ok()) {
            details.push(pack(&RetryInfo { retry_delay: Some(retry_delay) }));
        }
        rpc::Status { code: self.code as i32, message: self.message.clone(), details }
    }

    /// The status whose public half travelled. `None`: it has a code that no [`Code`] is.
    ///
    /// An HTTP status of its own ([`Status::with_http`]) does not travel.
    #[must_use]
    pub fn from_proto(travelled: &rpc::Status) -> Option<Self> {
        let mut status = Self::new(Code::from_number(travelled.code)?, "", travelled.message.clone());
        for detail in &travelled.details {
            if let Ok(info) = detail.to_msg::<ErrorInfo>() {
                status.reason = info.reason.into();
            } else if let Ok(request) = detail.to_msg::<BadRequest>() {
                let violations = request.field_violations.into_iter();
                status.violations = violations
                    .map(|violation| FieldViolation::new(violation.field, violation.description))
                    .collect();
            } else if let Ok(retry) = detail.to_msg::<RetryInfo>() {
                status.retry_after = retry.retry_delay.and_then(|delay| delay.try_into().ok());
            }
        }
        Some(status)
    }

    /// The public half as a gRPC status; the details ride in `grpc-status-details-bin`.
    #[must_use]
    pub fn to_grpc(&self) -> tonic::Status {
        let details = self.to_proto().encode_to_vec();
        tonic::Status::with_details(tonic::Code::from_i32(self.code as i32), &self.message, details.into())
    }
}

/// Only the public half.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

impl std::error::Error for Status {}

/// Packs a message of the contract into an `Any`.
pub fn pack<M: Message + Name>(message: &M) -> Any {
    Any { type_url: format!("type.googleapis.com/{}", M::full_name()), value: message.encode_to_vec() }
}
