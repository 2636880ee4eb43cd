//! The actions of the contract and what their parameters must be.

use guardhouse_contract::{
    FieldViolation,
    automation::Action,
    pb::{
        era::common::data_definition::task::{
            ess::{OnDemandScan, on_demand_scan::Profile},
            os::{RunCommand, ShutdownComputer, SystemUpdate},
        },
        eset::dotnod::{
            os_integration::v1::KillProcessByPidRequest, patch_management::v1::ApplyApplicationPatchRequest,
            vulnerability_management::v1::ScanRequest,
        },
    },
    status::pack,
};
use guardhouse_model::{Action as Known, TAKE_SNAPSHOT};
use prost::{Message, Name};
use uuid::Uuid;

/// Longest script of `RunCommand`, in bytes: the limit of the console.
const LONGEST_COMMAND: usize = 32_768;

/// Longest path, in bytes, that Linux accepts.
const LONGEST_PATH: usize = 4_096;

/// What is wrong with parameters: the member below `params`, and why.
type Wrong = (&'static str, String);

/// What an action takes.
enum Parameters {
    None,
    /// Reads, checks and rewrites the value of an `Any`; the first member is its message's full name.
    Message(String, fn(&[u8]) -> Result<prost_types::Any, Wrong>),
}

/// The parameters of every action of the contract.
fn parameters(action: Known) -> Parameters {
    match action {
        Known::StartNetworkIsolation
        | Known::EndNetworkIsolation
        | Known::StopManaging
        | Known::ThirdPartyAVRemove
        | Known::LogOffComputerUser => Parameters::None,
        Known::OnDemandScan => takes::<OnDemandScan>(|bytes| checked(bytes, on_demand_scan)),
        Known::ShutdownComputer => {
            takes::<ShutdownComputer>(|bytes| checked::<ShutdownComputer>(bytes, anything))
        }
        Known::SystemUpdate => takes::<SystemUpdate>(|bytes| checked::<SystemUpdate>(bytes, anything)),
        Known::RunCommand => takes::<RunCommand>(|bytes| checked(bytes, run_command)),
        Known::KillProcessByPid => {
            takes::<KillProcessByPidRequest>(|bytes| checked(bytes, kill_process_by_pid))
        }
        Known::InitiateVulnerabilityScan => {
            takes::<ScanRequest>(|bytes| checked::<ScanRequest>(bytes, anything))
        }
        Known::ApplyApplicationPatch => {
            takes::<ApplyApplicationPatchRequest>(|bytes| checked(bytes, apply_application_patch))
        }
    }
}

/// Checks an action and brings it into its canonical form: equal actions become equal bytes.
///
/// Parameters that are left out count as their defaults, where those are good enough.
///
/// # Errors
/// What is wrong, with the field below `task.action`.
pub fn canonical(action: &Action) -> Result<Action, FieldViolation> {
    let Some(known) = Known::named(&action.name) else {
        if action.name == TAKE_SNAPSHOT {
            let description =
                "is ordered by agentless scans of devices, and by nothing else; create such a scan";
            return Err(FieldViolation::new("task.action.name", description));
        }
        let names = Known::names();
        let description = format!("{:?} is not an action; use one of {names}", action.name);
        return Err(FieldViolation::new("task.action.name", description));
    };
    let name = known.name();
    // An Any that carries nothing is as good as none.
    let given = action.params.as_ref().filter(|params| !params.type_url.is_empty());
    let params = match (parameters(known), given) {
        (Parameters::None, None) => None,
        (Parameters::None, Some(_)) => {
            let description = format!("must be left out: {name} takes no parameters");
            return Err(FieldViolation::new("task.action.params", description));
        }
        (Parameters::Message(message, read), params) => {
            let value = match params {
                None => [].as_slice(),
                Some(params) if params.type_url.rsplit('/').next() == Some(&message) => &params.value,
                Some(params) => {
                    let description =
                        format!("is {:?}, but {name} takes type.googleapis.com/{message}", params.type_url);
                    return Err(FieldViolation::new("task.action.params.@type", description));
                }
            };
            let wrong = |(member, description)| {
                FieldViolation::new(format!("task.action.params.{member}"), description)
            };
            Some(read(value).map_err(wrong)?)
        }
    };
    Ok(Action { name: name.to_owned(), params })
}

fn takes<M: Name>(read: fn(&[u8]) -> Result<prost_types::Any, Wrong>) -> Parameters {
    Parameters::Message(M::full_name(), read)
}

fn checked<M: Message + Name + Default>(
    bytes: &[u8],
    check: fn(&M) -> Result<(), Wrong>,
) -> Result<prost_types::Any, Wrong> {
    let message = M::decode(bytes).map_err(|_| ("value", format!("is not a {}", M::full_name())))?;
    check(&message)?;
    Ok(pack(&message))
}

fn anything<M>(_: &M) -> Result<(), Wrong> {
    Ok(())
}

fn on_demand_scan(scan: &OnDemandScan) -> Result<(), Wrong> {
    if scan.scan_profile() == Profile::Custom && scan.custom_profile_name.is_empty() {
        return Err(("customProfileName", "is empty; the scan profile Custom needs a name".to_owned()));
    }
    Ok(())
}

fn run_command(command: &RunCommand) -> Result<(), Wrong> {
    let length = command.command_line.len();
    if command.command_line.trim().is_empty() {
        return Err(("commandLine", "is empty; a command is needed".to_owned()));
    }
    if length > LONGEST_COMMAND {
        return Err(("commandLine", format!("has {length} bytes; at most {LONGEST_COMMAND} are allowed")));
    }
    if command.current_directory.len() > LONGEST_PATH {
        return Err(("currentDirectory", format!("is longer than {LONGEST_PATH} bytes")));
    }
    Ok(())
}

fn kill_process_by_pid(request: &KillProcessByPidRequest) -> Result<(), Wrong> {
    let hashes = [
        ("executableHashSha1", &request.executable_hash_sha1, 40),
        ("executableHashSha2_256", &request.executable_hash_sha2_256, 64),
    ];
    if hashes.iter().all(|(_, hash, _)| hash.is_empty()) {
        let description = "is missing; give it or executableHashSha1, so that no other process is killed";
        return Err(("executableHashSha2_256", description.to_owned()));
    }
    for (member, hash, digits) in hashes {
        let well_formed = hash.len() == digits && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hash.is_empty() && !well_formed {
            return Err((member, format!("must be {digits} hexadecimal digits")));
        }
    }
    Ok(())
}

fn apply_application_patch(request: &ApplyApplicationPatchRequest) -> Result<(), Wrong> {
    if Uuid::parse_str(&request.application_uuid).is_err() {
        return Err(("applicationUuid", "must be the uuid of a device patch".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(name: &str, params: Option<prost_types::Any>) -> Action {
        Action { name: name.to_owned(), params }
    }

    fn wrong_field(action: &Action) -> String {
        canonical(action).expect_err("refused").field
    }

    fn command(command_line: &str) -> Option<prost_types::Any> {
        Some(pack(&RunCommand { command_line: command_line.to_owned(), ..Default::default() }))
    }

    #[test]
    fn actions_without_parameters_take_none() {
        for name in [
            "StartNetworkIsolation",
            "EndNetworkIsolation",
            "StopManaging",
            "ThirdPartyAVRemove",
            "LogOffComputerUser",
        ] {
            assert_eq!(canonical(&action(name, None)), Ok(action(name, None)));
            assert_eq!(canonical(&action(name, Some(Default::default()))), Ok(action(name, None)));
            assert_eq!(wrong_field(&action(name, command("x"))), "task.action.params");
        }
    }

    #[test]
    fn left_out_parameters_count_as_their_defaults() {
        for name in ["OnDemandScan", "ShutdownComputer", "SystemUpdate", "InitiateVulnerabilityScan"] {
            assert!(canonical(&action(name, None)).expect("accepted").params.is_some(), "{name}");
        }
        assert_eq!(wrong_field(&action("RunCommand", None)), "task.action.params.commandLine");
        let kill = wrong_field(&action("KillProcessByPid", None));
        assert_eq!(kill, "task.action.params.executableHashSha2_256");
    }

    #[test]
    fn unknown_actions_and_foreign_parameters_are_refused() {
        assert_eq!(wrong_field(&action("Reboot", None)), "task.action.name");
        assert_eq!(wrong_field(&action(TAKE_SNAPSHOT, None)), "task.action.name");
        assert_eq!(wrong_field(&action("SystemUpdate", command("x"))), "task.action.params.@type");
    }

    #[test]
    fn commands_have_a_size() {
        canonical(&action("RunCommand", command(&"x".repeat(LONGEST_COMMAND)))).expect("just fits");
        let wrong = wrong_field(&action("RunCommand", command(&"x".repeat(LONGEST_COMMAND + 1))));
        assert_eq!(wrong, "task.action.params.commandLine");
    }

    #[test]
    fn processes_are_named_by_a_whole_hash() {
        let kill = |hash: &str| {
            let request = KillProcessByPidRequest {
                pid: 1,
                executable_hash_sha2_256: hash.to_owned(),
                ..Default::default()
            };
            canonical(&action("KillProcessByPid", Some(pack(&request))))
        };
        kill(&"aB".repeat(32)).expect("64 digits");
        kill(&"a".repeat(63)).expect_err("too short");
        kill(&"g".repeat(64)).expect_err("not hexadecimal");
    }
}
