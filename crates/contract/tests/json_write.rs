//! What the writer emits, and what it refuses to emit.

mod support;

use std::collections::HashMap;

use guardhouse_contract::{
    Code, Status,
    automation::{Action, DeviceTask, DeviceTaskSource},
    devices::{Hardware, ImportDeviceBatchResponse, ListDevicesRequest, NetworkAdapter},
    json,
    link::RunStarted,
    rpc,
    status::pack,
};
use prost::Message as _;
use prost_reflect::DynamicMessage;
use prost_types::{Any, FieldMask, Timestamp};
use serde_json::json;
use support::descriptor;

#[test]
fn unset_scalars_lists_and_enums_are_shown_and_unset_messages_are_absent() {
    assert_eq!(
        json::to_value(&DeviceTask::default()).expect("JSON"),
        json!({
            "assetGroupUuid": "",
            "description": "",
            "displayName": "",
            "source": "DEVICE_TASK_SOURCE_UNSPECIFIED",
            "triggers": [],
            "uuid": "",
            "versionId": "0",
        })
    );
    assert_eq!(
        json::to_value(&ImportDeviceBatchResponse::default()).expect("JSON"),
        json!({"devices": [], "errors": {}})
    );
}

#[test]
fn an_unset_optional_field_is_absent_and_a_set_one_is_shown() {
    let request = ListDevicesRequest::default();
    assert!(json::to_value(&request).expect("JSON").get("isMuted").is_none());
    let request = ListDevicesRequest { is_muted: Some(false), ..request };
    assert_eq!(json::to_value(&request).expect("JSON")["isMuted"], json!(false));
}

#[test]
fn values_are_canonical_and_in_the_order_of_the_contract() {
    let task = DeviceTask {
        display_name: "a".to_owned(),
        source: DeviceTaskSource::ExternalUser.into(),
        create_time: Some(Timestamp { seconds: 1_769_860_800, nanos: 500_000_000 }),
        version_id: u64::MAX,
        ..DeviceTask::default()
    };
    let written = String::from_utf8(json::write_message(&task).expect("JSON")).expect("text");
    assert_eq!(
        written,
        r#"{"assetGroupUuid":"","description":"","displayName":"a","source":"DEVICE_TASK_SOURCE_EXTERNAL_USER","#
            .to_owned()
            + r#""triggers":[],"uuid":"","createTime":"2026-01-31T12:00:00.500Z","versionId":"18446744073709551615"}"#
    );
    assert_eq!(json::to_value(&task).expect("JSON").to_string(), written);

    let hardware = Hardware {
        salt: vec![0xfb, 0xff],
        malformed_data: Some(FieldMask { paths: vec!["mac_address".to_owned(), "a.b_c".to_owned()] }),
        ..Hardware::default()
    };
    let written = json::to_value(&hardware).expect("JSON");
    assert_eq!(written["salt"], "+/8=");
    assert_eq!(written["malformedData"], "macAddress,a.bC");
}

#[test]
fn the_details_of_an_error_are_shown_with_their_types() {
    let status = Status::invalid_field("task.displayName", "must not be empty").to_proto();
    let errors = HashMap::from([("host".to_owned(), status)]);
    let written = json::to_value(&ImportDeviceBatchResponse { devices: Vec::new(), errors }).expect("JSON");
    let error = &written["errors"]["host"];
    assert_eq!(error["code"], 3);
    assert_eq!(
        error["details"],
        json!([
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "INVALID_ARGUMENT",
                "domain": "guardhouse",
                "metadata": {},
            },
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": "task.displayName", "description": "must not be empty"}],
            },
        ])
    );
}

/// An answer with a hole in it would be worse than none.
#[test]
fn what_has_no_json_form_is_an_internal_error() {
    let any = |type_url: &str, value: &[u8]| Action {
        name: String::new(),
        params: Some(Any { type_url: type_url.to_owned(), value: value.to_vec() }),
    };
    let broken = [
        json::write_message(&any("type.googleapis.com/unknown.Type", b"")),
        json::write_message(&any("", b"")),
        json::write_message(&any("type.googleapis.com/google.type.Date", b"\xff")),
        json::write_message(&DeviceTask {
            create_time: Some(Timestamp { seconds: i64::MAX, nanos: 0 }),
            ..DeviceTask::default()
        }),
        json::write_message(&NetworkAdapter {
            malformed_data: Some(FieldMask { paths: vec!["Not_snake".to_owned()] }),
            ..NetworkAdapter::default()
        }),
    ];
    for written in broken {
        let status = written.expect_err("no JSON form");
        assert_eq!(status.code(), Code::Internal);
        assert!(status.cause().is_some_and(|cause| cause.contains("cannot write JSON")), "{status:?}");
        assert!(!status.to_string().contains("cannot write JSON"), "{status}");
    }
}

/// The deepest document that is read can be written again, and a message that a device nests beyond that
/// (each Any is decoded on its own, so no decoder stops it) does not exhaust the stack.
#[test]
fn depth_is_bounded() {
    let nest = |levels: usize| {
        let mut status = rpc::Status::default();
        for _ in 0..levels {
            status = rpc::Status { details: vec![pack(&status)], ..rpc::Status::default() };
        }
        status
    };
    let deepest = (0..).take_while(|levels| {
        let document = json::to_value(&nest(*levels));
        document.is_ok_and(|document| json::from_value::<rpc::Status>(&document).is_ok())
    });
    assert_eq!(deepest.count(), json::MAX_DEPTH);
    let status = json::write_message(&nest(1_000)).expect_err("too deep");
    assert!(status.cause().is_some_and(|cause| cause.contains("too deep")), "{status:?}");
}

#[test]
fn typed_values_make_the_round_trip_with_their_read_only_fields() {
    let started = RunStarted { run_uuid: "a".to_owned() };
    let value = json::to_value(&started).expect("JSON");
    assert_eq!(json::from_value::<RunStarted>(&value).expect("the same"), started);

    let value = json!({"isMuted": true, "displayName": "a", "tags": ["b"]});
    let device: guardhouse_contract::devices::Device = json::from_value(&value).expect("a device");
    assert!(device.is_muted);
    assert_eq!(device.tags, ["b"]);
    let request = json::read(descriptor("Device"), value.to_string().as_bytes()).expect("a device");
    let sent: guardhouse_contract::devices::Device = request.transcode_to().expect("a device");
    assert!(!sent.is_muted);

    let status = json::from_value::<RunStarted>(&json!([])).expect_err("no object");
    assert_eq!(status.message(), "the document must be an object, not a list");
    let status = json::from_value::<RunStarted>(&json!({"runUuid": 1})).expect_err("no text");
    assert_eq!(status.violations()[0].field, "runUuid");
}

#[test]
fn reading_goes_over_what_a_message_already_holds() {
    let mut message = DynamicMessage::new(descriptor("UpdateTaskTargetsRequest"));
    json::set_from_text(&mut message, "task_uuid", &["0193f0e2-0000-7000-8000-00000000abcd"])
        .expect("a uuid");
    json::read_into(&mut message, &json!({"targets": {"devicesUuids": ["a"]}})).expect("targets");
    json::read_into(&mut message, &json!({"targets": {"deviceGroupsUuids": ["b"]}})).expect("targets");
    let request =
        guardhouse_contract::automation::UpdateTaskTargetsRequest::decode(message.encode_to_vec().as_slice());
    let targets = request.expect("a request").targets.expect("targets");
    assert_eq!((targets.devices_uuids, targets.device_groups_uuids), (vec!["a".into()], vec!["b".into()]));
}

#[test]
fn integers_of_64_bits_are_texts_or_numbers() {
    // A text, because many clients would read the number as another one.
    let task = DeviceTask { version_id: 9_007_199_254_740_993, ..DeviceTask::default() };
    let bytes = task.encode_to_vec();
    let task = DynamicMessage::decode(descriptor("DeviceTask"), bytes.as_slice()).expect("decodes");
    let read = |json: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&json).expect("JSON");
    let texts = read(json::write(&task).expect("JSON"));
    let mut numbers = read(json::write_with_numbers(&task).expect("JSON"));
    assert_eq!(texts["versionId"], json!("9007199254740993"));
    assert_eq!(numbers["versionId"], json!(9_007_199_254_740_993_u64));
    numbers["versionId"] = texts["versionId"].clone();
    assert_eq!(numbers, texts, "nothing else differs");
}
