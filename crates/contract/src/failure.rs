//! Why a run failed, found in its result whatever the action was.

use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use prost_types::Any;

use crate::{action::ActionFailure, descriptors};

/// The failure in a result: an [`ActionFailure`] itself, or the member `failure` of another message of the contract.
/// `None` where there is none, and for what is not a message of the contract.
#[must_use]
pub fn of_result(result: &Any) -> Option<ActionFailure> {
    let (_, name) = result.type_url.rsplit_once('/')?;
    let message = descriptors::pool().get_message_by_name(name)?;
    if name == <ActionFailure as prost::Name>::full_name() {
        return ActionFailure::decode(result.value.as_slice()).ok();
    }
    let field = message.get_field_by_name("failure")?;
    let result = DynamicMessage::decode(message, result.value.as_slice()).ok()?;
    if !result.has_field(&field) {
        return None;
    }
    let Value::Message(failure) = result.get_field(&field).into_owned() else { return None };
    failure.transcode_to().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        action::{KillProcessByPidResult, RunCommandResult},
        status::pack,
    };

    #[test]
    fn a_failure_is_found_alone_and_in_the_result_of_an_action() {
        let failure = ActionFailure { code: "TIMED_OUT".to_owned(), reason: "it took too long".to_owned() };
        let result =
            RunCommandResult { exit_code: 137, failure: Some(failure.clone()), ..Default::default() };
        assert_eq!(of_result(&pack(&failure)), Some(failure.clone()));
        assert_eq!(of_result(&pack(&result)), Some(failure));
        let none = [
            pack(&RunCommandResult::default()),
            pack(&KillProcessByPidResult::default()),
            Any { type_url: "type.googleapis.com/unknown.Type".to_owned(), value: vec![] },
            Any { type_url: "nothing".to_owned(), value: vec![] },
            Any { value: vec![0xff], ..pack(&result) },
        ];
        for result in none {
            assert_eq!(of_result(&result), None, "{result:?}");
        }
    }
}
