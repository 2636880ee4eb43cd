//! What the reader accepts, and as what; what it refuses, and how it says so.

mod support;

use guardhouse_contract::{Code, json};
use prost_reflect::DescriptorPool;
use serde_json::{Value, json};
use support::descriptor;

/// Message, document, a place in the canonical output, and what stands there.
const ACCEPTED: &[(&str, &str, &str, &str)] = &[
    // Names.
    ("RenameDeviceRequest", r#"{"displayName":"a"}"#, "/displayName", r#""a""#),
    ("RenameDeviceRequest", r#"{"display_name":"a"}"#, "/displayName", r#""a""#),
    ("RenameDeviceRequest", r#"{"displayname":"a","x":{"y":[1]}}"#, "/displayName", r#""""#),
    (KILL, r#"{"executableHashSha2_256":"a"}"#, "/executableHashSha2_256", r#""a""#),
    (KILL, r#"{"executable_hash_sha2_256":"a"}"#, "/executableHashSha2_256", r#""a""#),
    (KILL, r#"{"executableHashSha2256":"a"}"#, "/executableHashSha2_256", r#""a""#),
    // Null leaves a field unset, whatever its type.
    ("Device", r#"{"displayName":null}"#, "/displayName", r#""""#),
    ("Device", r#"{"operatingSystem":null}"#, "/operatingSystem", "absent"),
    ("DeviceTask", r#"{"triggers":null}"#, "/triggers", "[]"),
    ("ListDevicesRequest", r#"{"isMuted":null}"#, "/isMuted", "absent"),
    ("RenameDeviceRequest", r#"{"displayName":null,"display_name":"a"}"#, "/displayName", r#""a""#),
    // Read-only fields are ignored, even where their value is wrong.
    ("Device", r#"{"isMuted":true,"tags":"no list"}"#, "/isMuted", "false"),
    ("Policy", r#"{"uuid":7}"#, "/uuid", r#""""#),
    ("ManualTrigger", r#"{"createTime":"yesterday"}"#, "/createTime", "absent"),
    // Integers.
    ("OperatingSystem", r#"{"bitness":64}"#, "/bitness", "64"),
    ("OperatingSystem", r#"{"bitness":"64"}"#, "/bitness", "64"),
    ("OperatingSystem", r#"{"bitness":1e2}"#, "/bitness", "100"),
    ("OperatingSystem", r#"{"bitness":1.0}"#, "/bitness", "1"),
    ("OperatingSystem", r#"{"bitness":"1.5e1"}"#, "/bitness", "15"),
    ("OperatingSystem", r#"{"bitness":-0}"#, "/bitness", "0"),
    ("OperatingSystem", r#"{"bitness":4294967295}"#, "/bitness", "4294967295"),
    ("google.type.Date", r#"{"year":-2147483648}"#, "/year", "-2147483648"),
    ("DeviceTask", r#"{"versionId":"18446744073709551615"}"#, "/versionId", r#""18446744073709551615""#),
    ("DeviceTask", r#"{"versionId":18446744073709551615}"#, "/versionId", r#""18446744073709551615""#),
    (
        OPTION,
        r#"{"negativeIntValue":-9223372036854775808}"#,
        "/negativeIntValue",
        r#""-9223372036854775808""#,
    ),
    // Floating point.
    (OPTION, r#"{"doubleValue":1.5}"#, "/doubleValue", "1.5"),
    (OPTION, r#"{"doubleValue":"-1.5e3"}"#, "/doubleValue", "-1500.0"),
    (OPTION, r#"{"doubleValue":"-Infinity"}"#, "/doubleValue", r#""-Infinity""#),
    (OPTION, r#"{"doubleValue":"NaN"}"#, "/doubleValue", r#""NaN""#),
    // Booleans and enums.
    ("Device", r#"{"isMobile":true}"#, "/isMobile", "true"),
    ("Device", r#"{"deviceType":"DEVICE_TYPE_SERVER"}"#, "/deviceType", r#""DEVICE_TYPE_SERVER""#),
    ("Device", r#"{"deviceType":13}"#, "/deviceType", r#""DEVICE_TYPE_SERVER""#),
    ("Device", r#"{"deviceType":13.0}"#, "/deviceType", r#""DEVICE_TYPE_SERVER""#),
    // Bytes: both alphabets, padding or not.
    (OPTION, r#"{"stringValue":"+/8="}"#, "/stringValue", r#""+/8=""#),
    (OPTION, r#"{"stringValue":"-_8"}"#, "/stringValue", r#""+/8=""#),
    (OPTION, r#"{"stringValue":"+/8"}"#, "/stringValue", r#""+/8=""#),
    (OPTION, r#"{"stringValue":""}"#, "/stringValue", r#""""#),
    // Times.
    ("ManualTrigger", r#"{"expireTime":"2026-01-31T12:00:00Z"}"#, "/expireTime", r#""2026-01-31T12:00:00Z""#),
    ("ManualTrigger", r#"{"expireTime":"2026-01-31t12:00:00z"}"#, "/expireTime", r#""2026-01-31T12:00:00Z""#),
    (
        "ManualTrigger",
        r#"{"expireTime":"2024-10-30T10:00+02:00"}"#,
        "/expireTime",
        r#""2024-10-30T08:00:00Z""#,
    ),
    (
        "ManualTrigger",
        r#"{"expireTime":"2026-01-01T00:30:00.5+01:00"}"#,
        "/expireTime",
        r#""2025-12-31T23:30:00.500Z""#,
    ),
    (
        "ManualTrigger",
        r#"{"expireTime":"2024-02-29T23:59:59.123456789-23:59"}"#,
        "/expireTime",
        r#""2024-03-01T23:58:59.123456789Z""#,
    ),
    ("ManualTrigger", r#"{"expireTime":"0001-01-01T00:00:00Z"}"#, "/expireTime", r#""0001-01-01T00:00:00Z""#),
    (
        "ManualTrigger",
        r#"{"expireTime":"9999-12-31T23:59:59.999999999Z"}"#,
        "/expireTime",
        r#""9999-12-31T23:59:59.999999999Z""#,
    ),
    // Durations.
    (COMMAND_RESULT, r#"{"duration":"3.5s"}"#, "/duration", r#""3.500s""#),
    (COMMAND_RESULT, r#"{"duration":"-0.5s"}"#, "/duration", r#""-0.500s""#),
    (COMMAND_RESULT, r#"{"duration":"315576000000s"}"#, "/duration", r#""315576000000s""#),
    // Field masks.
    ("NetworkAdapter", r#"{"malformedData":"macAddress,a.bC"}"#, "/malformedData", r#""macAddress,a.bC""#),
    ("NetworkAdapter", r#"{"malformedData":"mac_address"}"#, "/malformedData", r#""macAddress""#),
    ("NetworkAdapter", r#"{"malformedData":""}"#, "/malformedData", r#""""#),
    // Uuids.
    ("GetDeviceRequest", r#"{"deviceUuid":""}"#, "/deviceUuid", r#""""#),
    (
        "GetDeviceRequest",
        r#"{"deviceUuid":"0193F0E2-0000-7000-8000-00000000ABCD"}"#,
        "/deviceUuid",
        r#""0193f0e2-0000-7000-8000-00000000abcd""#,
    ),
    // Lists, maps, choices.
    ("BatchGetDevicesRequest", r#"{"devicesUuids":["a","b"]}"#, "/devicesUuids", r#"["a","b"]"#),
    ("BatchGetDevicesRequest", "{}", "/devicesUuids", "[]"),
    ("FeaturePolicy", r#"{"flags":{"a.b":{"applyForcefully":true}}}"#, "/flags/a.b/applyForcefully", "true"),
    ("FeaturePolicy", "{}", "/flags", "{}"),
    (
        "PolicyTarget",
        r#"{"deviceUuid":null,"deviceGroupUuid":"0193F0E2-0000-7000-8000-00000000ABCD","subscriptionUuid":""}"#,
        "",
        r#"{"deviceGroupUuid":"0193f0e2-0000-7000-8000-00000000abcd"}"#,
    ),
    ("PolicyTarget", r#"{"deviceUuid":"","subscriptionUuid":""}"#, "", "{}"),
    // Any: its fields are read as leniently as all others.
    (
        "Action",
        r#"{"params":{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.OS.RunCommand","command_line":"id","more":1}}"#,
        "/params/commandLine",
        r#""id""#,
    ),
    (
        "Action",
        r#"{"params":{"commandLine":"id","@type":"elsewhere.example/a/Era.Common.DataDefinition.Task.OS.RunCommand"}}"#,
        "/params/@type",
        r#""type.googleapis.com/Era.Common.DataDefinition.Task.OS.RunCommand""#,
    ),
    (
        "Action",
        r#"{"params":{"@type":"Era.Common.DataDefinition.Task.OS.RunCommand"}}"#,
        "/params/currentDirectory",
        r#""""#,
    ),
    (
        "Action",
        r#"{"params":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}"#,
        "/params/value",
        r#""1s""#,
    ),
    (
        "Action",
        r#"{"params":{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"t/google.type.Date","year":1}}}"#,
        "/params/value/year",
        "1",
    ),
    ("Action", r#"{"params":null}"#, "/params", "absent"),
];

/// Message, document, path of the violation, and words of its description.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("OperatingSystem", r#"{"bitness":-1}"#, "bitness", "an integer from 0 to 4294967295, not -1"),
    ("OperatingSystem", r#"{"bitness":4294967296}"#, "bitness", "not 4294967296"),
    ("OperatingSystem", r#"{"bitness":1.5}"#, "bitness", "not 1.5"),
    ("OperatingSystem", r#"{"family_id":"x"}"#, "family_id", r#"not "x""#),
    ("OperatingSystem", r#"{"bitness":" 1"}"#, "bitness", r#"not " 1""#),
    ("OperatingSystem", r#"{"bitness":"+1"}"#, "bitness", "an integer"),
    ("OperatingSystem", r#"{"bitness":"0x1"}"#, "bitness", "an integer"),
    ("OperatingSystem", r#"{"bitness":""}"#, "bitness", "an integer"),
    ("OperatingSystem", r#"{"bitness":true}"#, "bitness", "not true"),
    (
        "OperatingSystem",
        r#"{"bitness":"99999999999999999999999999999999999999999999"}"#,
        "bitness",
        "an integer",
    ),
    ("DeviceTask", r#"{"versionId":18446744073709551616}"#, "versionId", "from 0 to 18446744073709551615"),
    ("DeviceTask", r#"{"versionId":"-1"}"#, "versionId", "from 0"),
    (OPTION, r#"{"doubleValue":"1."}"#, "doubleValue", "a number"),
    (OPTION, r#"{"doubleValue":"1e999"}"#, "doubleValue", "a number"),
    ("Device", r#"{"isMobile":"true"}"#, "isMobile", r#"true or false, not "true""#),
    ("Device", r#"{"isMobile":1}"#, "isMobile", "true or false, not 1"),
    ("Device", r#"{"displayName":5}"#, "displayName", "a string, not 5"),
    ("Device", r#"{"displayName":["a"]}"#, "displayName", "a string, not a list"),
    ("Device", r#"{"displayName":"a\u0000b"}"#, "displayName", "U+0000"),
    ("Device", r#"{"deviceType":"SERVER"}"#, "deviceType", "the 15 names of DeviceType"),
    ("Device", r#"{"deviceType":99}"#, "deviceType", "not 99"),
    ("Device", r#"{"deviceType":"13"}"#, "deviceType", r#"not "13""#),
    (
        "Device",
        r#"{"enrollmentStatus":"X"}"#,
        "enrollmentStatus",
        "DEVICE_ENROLLMENT_STATUS_UNSPECIFIED, DEVICE_ENROLLMENT_STATUS_PENDING, ",
    ),
    (OPTION, r#"{"stringValue":"a"}"#, "stringValue", "base64"),
    (OPTION, r#"{"stringValue":"+_8="}"#, "stringValue", "base64"),
    (OPTION, r#"{"stringValue":7}"#, "stringValue", "base64"),
    ("ManualTrigger", r#"{"expireTime":"2026-01-31T12:00:00"}"#, "expireTime", "RFC 3339"),
    ("ManualTrigger", r#"{"expireTime":"2026-02-29T12:00:00Z"}"#, "expireTime", "RFC 3339"),
    ("ManualTrigger", r#"{"expireTime":"2026-01-31T24:00:00Z"}"#, "expireTime", "RFC 3339"),
    ("ManualTrigger", r#"{"expireTime":"2026-01-31T12:00:60Z"}"#, "expireTime", "RFC 3339"),
    ("ManualTrigger", r#"{"expireTime":"2026-01-31T12:00.5Z"}"#, "expireTime", "RFC 3339"),
    ("ManualTrigger", r#"{"expireTime":"2026-01-31T12:00:00.Z"}"#, "expireTime", "RFC 3339"),
    ("ManualTrigger", r#"{"expireTime":"2026-01-31T12:00:00+24:00"}"#, "expireTime", "RFC 3339"),
    ("ManualTrigger", r#"{"expireTime":"2026-1-31T12:00:00Z"}"#, "expireTime", "RFC 3339"),
    ("ManualTrigger", r#"{"expireTime":"2026-01-31 12:00:00Z"}"#, "expireTime", "RFC 3339"),
    ("ManualTrigger", r#"{"expireTime":"0000-12-31T12:00:00Z"}"#, "expireTime", "years 0001 to 9999"),
    ("ManualTrigger", r#"{"expireTime":"9999-12-31T23:59:59-01:00"}"#, "expireTime", "years 0001 to 9999"),
    ("ManualTrigger", r#"{"expireTime":1769860800}"#, "expireTime", "not 1769860800"),
    (COMMAND_RESULT, r#"{"duration":"3.5"}"#, "duration", "suffix s"),
    (COMMAND_RESULT, r#"{"duration":"+1s"}"#, "duration", "suffix s"),
    (COMMAND_RESULT, r#"{"duration":"315576000000.1s"}"#, "duration", "315576000000"),
    (COMMAND_RESULT, r#"{"duration":"1.0000000001s"}"#, "duration", "suffix s"),
    ("NetworkAdapter", r#"{"malformedData":"a,,b"}"#, "malformedData", "field paths"),
    ("NetworkAdapter", r#"{"malformedData":"a_3"}"#, "malformedData", "field paths"),
    ("NetworkAdapter", r#"{"malformedData":"a__b"}"#, "malformedData", "field paths"),
    ("NetworkAdapter", r#"{"malformedData":"a b"}"#, "malformedData", "field paths"),
    ("GetDeviceRequest", r#"{"device_uuid":"x"}"#, "device_uuid", r#"a uuid such as"#),
    ("GetDeviceRequest", r#"{"deviceUuid":"0193f0e20000700080000000000000ab"}"#, "deviceUuid", "a uuid"),
    ("BatchGetDevicesRequest", r#"{"devicesUuids":"a"}"#, "devicesUuids", r#"a list, not "a""#),
    ("BatchGetDevicesRequest", r#"{"devicesUuids":["a",null]}"#, "devicesUuids[1]", "not null"),
    (
        "CreateTaskRequest",
        r#"{"task":{"targets":{"devicesUuids":["a",2]}}}"#,
        "task.targets.devicesUuids[1]",
        "a string",
    ),
    (
        "CreateTaskRequest",
        r#"{"task":{"triggers":[{"manual":{"expire_time":"x"}}]}}"#,
        "task.triggers[0].manual.expire_time",
        "RFC 3339",
    ),
    ("CreateTaskRequest", r#"{"task":{"triggers":[null]}}"#, "task.triggers[0]", "an object, not null"),
    ("CreateTaskRequest", r#"{"task":[]}"#, "task", "an object, not a list"),
    ("FeaturePolicy", r#"{"flags":[]}"#, "flags", "an object, not a list"),
    ("FeaturePolicy", r#"{"flags":{"a":{"readOnly":1}}}"#, r#"flags["a"].readOnly"#, "true or false"),
    ("FeaturePolicy", r#"{"flags":{"a":null}}"#, r#"flags["a"]"#, "an object"),
    ("FeaturePolicy", r#"{"flags":{"a\u0000":{}}}"#, r#"flags["a\0"]"#, "U+0000"),
    (
        "RenameDeviceRequest",
        r#"{"displayName":"a","display_name":"a"}"#,
        "display_name",
        "given twice, also as displayName",
    ),
    (
        "PolicyTarget",
        r#"{"deviceUuid":"0193f0e2-0000-7000-8000-00000000abcd","device_group_uuid":"0193f0e2-0000-7000-8000-00000000abcd"}"#,
        "device_group_uuid",
        "together with deviceUuid",
    ),
    ("Action", r#"{"params":{"restart":true}}"#, "params.@type", "is missing"),
    ("Action", r#"{"params":{"@type":1}}"#, "params.@type", "not 1"),
    (
        "Action",
        r#"{"params":{"@type":"type.googleapis.com/a.B"}}"#,
        "params.@type",
        r#""type.googleapis.com/a.B""#,
    ),
    ("Action", r#"{"params":"x"}"#, "params", "an object"),
    ("Action", r#"{"params":{"@type":"t/google.type.Date","year":"x"}}"#, "params.year", "an integer"),
    ("Action", r#"{"params":{"@type":"t/google.protobuf.Duration"}}"#, "params.value", "is missing"),
    ("Action", r#"{"params":{"@type":"t/google.protobuf.Duration","value":1}}"#, "params.value", "suffix s"),
];

const KILL: &str = "eset.dotnod.os_integration.v1.KillProcessByPidRequest";
const COMMAND_RESULT: &str = "guardhouse.action.v1.RunCommandResult";
/// A message of protobuf itself, which has the types that the contract does not use.
const OPTION: &str = "google.protobuf.UninterpretedOption";

#[test]
fn accepted_documents() {
    for (message, document, place, expected) in ACCEPTED {
        let message = json::read(descriptor(message), document.as_bytes())
            .unwrap_or_else(|status| panic!("{message} {document}: {status}"));
        let written = json::write(&message).unwrap_or_else(|status| panic!("{document}: {status:?}"));
        let written: Value = serde_json::from_slice(&written).expect("JSON");
        let expected = (*expected != "absent").then(|| serde_json::from_str(expected).expect("JSON"));
        assert_eq!(written.pointer(place), expected.as_ref(), "{document}: {written}");
    }
}

#[test]
fn refused_documents() {
    for (message, document, path, words) in REFUSED {
        let status = json::read(descriptor(message), document.as_bytes()).expect_err(document);
        assert_eq!(status.code(), Code::InvalidArgument, "{document}");
        let [violation] = status.violations() else { panic!("{document}: {:?}", status.violations()) };
        assert_eq!(violation.field, *path, "{document}");
        assert!(violation.description.contains(words), "{document}: {}", violation.description);
    }
}

#[test]
fn what_is_no_json_object_is_refused_as_a_whole() {
    for (body, words) in [
        ("", "the body is empty"),
        (" \r\n", "the body is empty"),
        ("{", "at line 1 column 1"),
        ("{\n\"task\": tru}", "at line 2 column"),
        ("{} {}", "trailing characters"),
        ("[]", "the document must be an object, not a list"),
        ("null", "not null"),
        (r#""{}""#, "not \"{}\""),
        (&format!(r#"{{"x":{}"#, "[".repeat(100_000)), "recursion limit"),
    ] {
        let status = json::read(descriptor("CreateTaskRequest"), body.as_bytes()).expect_err("no object");
        assert!(status.message().contains(words), "{status}");
        assert!(status.violations().is_empty());
    }
    assert!(json::read(descriptor("CreateTaskRequest"), b"{\"a\":\"\xff\"}").is_err());
}

#[test]
fn every_violation_is_reported_up_to_a_limit() {
    let document = json!({"displayName": 1, "isMobile": 2, "operatingSystem": {"bitness": -1, "version": 4}});
    let status = json::read(descriptor("Device"), document.to_string().as_bytes()).expect_err("violations");
    let fields: Vec<_> = status.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["displayName", "isMobile", "operatingSystem.bitness", "operatingSystem.version"]);

    let document = json!({"devicesUuids": vec![0; 100]});
    let status = json::read(descriptor("BatchGetDevicesRequest"), document.to_string().as_bytes());
    assert_eq!(status.expect_err("violations").violations().len(), json::MAX_VIOLATIONS);
}

#[test]
fn descriptions_stay_short() {
    let document = json!({"device_uuid": "é".repeat(10_000)});
    let status = json::read(descriptor("GetDeviceRequest"), document.to_string().as_bytes());
    let status = status.expect_err("no uuid");
    assert!(status.violations()[0].description.len() < 300, "{status}");
}

#[test]
fn lists_maps_and_depth_are_bounded() {
    let uuids = |count: usize| json!({"devicesUuids": vec![""; count]}).to_string();
    let batch = || descriptor("BatchGetDevicesRequest");
    json::read(batch(), uuids(json::MAX_LIST).as_bytes()).expect("as many as allowed");
    let status = json::read(batch(), uuids(json::MAX_LIST + 1).as_bytes()).expect_err("one too many");
    assert_eq!(status.violations()[0].description, "has 10001 elements; at most 10000 are allowed");

    let flags: serde_json::Map<_, _> =
        (0..=json::MAX_LIST).map(|index| (index.to_string(), json!({}))).collect();
    let status = json::read(descriptor("FeaturePolicy"), json!({"flags": flags}).to_string().as_bytes());
    assert_eq!(status.expect_err("too many").violations()[0].field, "flags");

    let nested = |levels: usize| {
        (0..levels).fold(
            json!({"@type": "t/google.type.Date", "day": 1}),
            |inner, _| json!({"@type": "t/google.protobuf.Any", "value": inner}),
        )
    };
    // The document and the innermost Any and its payload's fields are levels too.
    let read = |levels| {
        let document = json!({"params": nested(levels)}).to_string();
        json::read(descriptor("Action"), document.as_bytes())
    };
    let deepest = (0..100).take_while(|levels| read(*levels).is_ok()).count();
    assert_eq!(deepest, json::MAX_DEPTH - 1);
    let status = read(deepest).expect_err("too deep");
    assert!(status.violations()[0].description.contains("at most 64 levels"), "{status}");
}

/// The contract has none of these, but the reader must not fail over them.
#[test]
fn messages_that_stand_for_any_json_are_read() {
    let read = |name: &str, document: Value| {
        let pool = DescriptorPool::global();
        let descriptor = pool.get_message_by_name(name).expect("a message of protobuf");
        let mut message = prost_reflect::DynamicMessage::new(descriptor);
        json::read_into(&mut message, &document).map(|()| message)
    };
    for (name, document) in [
        ("google.protobuf.Struct", json!({"a": [1.5, null, {"b": "c"}]})),
        ("google.protobuf.Value", json!(null)),
        ("google.protobuf.ListValue", json!([true, "x"])),
        ("google.protobuf.StringValue", json!("x")),
        ("google.protobuf.UInt64Value", json!("7")),
        ("google.protobuf.Empty", json!({})),
    ] {
        let message = read(name, document.clone()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let written = json::write(&message).expect(name);
        assert_eq!(serde_json::from_slice::<Value>(&written).expect("JSON"), document, "{name}");
    }
    read("google.protobuf.StringValue", json!(1)).expect_err("a number");
    read("google.protobuf.StringValue", json!("\0")).expect_err("U+0000");
    let deep = (0..json::MAX_DEPTH).fold(json!(1), |inner, _| json!([inner]));
    read("google.protobuf.Value", deep).expect_err("too deep");
}
