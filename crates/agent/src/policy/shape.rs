//! Which settings an agent of this version knows, to find those of a later one: decoding drops them without a word.

/// The fields of a message: number, name, and the fields of what it holds where that is looked into.
pub(super) struct Shape(pub(super) &'static [(u32, &'static str, Option<&'static Shape>)]);

/// `guardhouse.policy.v1.AgentPolicy`.
pub(super) static AGENT: Shape = Shape(&[
    (1, "connectionInterval", None),
    (2, "servers", Some(&STRINGS)),
    (3, "allowedActions", Some(&STRINGS)),
    (4, "forbiddenActions", Some(&STRINGS)),
    (5, "maintenanceWindows", Some(&WINDOWS)),
    (6, "delayedActions", Some(&STRINGS)),
    (7, "runCommand", Some(&RUN_COMMAND)),
    (8, "isolationExceptions", Some(&EXCEPTIONS)),
]);
/// `guardhouse.policy.v1.UpdatesPolicy`.
pub(super) static UPDATES: Shape = Shape(&[
    (1, "agentAutomatic", None),
    (2, "systemSecurityAutomatic", None),
    (3, "excludedPackages", Some(&STRINGS)),
]);
/// `guardhouse.policy.v1.LoggingPolicy`.
pub(super) static LOGGING: Shape = Shape(&[(1, "level", None)]);
static STRINGS: Shape = Shape(&[(1, "values", None), (2, "merge", None)]);
static WINDOWS: Shape = Shape(&[(1, "values", Some(&WINDOW)), (2, "merge", None)]);
static WINDOW: Shape =
    Shape(&[(1, "days", None), (2, "start", None), (3, "duration", None), (4, "timeZone", None)]);
static EXCEPTIONS: Shape = Shape(&[(1, "values", Some(&EXCEPTION)), (2, "merge", None)]);
static EXCEPTION: Shape = Shape(&[(1, "description", None), (2, "remote", None), (3, "port", None)]);
static RUN_COMMAND: Shape =
    Shape(&[(1, "timeLimit", None), (2, "outputLimitBytes", None), (3, "directories", Some(&STRINGS))]);

/// The paths of fields in an encoded message that are not of its shape, each once; such a field is called by its
/// number, for want of a name.
pub(super) fn unknown_fields(message: &[u8], shape: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    collect(message, shape, "", &mut found);
    found.sort();
    found.dedup();
    found
}

fn collect(mut message: &[u8], shape: &Shape, prefix: &str, found: &mut Vec<String>) {
    // What is no message has been refused by then.
    while let Some((number, content)) = next_field(&mut message) {
        match shape.0.iter().find(|(known, ..)| *known == number) {
            Some((_, name, Some(inner))) => collect(content, inner, &format!("{prefix}{name}."), found),
            Some(_) => {}
            None => found.push(format!("{prefix}{number}")),
        }
    }
}

/// Takes the next field: its number, and its content where it has a length. `None` at the end, and where the bytes are
/// no message.
fn next_field<'a>(message: &mut &'a [u8]) -> Option<(u32, &'a [u8])> {
    let key = varint(message)?;
    let number = u32::try_from(key >> 3).ok()?;
    let mut content = &message[..0];
    match key & 7 {
        0 => drop(varint(message)?),
        1 => drop(message.split_off(..8)?),
        2 => {
            let length = usize::try_from(varint(message)?).ok()?;
            content = message.split_off(..length)?;
        }
        5 => drop(message.split_off(..4)?),
        _ => return None,
    }
    Some((number, content))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::settings::{
        AgentPolicy, MaintenanceWindow, MaintenanceWindowList, RunCommandLimits, StringList,
    };
    use proptest::prelude::*;
    use prost::Message as _;
    use prost_types::{DescriptorProto, FileDescriptorSet};

    use super::*;

    /// The shape of a message is the one that the contract says.
    fn compare(shape: &Shape, name: &str, messages: &[DescriptorProto]) {
        let message =
            messages.iter().find(|message| message.name() == name).expect("a message of the contract");
        let known: Vec<_> = shape.0.iter().map(|(number, name, _)| (*number, (*name).to_owned())).collect();
        let fields = message.field.iter();
        let said: Vec<_> =
            fields.map(|field| (field.number().unsigned_abs(), field.json_name().to_owned())).collect();
        assert_eq!(known, said, "{name}");
        for (field, (_, _, inner)) in message.field.iter().zip(shape.0) {
            if let Some(inner) = inner {
                let inner_name = field.type_name().rsplit('.').next().expect("a name");
                compare(inner, inner_name, messages);
            }
        }
    }

    #[test]
    fn the_shapes_are_those_of_the_contract() {
        let set = FileDescriptorSet::decode(guardhouse_contract::DESCRIPTORS).expect("descriptors");
        let file = set.file.iter().find(|file| file.package() == "guardhouse.policy.v1").expect("a file");
        compare(&AGENT, "AgentPolicy", &file.message_type);
        compare(&UPDATES, "UpdatesPolicy", &file.message_type);
        compare(&LOGGING, "LoggingPolicy", &file.message_type);
    }

    #[test]
    fn later_settings_are_found() {
        let window = MaintenanceWindow { start: "22:00".to_owned(), ..Default::default() };
        let known = AgentPolicy {
            servers: Some(StringList { values: vec!["a".to_owned()], merge: 1 }),
            maintenance_windows: Some(MaintenanceWindowList { values: vec![window], merge: 0 }),
            run_command: Some(RunCommandLimits { output_limit_bytes: Some(300), ..Default::default() }),
            ..Default::default()
        };
        let mut bytes = known.encode_to_vec();
        assert_eq!(unknown_fields(&bytes, &AGENT), Vec::<String>::new());
        // Field 9 as a number, field 200 as a text, each twice; field 4 of `runCommand`, field 5 of a window.
        bytes.extend([0x48, 0x01, 0x48, 0x02, 0xc2, 0x0c, 0x01, b'x', 0xc2, 0x0c, 0x00]);
        bytes.extend([0x3a, 0x05, 0x25, 0, 0, 0, 0, 0x2a, 0x04, 0x0a, 0x02, 0x28, 0x01]);
        assert!(AgentPolicy::decode(bytes.as_slice()).is_ok(), "an older agent reads it");
        let expected = ["200", "9", "maintenanceWindows.values.5", "runCommand.4"];
        assert_eq!(unknown_fields(&bytes, &AGENT), expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unknown_fields(&bytes, &AGENT);
        }
    }
}
