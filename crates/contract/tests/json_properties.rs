//! Properties of the JSON reader and writer: what is written is read back, and no input makes them fail.

mod support;

use guardhouse_contract::{automation::DeviceTask, descriptors, devices::Device, json};
use proptest::{collection::vec, option, prelude::*};
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value};
use support::descriptor;

/// Any message of a type, with any of its fields set.
fn message(descriptor: MessageDescriptor) -> BoxedStrategy<DynamicMessage> {
    let from = |message: fn(i64, i32) -> Vec<u8>, descriptor: MessageDescriptor| {
        (0..253_402_300_800i64, 0..1_000_000_000i32).prop_map(move |(seconds, nanos)| {
            let encoded = message(seconds, nanos);
            DynamicMessage::decode(descriptor.clone(), encoded.as_slice()).expect("the same message")
        })
    };
    match descriptor.full_name() {
        "google.protobuf.Timestamp" => {
            from(|seconds, nanos| prost_types::Timestamp { seconds, nanos }.encode_to_vec(), descriptor)
                .boxed()
        }
        "google.protobuf.FieldMask" => vec("[a-z]{1,4}(_[a-z]{1,3})?(\\.[a-z]{1,3})?", 0..3)
            .prop_map(move |paths| {
                let mut message = DynamicMessage::new(descriptor.clone());
                message.transcode_from(&prost_types::FieldMask { paths }).expect("a FieldMask");
                message
            })
            .boxed(),
        "google.protobuf.Any" => {
            let names = vec!["ShutdownComputer", "RunCommand", "SystemUpdate"];
            let payload = proptest::sample::select(names).prop_flat_map(|name| {
                message(self::descriptor(&format!("Era.Common.DataDefinition.Task.OS.{name}")))
            });
            payload
                .prop_map(move |payload| {
                    let type_url = format!("type.googleapis.com/{}", payload.descriptor().full_name());
                    let mut message = DynamicMessage::new(descriptor.clone());
                    let any = prost_types::Any { type_url, value: payload.encode_to_vec() };
                    message.transcode_from(&any).expect("an Any");
                    message
                })
                .boxed()
        }
        _ => {
            let fields: Vec<_> = descriptor
                .fields()
                .map(|field| option::of(value(&field)).prop_map(move |value| (field.clone(), value)))
                .collect();
            fields
                .prop_map(move |fields| {
                    let mut message = DynamicMessage::new(descriptor.clone());
                    for (field, value) in fields {
                        if let Some(value) = value {
                            message.set_field(&field, value);
                        }
                    }
                    message
                })
                .boxed()
        }
    }
}

fn value(field: &FieldDescriptor) -> BoxedStrategy<Value> {
    assert!(!field.is_map(), "the messages of these tests have no maps");
    let single = match field.kind() {
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Int32 => any::<i32>().prop_map(Value::I32).boxed(),
        Kind::Uint32 => any::<u32>().prop_map(Value::U32).boxed(),
        Kind::Uint64 => any::<u64>().prop_map(Value::U64).boxed(),
        Kind::String => "[^\\x00]{0,8}".prop_map(Value::String).boxed(),
        Kind::Bytes => vec(any::<u8>(), 0..8).prop_map(|bytes| Value::Bytes(bytes.into())).boxed(),
        Kind::Enum(descriptor) => {
            let numbers: Vec<_> = descriptor.values().map(|value| value.number()).collect();
            proptest::sample::select(numbers).prop_map(Value::EnumNumber).boxed()
        }
        Kind::Message(descriptor) => message(descriptor).prop_map(Value::Message).boxed(),
        kind => unreachable!("{kind:?} is not used by the messages of these tests"),
    };
    if field.is_list() { vec(single, 0..3).prop_map(Value::List).boxed() } else { single }
}

/// Any JSON, with names and texts that the reader knows among those it does not.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let texts = prop_oneof![
        ".{0,6}",
        Just("type.googleapis.com/google.protobuf.Any".to_owned()),
        Just("t/google.protobuf.Duration".to_owned()),
        Just("t/Era.Common.DataDefinition.Task.OS.RunCommand".to_owned()),
        Just("2026-01-31T12:00:00Z".to_owned()),
        "[0-9+:.TZe-]{0,12}",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        texts.prop_map(Into::into),
    ];
    let names = proptest::sample::select(vec![
        "@type",
        "value",
        "task",
        "action",
        "params",
        "targets",
        "devicesUuids",
        "triggers",
        "manual",
        "expire_time",
        "versionId",
        "source",
        "command_line",
        "details",
        "x",
    ]);
    leaf.prop_recursive(8, 64, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            vec((names.clone(), inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

fn round_trip<M: Message + Name + Default>(message: &DynamicMessage) -> M {
    let value = serde_json::from_slice(&json::write(message).expect("canonical JSON")).expect("JSON");
    json::from_value(&value).expect("what was written can be read")
}

/// What is left of a message when its read-only fields are taken away.
fn as_sent(message: &mut DynamicMessage) {
    let read_only: Vec<_> = message.descriptor().fields().filter(descriptors::is_read_only).collect();
    read_only.iter().for_each(|field| message.clear_field(field));
    for (_, value) in message.fields_mut() {
        let list = match value {
            Value::Message(_) => std::slice::from_mut(value),
            Value::List(values) => values.as_mut_slice(),
            _ => continue,
        };
        list.iter_mut().filter_map(Value::as_message_mut).for_each(as_sent);
    }
}

/// Times are data of devices and tasks alike, and so are their `Any`s.
fn any_message() -> impl Strategy<Value = DynamicMessage> {
    prop_oneof![message(descriptor("Device")), message(descriptor("DeviceTask"))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_device_makes_the_round_trip(device in message(descriptor("Device"))) {
        prop_assert_eq!(round_trip::<Device>(&device), device.transcode_to::<Device>().expect("a device"));
    }

    #[test]
    fn a_task_makes_the_round_trip(task in message(descriptor("DeviceTask"))) {
        prop_assert_eq!(round_trip::<DeviceTask>(&task), task.transcode_to::<DeviceTask>().expect("a task"));
    }

    #[test]
    fn a_request_keeps_everything_but_read_only_fields(mut message in any_message()) {
        let written = json::write(&message).expect("canonical JSON");
        let read = json::read(message.descriptor(), &written).expect("what was written can be read");
        as_sent(&mut message);
        prop_assert_eq!(read.encode_to_vec(), message.encode_to_vec(), "{}", String::from_utf8_lossy(&written));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Also a fuzz target: any bytes have an answer, and whatever is read can be written.
    #[test]
    fn any_bytes_have_an_answer(bytes in vec(any::<u8>(), 0..64), text in "[\\[\\]{}\",:a-z0-9 ]{0,64}") {
        let _ = json::read(descriptor("CreateTaskRequest"), &bytes);
        let _ = json::read(descriptor("CreateTaskRequest"), text.as_bytes());
    }

    #[test]
    fn any_json_has_an_answer(document in any_json()) {
        for name in ["CreateTaskRequest", "DeviceTask", "Action", "google.rpc.Status", "google.protobuf.Any"] {
            let mut message = DynamicMessage::new(descriptor(name));
            if json::read_into(&mut message, &document).is_ok() {
                json::write(&message).expect("what was read can be written");
            }
        }
    }

    #[test]
    fn any_text_has_an_answer(
        path in "[a-zA-Z_.]{0,24}|pageSize|target.deviceUuid|target.x|policyUuids|target",
        values in vec(".{0,12}|[0-9+e.-]{0,24}", 0..4),
    ) {
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        for name in ["ListPolicyAssignmentsRequest", "ListDevicesRequest", "ManualTrigger", "Version"] {
            let mut message = DynamicMessage::new(descriptor(name));
            if json::set_from_text(&mut message, &path, &values).is_ok() {
                json::write(&message).expect("what was set can be written");
            }
        }
    }
}
