//! Fields set from the texts of a path or a query.

mod support;

use guardhouse_contract::json::{self, Found};
use prost_reflect::DynamicMessage;
use serde_json::Value;
use support::descriptor;

/// Message, path, values, a place in the canonical output, and what stands there.
const SET: &[(&str, &str, &[&str], &str, &str)] = &[
    ("ListDevicesRequest", "pageToken", &["a"], "/pageToken", r#""a""#),
    ("ListDevicesRequest", "page_token", &["a", "b"], "/pageToken", r#""b""#),
    ("ListDevicesRequest", "pageToken", &[""], "/pageToken", r#""""#),
    ("ListDevicesRequest", "pageSize", &["10"], "/pageSize", "10"),
    ("ListDevicesRequest", "pageSize", &["010"], "/pageSize", "10"),
    ("ListDevicesRequest", "pageSize", &[""], "/pageSize", "0"),
    ("ListDevicesRequest", "page_size", &["4294967296"], "/pageSize", "4294967295"),
    (
        "ListDevicesRequest",
        "pageSize",
        &["99999999999999999999999999999999999999999"],
        "/pageSize",
        "4294967295",
    ),
    ("ListDevicesRequest", "isMuted", &["true"], "/isMuted", "true"),
    ("ListDevicesRequest", "isMuted", &["True"], "/isMuted", "true"),
    ("ListDevicesRequest", "isMuted", &["0"], "/isMuted", "false"),
    ("ListDevicesRequest", "isMuted", &[""], "/isMuted", "absent"),
    ("ListDevicesRequest", "isMuted", &["1", "false"], "/isMuted", "false"),
    ("ListDevicesRequest", "isMuted", &[], "/isMuted", "absent"),
    ("ListDevicesRequest", "displayNames", &["a", "", "a,b"], "/displayNames", r#"["a","","a,b"]"#),
    ("ListDevicesRequest", "display_names", &[], "/displayNames", "[]"),
    (
        "ListDevicesRequest",
        "functionalityStatus",
        &["DEVICE_FUNCTIONALITY_STATUS_OK"],
        "/functionalityStatus",
        r#""DEVICE_FUNCTIONALITY_STATUS_OK""#,
    ),
    (
        "ListDevicesRequest",
        "functionality_status",
        &["1"],
        "/functionalityStatus",
        r#""DEVICE_FUNCTIONALITY_STATUS_OK""#,
    ),
    (
        "ListPolicyAssignmentsRequest",
        "target.deviceUuid",
        &["0193F0E2-0000-7000-8000-00000000ABCD"],
        "/target/deviceUuid",
        r#""0193f0e2-0000-7000-8000-00000000abcd""#,
    ),
    ("ListPolicyAssignmentsRequest", "target.device_uuid", &[""], "/target", "absent"),
    ("ManualTrigger", "expireTime", &["2024-10-30T10:00+02:00"], "/expireTime", r#""2024-10-30T08:00:00Z""#),
    ("ManualTrigger", "expireTime", &[""], "/expireTime", "absent"),
    ("NetworkAdapter", "malformedData", &["macAddress"], "/malformedData", r#""macAddress""#),
    ("guardhouse.action.v1.RunCommandResult", "duration", &["1s"], "/duration", r#""1s""#),
    ("DeviceTask", "versionId", &["18446744073709551615"], "/versionId", r#""18446744073709551615""#),
];

/// Message and paths that name nothing a text can set.
const UNKNOWN: &[(&str, &str)] = &[
    ("ListDevicesRequest", ""),
    ("ListDevicesRequest", "."),
    ("ListDevicesRequest", "nothing"),
    ("ListDevicesRequest", "pageSize.x"),
    ("ListDevicesRequest", "displayNames.x"),
    ("ListPolicyAssignmentsRequest", "target"),
    ("ListPolicyAssignmentsRequest", "target."),
    ("ListPolicyAssignmentsRequest", "target.nothing"),
    ("CreateTaskRequest", "task.triggers.manual"),
    ("CreateTaskRequest", "task.action.params"),
    ("CreateTaskRequest", "task.action.params.typeUrl"),
    ("FeaturePolicy", "flags"),
    ("Device", "isMuted"),
    ("ManualTrigger", "expireTime.seconds"),
];

/// Message, path, values, path of the violation, and words of its description.
const REFUSED: &[(&str, &str, &[&str], &str, &str)] = &[
    ("ListDevicesRequest", "pageSize", &["-1"], "pageSize", r#"from 0 to 4294967295, not "-1""#),
    ("ListDevicesRequest", "page_size", &["ten"], "page_size", "an integer"),
    ("ListDevicesRequest", "pageSize", &["1e99"], "pageSize", "an integer"),
    ("ListDevicesRequest", "isMuted", &["yes"], "isMuted", "true or false"),
    (
        "ListDevicesRequest",
        "functionalityStatus",
        &["OK"],
        "functionalityStatus",
        "DEVICE_FUNCTIONALITY_STATUS_OK",
    ),
    ("ListDevicesRequest", "functionalityStatus", &["4"], "functionalityStatus", "must be one of"),
    ("ListDevicesRequest", "displayNames", &["a", "\0"], "displayNames[1]", "U+0000"),
    ("GetDeviceRequest", "deviceUuid", &["x"], "deviceUuid", "a uuid"),
    ("ListPolicyAssignmentsRequest", "target.device_uuid", &["x"], "target.device_uuid", "a uuid"),
    ("ManualTrigger", "expireTime", &["today"], "expireTime", "RFC 3339"),
    ("Version", "id", &["18446744073709551616"], "id", "18446744073709551615"),
];

fn written(message: &DynamicMessage) -> Value {
    serde_json::from_slice(&json::write(message).expect("canonical JSON")).expect("JSON")
}

#[test]
fn texts_set_fields() {
    for (message, path, values, place, expected) in SET {
        let mut message = DynamicMessage::new(descriptor(message));
        assert_eq!(json::set_from_text(&mut message, path, values), Ok(Found::Set), "{path}");
        let expected = (*expected != "absent").then(|| serde_json::from_str(expected).expect("JSON"));
        assert_eq!(written(&message).pointer(place), expected.as_ref(), "{path} {values:?}");
    }
}

#[test]
fn unknown_paths_change_nothing() {
    for (message, path) in UNKNOWN {
        let mut message = DynamicMessage::new(descriptor(message));
        assert_eq!(json::set_from_text(&mut message, path, &["1"]), Ok(Found::Unknown), "{path}");
        assert_eq!(message.fields().count(), 0, "{path}");
    }
}

#[test]
fn wrong_texts_are_violations() {
    for (message, path, values, field, words) in REFUSED {
        let mut message = DynamicMessage::new(descriptor(message));
        let violations = json::set_from_text(&mut message, path, values).expect_err(path);
        assert_eq!(violations.len(), 1, "{violations:?}");
        assert_eq!(violations[0].field, *field);
        assert!(violations[0].description.contains(words), "{violations:?}");
    }
}

#[test]
fn both_spellings_of_a_list_add_up() {
    let mut message = DynamicMessage::new(descriptor("BatchGetDevicesRequest"));
    json::set_from_text(&mut message, "devicesUuids", &["a"]).expect("a list");
    json::set_from_text(&mut message, "devices_uuids", &["b"]).expect("a list");
    assert_eq!(written(&message)["devicesUuids"], serde_json::json!(["a", "b"]));

    let many = vec!["a"; json::MAX_LIST - 1];
    let violations = json::set_from_text(&mut message, "devicesUuids", &many).expect_err("one too many");
    assert!(violations[0].description.contains("at most 10000"), "{violations:?}");
}

#[test]
fn one_member_of_a_choice_is_allowed() {
    let mut message = DynamicMessage::new(descriptor("ListPolicyAssignmentsRequest"));
    let uuid = "0193f0e2-0000-7000-8000-00000000abcd";
    json::set_from_text(&mut message, "target.deviceUuid", &[uuid]).expect("the first");
    json::set_from_text(&mut message, "target.device_uuid", &[uuid]).expect("the same again");
    json::set_from_text(&mut message, "target.deviceGroupUuid", &[""]).expect("an empty text sets nothing");
    let violations =
        json::set_from_text(&mut message, "target.deviceGroupUuid", &[uuid]).expect_err("the second");
    assert_eq!(violations[0].field, "target.deviceGroupUuid");
    assert!(violations[0].description.contains("together with deviceUuid"), "{violations:?}");
    assert_eq!(written(&message)["target"], serde_json::json!({"deviceUuid": uuid}));
}
