//! What the agent can do, one module per action.
//!
//! An action has two halves. [`prepare`] checks what can be checked without any effect; [`Prepared::perform`]
//! has the effect. Between them the runner passes the barrier after which the action is never begun again.

pub mod av_remove;
pub mod isolation;
pub mod kill_process;
pub mod log_off;
pub mod run_command;
pub mod shutdown;
pub mod stop_managing;
pub mod system_update;
pub mod take_snapshot;

use guardhouse_contract::{
    action::TakeSnapshot,
    automation::Action,
    pb::{
        era::common::data_definition::task::os::{RunCommand, ShutdownComputer, SystemUpdate},
        eset::dotnod::os_integration::v1::KillProcessByPidRequest,
    },
};
use prost::{Message, Name};

use crate::{
    outcome::{Failure, Outcome},
    snapshots,
    workplace::Workplace,
};

/// The actions of this agent version, with their parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Runs a script.
    RunCommand(RunCommand),
    /// Kills a process whose executable has a given hash.
    KillProcessByPid(KillProcessByPidRequest),
    /// Cuts the device off from the network, but for its server.
    StartNetworkIsolation,
    /// Ends that.
    EndNetworkIsolation,
    /// Restarts the device or switches it off.
    ShutdownComputer(ShutdownComputer),
    /// Ends the sessions of all users.
    LogOffComputerUser,
    /// Installs updates of the operating system.
    SystemUpdate(SystemUpdate),
    /// Removes the agent.
    StopManaging,
    /// Removes antivirus software of others.
    ThirdPartyAVRemove,
    /// Takes snapshots of the file systems and sends them to the server.
    TakeSnapshot(TakeSnapshot),
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
        "StartNetworkIsolation" => Ok(Known::StartNetworkIsolation),
        "EndNetworkIsolation" => Ok(Known::EndNetworkIsolation),
        "ShutdownComputer" => parameters(action).map(Known::ShutdownComputer),
        "LogOffComputerUser" => Ok(Known::LogOffComputerUser),
        "SystemUpdate" => parameters(action).map(Known::SystemUpdate),
        "StopManaging" => Ok(Known::StopManaging),
        "ThirdPartyAVRemove" => Ok(Known::ThirdPartyAVRemove),
        snapshots::ACTION => parameters(action).map(Known::TakeSnapshot),
        _ => Err(Failure::unsupported()),
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
    /// The isolation of the device is to change.
    Isolation(isolation::Change),
    /// The device is to restart or to be switched off.
    Shutdown(shutdown::Shutdown),
    /// Users are to be logged off.
    LogOff(log_off::LogOff),
    /// Updates are to be installed.
    SystemUpdate(system_update::Update),
    /// The agent is to go.
    StopManaging(stop_managing::Departure),
    /// Antivirus software of others is to go.
    AvRemove(av_remove::Removal),
    /// Snapshots are to be taken.
    TakeSnapshot(take_snapshot::Snapshot),
}

/// Checks an action without any effect on the machine, except for files in the run's own folder.
///
/// # Errors
/// The action cannot begin; it has had no effect.
pub fn prepare(known: &Known, workplace: &Workplace) -> Result<Prepared, Failure> {
    match known {
        Known::RunCommand(command) => run_command::prepare(command, workplace).map(Prepared::RunCommand),
        Known::KillProcessByPid(request) => kill_process::prepare(request).map(Prepared::KillProcessByPid),
        Known::StartNetworkIsolation => isolation::prepare(true, workplace).map(Prepared::Isolation),
        Known::EndNetworkIsolation => isolation::prepare(false, workplace).map(Prepared::Isolation),
        Known::ShutdownComputer(request) => shutdown::prepare(request, workplace).map(Prepared::Shutdown),
        Known::LogOffComputerUser => log_off::prepare(workplace).map(Prepared::LogOff),
        Known::SystemUpdate(request) => {
            system_update::prepare(request, workplace).map(Prepared::SystemUpdate)
        }
        Known::StopManaging => stop_managing::prepare(workplace).map(Prepared::StopManaging),
        Known::ThirdPartyAVRemove => av_remove::prepare(workplace).map(Prepared::AvRemove),
        Known::TakeSnapshot(order) => take_snapshot::prepare(order, workplace).map(Prepared::TakeSnapshot),
    }
}

impl Prepared {
    /// Does it. Nothing else happens in the process of a runner: an action may hold the thread.
    pub async fn perform(self, workplace: &Workplace) -> Outcome {
        match self {
            Self::RunCommand(script) => script.perform(workplace),
            Self::KillProcessByPid(victim) => victim.perform(),
            Self::Isolation(change) => change.perform(workplace).await,
            Self::Shutdown(shutdown) => shutdown.perform(workplace).await,
            Self::LogOff(log_off) => log_off.perform(workplace).await,
            Self::SystemUpdate(update) => update.perform(workplace).await,
            Self::StopManaging(departure) => departure.perform(workplace).await,
            Self::AvRemove(removal) => removal.perform(workplace).await,
            Self::TakeSnapshot(snapshot) => snapshot.perform(workplace).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::status::pack;
    use prost_types::Any;

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
            (action("OnDemandScan", None), "UNSUPPORTED_ACTION"),
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
