use guardhouse_contract::{automation, descriptors, devices};
use prost::{Message, Name};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, Value as Field};

use super::*;

const DEVICE: &str = "0193a1b2-0000-7000-8000-000000000001";
const OTHER: &str = "0193a1b2-0000-7000-8000-000000000002";

fn bound<M: Message + Name>(method: &str, request: &M) -> (String, Value) {
    let binding = binding(method).expect("a method of the contract");
    let message = DynamicMessage::decode(binding.method.input(), request.encode_to_vec().as_slice());
    let bound = bind(&binding, &message.expect("a request of the method")).expect("bound");
    let body = bound.body.map_or(Value::Null, |body| serde_json::from_slice(&body).expect("JSON"));
    (format!("{} {}", bound.verb, bound.path_and_query), body)
}

#[test]
fn queries_hold_what_is_set() {
    let list = |request: devices::ListDevicesRequest| {
        bound("eset.connect.device_management.v1.Devices.ListDevices", &request)
    };
    assert_eq!(list(Default::default()), ("GET /v1/devices".to_owned(), Value::Null));
    let request = devices::ListDevicesRequest {
        display_names: vec!["web 1".to_owned(), "a&b=ž+".to_owned()],
        functionality_status: devices::DeviceFunctionalityStatus::AttentionRequired.into(),
        is_muted: Some(false),
        page_size: 1000,
        page_token: String::new(),
    };
    let expected = "GET /v1/devices?displayNames=web+1&displayNames=a%26b%3D%C5%BE%2B\
        &functionalityStatus=DEVICE_FUNCTIONALITY_STATUS_ATTENTION_REQUIRED&isMuted=false&pageSize=1000";
    assert_eq!(list(request), (expected.to_owned(), Value::Null));
}

#[test]
fn paths_take_their_fields_out_of_query_and_body() {
    let runs = automation::ListTaskRunsRequest {
        task_uuid: DEVICE.to_owned(),
        device_uuid: OTHER.to_owned(),
        list_only_last_runs: true,
        ..Default::default()
    };
    let (line, body) = bound("eset.connect.automation.v1.DeviceTasks.ListTaskRuns", &runs);
    assert_eq!(line, format!("GET /v1/device_tasks/{DEVICE}/runs?deviceUuid={OTHER}&listOnlyLastRuns=true"));
    assert_eq!(body, Value::Null);

    let rename = devices::RenameDeviceRequest {
        device_uuid: "a/b:c%?".to_owned(),
        display_name: "desk \"1\"".to_owned(),
    };
    let (line, body) = bound("eset.connect.device_management.v1.Devices.RenameDevice", &rename);
    assert_eq!(line, "POST /v1/devices/a%2Fb%3Ac%25%3F:rename");
    assert_eq!(body["displayName"], "desk \"1\"");
    assert_eq!(body["deviceUuid"], "");
}

#[test]
fn only_methods_with_a_binding_are_found() {
    assert!(binding("eset.connect.automation.v1.DeviceTasks.CreateTask").is_some());
    assert!(binding("guardhouse.link.v1.AgentLink.Connect").is_none());
    assert!(binding("eset.connect.automation.v1.DeviceTasks.NoSuchMethod").is_none());
}

/// For every binding: what a server reads out of the request by the contract's own rules is the message.
#[test]
fn every_binding_arrives_as_it_was_sent() {
    for binding in bindings() {
        let message = sample(&binding.method.input(), 3);
        let bound = bind(&binding, &message).expect("bound");
        let shown = |message| String::from_utf8(json::write(message).expect("JSON")).expect("UTF-8");
        assert_eq!(shown(&arrived(&binding, &bound)), shown(&message), "{}", binding.template);
    }
}

/// Reads a request back: the inverse of [`bind`], written from the side of the server.
fn arrived(binding: &Binding, bound: &Bound) -> DynamicMessage {
    assert_eq!(bound.body.is_some(), binding.has_body, "{}", binding.template);
    let (path, query) = bound.path_and_query.split_once('?').unwrap_or((&bound.path_and_query, ""));
    let input = binding.method.input();
    let mut message = match &bound.body {
        Some(body) => {
            assert_eq!(query, "", "{}", binding.template);
            json::read(input, body).expect("a document of the request")
        }
        None => DynamicMessage::new(input),
    };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let set = json::set_from_text(&mut message, &name, &[&value]);
        assert_eq!(set, Ok(json::Found::Set), "{name}={value}");
    }

    // Each `{field}` of the template stands for one segment of the path, up to a custom verb.
    let (mut template, mut path) = (binding.template.as_str(), path);
    while let Some((literal, after)) = template.split_once('{') {
        let (name, after) = after.split_once('}').expect("a closed field");
        let value = path.strip_prefix(literal).expect("the literal part of the template");
        let end = value.find(['/', ':']).unwrap_or(value.len());
        let text = percent_encoding::percent_decode_str(&value[..end]).decode_utf8().expect("UTF-8");
        json::set_from_text(&mut message, name, &[&text]).expect("a value of the field");
        (template, path) = (after, &value[end..]);
    }
    assert_eq!(path, template, "{}", binding.template);
    message
}

/// A message with a value in every field that a client may set, down to `depth` levels.
fn sample(descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields().filter(|field| !descriptors::is_read_only(field) && !field.is_map()) {
        let taken = field
            .containing_oneof()
            .is_some_and(|oneof| oneof.fields().any(|other| message.has_field(&other)));
        let Some(value) = value(&field, depth).filter(|_| !taken) else { continue };
        let value = if field.is_list() { Field::List(vec![value.clone(), value]) } else { value };
        message.set_field(&field, value);
    }
    message
}

fn value(field: &FieldDescriptor, depth: usize) -> Option<Field> {
    Some(match field.kind() {
        Kind::String => Field::String(DEVICE.to_owned()),
        Kind::Bool => Field::Bool(true),
        Kind::Uint32 | Kind::Fixed32 => Field::U32(7),
        Kind::Uint64 | Kind::Fixed64 => Field::U64(u64::MAX),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Field::I32(-7),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Field::I64(i64::MIN),
        Kind::Double => Field::F64(0.5),
        Kind::Float => Field::F32(0.5),
        Kind::Bytes => Field::Bytes(vec![0, 255, 62].into()),
        Kind::Enum(kind) => Field::EnumNumber(kind.values().last()?.number()),
        // The forms of protobuf's own messages are covered by the tests of the contract.
        Kind::Message(message) if message.package_name() == "google.protobuf" => return None,
        Kind::Message(message) if depth > 0 => Field::Message(sample(&message, depth - 1)),
        Kind::Message(_) => return None,
    })
}
