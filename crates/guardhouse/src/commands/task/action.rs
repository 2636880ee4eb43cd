//! Actions as they are typed.

use anyhow::{Context as _, bail};
use guardhouse_contract::{
    automation::Action,
    descriptors, json,
    pb::{
        era::common::data_definition::task::{
            ess::OnDemandScan,
            os::{RunCommand, ShutdownComputer, SystemUpdate},
        },
        eset::dotnod::{
            os_integration::v1::KillProcessByPidRequest, patch_management::v1::ApplyApplicationPatchRequest,
            vulnerability_management::v1::ScanRequest,
        },
    },
};
use prost::Name as _;
use prost_reflect::{Kind, MessageDescriptor};
use prost_types::Any;
use serde_json::{Map, Value};

/// The member of a JSON object that names its message (protobuf's JSON form of `Any`).
const TYPE: &str = "@type";

/// Makes an action of its name and its parameters, a JSON object. The message of a known action need not be
/// named. A misspelt member is an error here, although the server would ignore it: a person who mistypes
/// `restart` does not want the machine switched off.
///
/// # Errors
/// The parameters are no object, do not fit their message, or that message is not known.
pub fn action(name: &str, params: Option<Value>) -> anyhow::Result<Action> {
    let params = params.map(|params| any(name, params)).transpose()?;
    Ok(Action { name: name.to_owned(), params })
}

fn any(action: &str, params: Value) -> anyhow::Result<Any> {
    let Value::Object(mut members) = params else {
        bail!("the parameters of {action} must be a JSON object")
    };
    if let (None, Some(message)) = (members.get(TYPE), message_of(action)) {
        members.insert(TYPE.to_owned(), format!("type.googleapis.com/{message}").into());
    }
    let message = members.get(TYPE).and_then(Value::as_str).and_then(|url| url.rsplit('/').next());
    let descriptor = message.and_then(|message| descriptors::pool().get_message_by_name(message));
    if let Some(descriptor) = &descriptor {
        check_names(descriptor, &members, "")?;
    }
    let any = json::from_value(&Value::Object(members));
    any.with_context(|| format!("the parameters of {action} are wrong"))
}

/// The message that carries the parameters of an action.
fn message_of(action: &str) -> Option<String> {
    Some(match action {
        "OnDemandScan" => OnDemandScan::full_name(),
        "ShutdownComputer" => ShutdownComputer::full_name(),
        "SystemUpdate" => SystemUpdate::full_name(),
        "RunCommand" => RunCommand::full_name(),
        "KillProcessByPid" => KillProcessByPidRequest::full_name(),
        "InitiateVulnerabilityScan" => ScanRequest::full_name(),
        "ApplyApplicationPatch" => ApplyApplicationPatchRequest::full_name(),
        _ => return None,
    })
}

fn check_names(message: &MessageDescriptor, members: &Map<String, Value>, path: &str) -> anyhow::Result<()> {
    for (name, value) in members.iter().filter(|(name, _)| *name != TYPE) {
        let Some(field) = descriptors::field(message, name) else {
            let known = message.fields().map(|field| field.json_name().to_owned()).collect::<Vec<_>>();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            bail!("{} has no member {path}{name}; it has: {known}", message.name());
        };
        if let (Kind::Message(child), Value::Object(members)) = (field.kind(), value)
            && child.package_name() != "google.protobuf"
        {
            check_names(&child, members, &format!("{path}{name}."))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{pb::era::common::data_definition::task::os::PowerActions, status::pack};
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_find_their_message() {
        let restart = ShutdownComputer {
            restart: true,
            actions: Some(PowerActions { cancel_action: true, ..Default::default() }),
        };
        for params in [
            json!({"restart": true, "actions": {"cancelAction": true}}),
            json!({"restart": true, "actions": {"cancel_action": true},
                "@type": "type.googleapis.com/Era.Common.DataDefinition.Task.OS.ShutdownComputer"}),
        ] {
            let expected = Action { name: "ShutdownComputer".to_owned(), params: Some(pack(&restart)) };
            assert_eq!(action("ShutdownComputer", Some(params)).expect("valid"), expected);
        }
        assert_eq!(action("StopManaging", None).expect("valid").params, None);
    }

    #[test]
    fn every_action_of_the_server_is_known_or_takes_nothing() {
        let without = [
            "StartNetworkIsolation",
            "EndNetworkIsolation",
            "StopManaging",
            "ThirdPartyAVRemove",
            "LogOffComputerUser",
        ];
        for name in guardhouse_model::Action::ALL.map(guardhouse_model::Action::name) {
            assert_eq!(message_of(name).is_none(), without.contains(&name), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_with_parameters_is_said() {
        for (name, params, said) in [
            ("ShutdownComputer", json!({"restrat": true}), "has no member restrat; it has: restart, actions"),
            ("ShutdownComputer", json!({"actions": {"x": 1}}), "has no member actions.x"),
            ("ShutdownComputer", json!({"restart": "perhaps"}), "restart"),
            ("ShutdownComputer", json!([]), "must be a JSON object"),
            ("StopManaging", json!({"a": 1}), "@type"),
            ("InitiateVulnerabilityScan", json!({"a": 1}), "it has: none"),
            ("ShutdownComputer", json!({"@type": "type.googleapis.com/No.Such"}), "No.Such"),
        ] {
            let error = format!("{:#}", action(name, Some(params)).expect_err("refused"));
            assert!(error.contains(said), "{name}: {error}");
        }
    }
}
