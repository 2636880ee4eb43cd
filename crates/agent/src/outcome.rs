//! How an action ended, and why it failed.

use guardhouse_contract::{action::ActionFailure, status::pack};
use guardhouse_model::device_runs;
use prost_types::Any;

/// How an action ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// It reached its goal.
    pub succeeded: bool,
    /// It was not carried out because the policy of the device or the device itself forbids it; `succeeded` is false then.
    pub suppressed: bool,
    /// What is known about it.
    pub result: Any,
}

/// Why an action failed before or without a result of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A constant that programs can compare.
    pub code: &'static str,
    /// The reason in plain English.
    pub reason: String,
    /// The action was not carried out because the policy of the device, or the device itself, forbids it.
    pub suppressed: bool,
}

/// The code of what the policy of a device forbids.
pub const FORBIDDEN_BY_POLICY: &str = "FORBIDDEN_BY_POLICY";

/// The code of what the settings of the machine itself switch off.
pub const FORBIDDEN_BY_AGENT: &str = "FORBIDDEN_BY_AGENT";

impl Failure {
    /// A failure.
    pub fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), suppressed: false }
    }

    /// The policy of the device forbids the action; `reason` says what rules it.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Self { suppressed: true, ..Self::new(FORBIDDEN_BY_POLICY, reason) }
    }

    /// The settings of the machine switch `action` off.
    pub fn disabled(action: &str) -> Self {
        let reason = format!("the device itself switches {action} off (disabled_actions in its agent.toml)");
        Self { suppressed: true, ..Self::new(FORBIDDEN_BY_AGENT, reason) }
    }

    /// The run was cancelled before the action began.
    pub fn cancelled() -> Self {
        Self::new(device_runs::CANCELLED, "the task was cancelled before the action began")
    }

    /// The action is not one of this agent version.
    pub fn unsupported() -> Self {
        Self::new("UNSUPPORTED_ACTION", "not supported by this agent version")
    }

    /// The parameters of an action are not usable. The server checks them too; this is for those of a later one.
    pub fn parameters(reason: impl Into<String>) -> Self {
        Self::new("INVALID_PARAMETERS", reason)
    }
}

impl From<Failure> for Outcome {
    fn from(Failure { code, reason, suppressed }: Failure) -> Self {
        let result = pack(&ActionFailure { code: code.to_owned(), reason });
        Self { succeeded: false, suppressed, result }
    }
}
