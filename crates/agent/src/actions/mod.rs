//! What the agent can do, one module per action.
//!
//! An action has two halves. [`prepare`] checks what can be checked without any effect; [`Prepared::perform`]
//! has the effect. Between them the runner passes the barrier after which the action is never begun again.

pub mod kill_process;
pub mod run_command;

use std::path::Path;

use guardhouse_contract::{
    action::ActionFailure,
    automation::Action,
    pb::{
        era::common::data_definition::task::os::RunCommand,
        eset::dotnod::os_integration::v1::KillProcessByPidRequest,
    },
    status::pack,
};
use guardhouse_model::{Environment, RunId};
use prost::{Message, Name};
use prost_types::Any;

/// How an action ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// It reached its goal.
    pub succeeded: bool,
    /// It was not carried out because the policy of the device forbids it; `succeeded` is false then.
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
    /// The action was not carried out because the policy of the device forbids it.
    pub suppressed: bool,
}

/// The code of what the policy of a device forbids.
pub const FORBIDDEN_BY_POLICY: &str = "FORBIDDEN_BY_POLICY";

impl Failure {
    /// A failure.
    pub fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), suppressed: false }
    }

    /// The policy of the device forbids the action; `reason` says what rules it.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Self { suppressed: true, ..Self::new(FORBIDDEN_BY_POLICY, reason) }
    }

    /// The parameters of an action are not usable. The server checks them too; this is for those of a later one.
    fn parameters(reason: impl Into<String>) -> Self {
        Self::new("INVALID_PARAMETERS", reason)
    }
}

impl From<Failure> for Outcome {
    fn from(Failure { code, reason, suppressed }: Failure) -> Self {
        let result = pack(&ActionFailure { code: code.to_owned(), reason });
        Self { succeeded: false, suppressed, result }
    }
}

/// The actions of this agent version, with their parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Runs a script.
    RunCommand(RunCommand),
    /// Kills a process whose executable has a given hash.
    KillProcessByPid(KillProcessByPidRequest),
}

/// Recognises an action by its name.
///
/// # Errors
/// The action is not one of this agent version, or its parameters cannot be read.
pub fn recognise(action: Option<&Action>) -> Result<Known, Failure> {
    let action = action.ok_or_else(|| Failure::parameters("the order carries no action"))?;
    match action.name.as_str() {
        "RunCommand" => parameters(action).map(Known::RunCommand),
        "KillProcessByPid" => parameters(action).map(Known::KillProcessByPid),
        _ => Err(Failure::new("UNSUPPORTED_ACTION", "not supported by this agent version")),
    }
}

fn parameters<M: Message + Name + Default>(action: &Action) -> Result<M, Failure> {
    let Some(params) = &action.params else { return Ok(M::default()) };
    let (_, name) = params.type_url.rsplit_once('/').unwrap_or(("", &params.type_url));
    if name != M::full_name() {
        let reason = format!("the parameters of {} are of type {}, not {name}", action.name, M::full_name());
        return Err(Failure::parameters(reason));
    }
    M::decode(params.value.as_slice()).map_err(|error| Failure::parameters(error.to_string()))
}

/// An action that may begin.
#[derive(Debug)]
pub enum Prepared {
    /// A script lies ready.
    RunCommand(run_command::Script),
    /// A process is to be killed.
    KillProcessByPid(kill_process::Victim),
}

/// Checks an action without any effect on the machine, except for files in the run's own folder. `limits` are those of
/// scripts.
///
/// # Errors
/// The action cannot begin; it has had no effect.
pub fn prepare(
    known: &Known,
    run: RunId,
    folder: &Path,
    limits: run_command::Limits,
) -> Result<Prepared, Failure> {
    match known {
        Known::RunCommand(command) => {
            run_command::prepare(command, run, folder, limits).map(Prepared::RunCommand)
        }
        Known::KillProcessByPid(request) => kill_process::prepare(request).map(Prepared::KillProcessByPid),
    }
}

impl Prepared {
    /// Does it.
    pub fn perform(self, environment: &Environment) -> Outcome {
        match self {
            Self::RunCommand(script) => script.perform(environment),
            Self::KillProcessByPid(victim) => victim.perform(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(name: &str, params: Option<Any>) -> Action {
        Action { name: name.to_owned(), params }
    }

    #[test]
    fn actions_are_recognised_by_name_and_type() {
        let command = RunCommand { command_line: "true".to_owned(), ..Default::default() };
        let known = recognise(Some(&action("RunCommand", Some(pack(&command)))));
        assert_eq!(known, Ok(Known::RunCommand(command.clone())));

        let table = [
            (action("ShutdownComputer", None), "UNSUPPORTED_ACTION"),
            (action("runcommand", Some(pack(&command))), "UNSUPPORTED_ACTION"),
            (action("KillProcessByPid", Some(pack(&command))), "INVALID_PARAMETERS"),
            (action("RunCommand", Some(Any { value: vec![0xff], ..pack(&command) })), "INVALID_PARAMETERS"),
        ];
        for (action, code) in table {
            let failure = recognise(Some(&action)).expect_err("not usable");
            assert_eq!(failure.code, code, "{action:?}");
        }
        let failure = recognise(Some(&action("OnDemandScan", None))).expect_err("a later version");
        assert_eq!(failure.reason, "not supported by this agent version");
    }
}
