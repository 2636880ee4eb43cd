//! Checks what a method may take for granted of a text: that it is a uuid where it must be, and that it holds
//! no U+0000. JSON is checked as it is read; encoded messages are checked here, by the same rules.

use bytes::Bytes;
use guardhouse_contract::{FieldViolation, Status, descriptors, json};
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, Value};

/// Checks an encoded request of type `descriptor`.
///
/// # Errors
/// It is not such a message, a field that must be a uuid or empty is neither, or a text holds U+0000.
pub fn check(descriptor: MessageDescriptor, request: Bytes) -> Result<(), Status> {
    let message = DynamicMessage::decode(descriptor, request)
        .map_err(|error| Status::invalid("the request is not a valid message").because(error))?;
    let mut violations = Vec::new();
    check_message("", &message, &mut violations);
    if violations.is_empty() { Ok(()) } else { Err(Status::invalid_fields(violations)) }
}

fn check_message(prefix: &str, message: &DynamicMessage, violations: &mut Vec<FieldViolation>) {
    for (field, value) in message.fields() {
        let path = format!("{prefix}{}", field.json_name());
        match value {
            Value::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    check_value(format!("{path}[{index}]"), &field, value, violations);
                }
            }
            value => check_value(path, &field, value, violations),
        }
    }
}

fn check_value(path: String, field: &FieldDescriptor, value: &Value, violations: &mut Vec<FieldViolation>) {
    match value {
        Value::Message(message) => check_message(&format!("{path}."), message, violations),
        Value::String(text) if descriptors::is_uuid(field) || text.contains('\0') => {
            // The rule of the JSON reader, so that both faces judge alike and say the same.
            let mut apart = DynamicMessage::new(field.parent_message().clone());
            let wrong = json::set_from_text(&mut apart, field.json_name(), &[text]).err();
            let wrong = wrong.and_then(|wrong| wrong.into_iter().next());
            violations.extend(wrong.map(|wrong| FieldViolation::new(path, wrong.description)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{
        assets::MoveGroupRequest,
        automation::{CreateTaskRequest, DeviceTask, DeviceTaskTargets},
        policies::{AssignPolicyRequest, PolicyAssignment, PolicyTarget, policy_target::Target},
    };
    use prost::{Message, Name};

    use super::*;

    const UUID: &str = "0193a1b2-0000-7000-8000-000000000001";

    fn fields<M: Message + Name>(request: &M) -> Vec<String> {
        let descriptor = descriptors::pool().get_message_by_name(&M::full_name()).expect("of the contract");
        let status = check(descriptor, request.encode_to_vec().into());
        status.err().iter().flat_map(Status::violations).map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn marked_fields_are_uuids_or_empty() {
        let request =
            |group: &str| MoveGroupRequest { group_uuid: group.to_owned(), new_parent_uuid: String::new() };
        assert!(fields(&request(UUID)).is_empty());
        assert!(fields(&request("")).is_empty());
        assert_eq!(fields(&request("42")), ["groupUuid"]);
        assert_eq!(fields(&request(&UUID.replace('-', ""))), ["groupUuid"]);
    }

    #[test]
    fn no_text_holds_a_nul() {
        let targets =
            DeviceTaskTargets { devices_uuids: vec![UUID.to_owned(), "\0".to_owned()], ..Default::default() };
        let task =
            DeviceTask { description: "a\0b".to_owned(), targets: Some(targets), ..Default::default() };
        let request = CreateTaskRequest { task: Some(task) };
        assert_eq!(fields(&request), ["task.description", "task.targets.devicesUuids[1]"]);
    }

    #[test]
    fn nested_fields_are_named() {
        let target = PolicyTarget { target: Some(Target::DeviceUuid("x".to_owned())) };
        let assignment = PolicyAssignment { target: Some(target), ..Default::default() };
        let request = AssignPolicyRequest { assignment: Some(assignment) };
        assert_eq!(fields(&request), ["assignment.target.deviceUuid"]);
    }

    #[test]
    fn what_is_not_a_message_is_refused() {
        let descriptor =
            descriptors::pool().get_message_by_name(&MoveGroupRequest::full_name()).expect("known");
        let status = check(descriptor, Bytes::from_static(b"\xff\xff")).expect_err("no message");
        assert_eq!(status.http(), 400);
    }
}
