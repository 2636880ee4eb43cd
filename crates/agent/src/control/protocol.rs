//! What is said over the control socket.

use guardhouse_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{outcome::Failure, power::rules::Scheduled};

/// The longest request in bytes, with the end of its line.
pub const LARGEST_REQUEST: usize = 1024;

/// The longest answer in bytes.
pub const LARGEST_ANSWER: usize = 64 * 1024;

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Request {
    /// What the agent is doing.
    Status {},
    /// Which restart or shutdown is scheduled.
    Power {},
    /// Put it off.
    PostponePower {
        /// By how many seconds.
        seconds: u32,
    },
    /// Cancel it.
    CancelPower {},
}

/// What the agent answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To the others: what is scheduled now.
    Power(Option<PowerAction>),
    /// The request was not carried out.
    #[serde(rename_all = "camelCase")]
    Refused {
        /// A constant that programs can compare.
        code: String,
        /// The reason in plain English.
        reason: String,
    },
}

/// What the agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Version of the agent that runs.
    pub agent_version: String,
    /// The device that this machine is.
    pub device_uuid: String,
    /// The server with which it is enrolled.
    #[serde(default)]
    pub server: String,
    /// Until when its certificate is valid; absent when that cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_end_time: Option<Timestamp>,
    /// The link to the server; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// When the last link ended, of those that this life of the agent had; absent while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_contact_time: Option<Timestamp>,
    /// The policy that is kept, as hexadecimal digits; empty when there never was one.
    pub policy_generation: String,
    /// Since when the device is isolated from the network; absent when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation_time: Option<Timestamp>,
    /// The restart or shutdown that is scheduled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_action: Option<PowerAction>,
    /// Actions that the settings of the machine switch off.
    #[serde(default)]
    pub disabled_actions: Vec<String>,
}

/// A link that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The address of the server that was dialled.
    pub server: String,
    /// Since when it stands.
    pub connect_time: Timestamp,
}

/// A restart or shutdown that is scheduled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PowerAction {
    /// The device restarts; otherwise it is switched off.
    pub restart: bool,
    /// When.
    pub scheduled_time: Timestamp,
    /// The latest moment to which it may be put off.
    pub latest_time: Timestamp,
    /// It may be cancelled.
    pub may_cancel: bool,
}

impl From<&Scheduled> for PowerAction {
    fn from(scheduled: &Scheduled) -> Self {
        Self {
            restart: scheduled.restart,
            scheduled_time: scheduled.time,
            latest_time: scheduled.latest,
            may_cancel: scheduled.may_cancel,
        }
    }
}

impl From<Failure> for Answer {
    fn from(Failure { code, reason, .. }: Failure) -> Self {
        Self::Refused { code: code.to_owned(), reason }
    }
}

/// Reads a request: everything that a client sent up to the end of the line.
///
/// # Errors
/// `INVALID_REQUEST`: it is too long, not JSON, or not a request of this agent version.
pub fn read_request(line: &[u8]) -> Result<Request, Failure> {
    let invalid = |reason: String| Failure::new("INVALID_REQUEST", reason);
    if line.len() > LARGEST_REQUEST {
        return Err(invalid(format!("a request is at most {LARGEST_REQUEST} bytes long")));
    }
    serde_json::from_slice(line).map_err(|error| {
        invalid(format!("not a request of agent version {}: {error}", crate::version::version()))
    })
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests() {
        let table = [
            (r#"{"status":{}}"#, Some(Request::Status {})),
            (r#"{"power":{}}"#, Some(Request::Power {})),
            (r#"{"postponePower":{"seconds":60}}"#, Some(Request::PostponePower { seconds: 60 })),
            (r#" {"cancelPower":{}} "#, Some(Request::CancelPower {})),
            (r#"{"postponePower":{}}"#, None),
            (r#"{"postponePower":{"seconds":-1}}"#, None),
            (r#"{"postponePower":{"seconds":1.5}}"#, None),
            (r#"{"postponePower":{"seconds":4294967296}}"#, None),
            (r#"{"postponePower":{"seconds":1,"force":true}}"#, None),
            (r#"{"status":{},"power":{}}"#, None),
            (r#"{"restart":{}}"#, None),
            ("[]", None),
            ("", None),
        ];
        for (text, expected) in table {
            let found = read_request(text.as_bytes());
            assert_eq!(found.as_ref().ok(), expected.as_ref(), "{text}");
            assert!(found.is_ok() || found.is_err_and(|failure| failure.code == "INVALID_REQUEST"));
        }
        let long = format!("{}{}", r#"{"status":{}}"#, " ".repeat(LARGEST_REQUEST));
        assert!(read_request(long.as_bytes()).is_err(), "too long");
    }

    #[test]
    fn seeds_are_requests() {
        let seeds = [
            ("status", Request::Status {}),
            ("power", Request::Power {}),
            ("postpone", Request::PostponePower { seconds: 60 }),
            ("cancel", Request::CancelPower {}),
        ];
        for (name, request) in seeds {
            let line = serde_json::to_vec(&request).expect("it can be written");
            assert_eq!(read_request(&line), Ok(request));
            keep("control", name, &line);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_an_error(bytes: Vec<u8>, seconds: u32) {
            let _ = read_request(&bytes);
            let request = Request::PostponePower { seconds };
            let line = serde_json::to_vec(&request).expect("it can be written");
            prop_assert_eq!(read_request(&line), Ok(request));
        }
    }
}
