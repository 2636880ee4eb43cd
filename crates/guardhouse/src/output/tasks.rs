//! Tasks as tables.

use guardhouse_contract::{
    automation::{DeviceTask, DeviceTaskTargets},
    json,
};

use crate::output::{constant, sheet, table, time};

/// One line per task.
pub fn tasks(tasks: &[DeviceTask]) -> String {
    let row = |task: &DeviceTask| {
        [
            task.display_name.clone(),
            task.uuid.clone(),
            action_name(task),
            targets(task.targets.as_ref()),
            time(task.create_time.as_ref()),
            expires(task),
        ]
    };
    table(["NAME", "UUID", "ACTION", "TARGETS", "CREATED", "EXPIRES"], tasks.iter().map(row))
}

/// Everything that is known of one task.
pub fn task(task: Option<&DeviceTask>) -> String {
    let Some(task) = task else { return String::new() };
    let params = task.action.as_ref().and_then(|action| action.params.as_ref());
    let params = params.and_then(|params| json::to_value(params).ok());
    let targets = task.targets.clone().unwrap_or_default();
    sheet([
        ("name", task.display_name.clone()),
        ("uuid", task.uuid.clone()),
        ("description", task.description.clone()),
        ("action", action_name(task)),
        ("parameters", params.map(|params| params.to_string()).unwrap_or_default()),
        ("devices", targets.devices_uuids.join(", ")),
        ("groups", targets.device_groups_uuids.join(", ")),
        ("created", time(task.create_time.as_ref())),
        ("updated", time(task.update_time.as_ref())),
        ("expires", expires(task)),
        ("source", constant(task.source().as_str_name(), "DEVICE_TASK_SOURCE_")),
        ("version", task.version_id.to_string()),
    ])
}

fn action_name(task: &DeviceTask) -> String {
    task.action.as_ref().map(|action| action.name.clone()).unwrap_or_default()
}

/// When the last trigger expires.
fn expires(task: &DeviceTask) -> String {
    let times = task.triggers.iter().filter_map(|trigger| trigger.manual.as_ref()?.expire_time.as_ref());
    time(times.max_by_key(|time| (time.seconds, time.nanos)))
}

fn targets(targets: Option<&DeviceTaskTargets>) -> String {
    let Some(targets) = targets else { return String::new() };
    let count = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        count => Some(format!("{count} {what}s")),
    };
    let parts =
        [count(targets.devices_uuids.len(), "device"), count(targets.device_groups_uuids.len(), "group")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{
        automation::{Action, ManualTrigger, Trigger},
        pb::era::common::data_definition::task::os::RunCommand,
        status::pack,
    };

    use super::*;

    fn example() -> DeviceTask {
        let command = RunCommand { command_line: "uname -a".to_owned(), ..Default::default() };
        let trigger = |seconds| Trigger {
            manual: Some(ManualTrigger {
                create_time: None,
                expire_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            }),
        };
        DeviceTask {
            display_name: "uname -a".to_owned(),
            uuid: "0193-t".to_owned(),
            action: Some(Action { name: "RunCommand".to_owned(), params: Some(pack(&command)) }),
            targets: Some(DeviceTaskTargets {
                devices_uuids: vec!["0193-a".to_owned(), "0193-b".to_owned()],
                device_groups_uuids: vec!["0193-g".to_owned()],
            }),
            triggers: vec![trigger(1_700_086_400), trigger(1_700_000_000)],
            create_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 5 }),
            update_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 5 }),
            version_id: 2,
            ..Default::default()
        }
    }

    #[test]
    fn a_task_is_a_line() {
        let expected = "\
            NAME      UUID    ACTION      TARGETS             CREATED               EXPIRES\n\
            uname -a  0193-t  RunCommand  2 devices, 1 group  2023-11-14T22:13:20Z  2023-11-15T22:13:20Z";
        assert_eq!(tasks(&[example()]), expected);
    }

    #[test]
    fn a_task_is_a_sheet() {
        let expected = "\
            name         uname -a\n\
            uuid         0193-t\n\
            description  -\n\
            action       RunCommand\n\
            parameters   {\"@type\":\"type.googleapis.com/Era.Common.DataDefinition.Task.OS.RunCommand\",\
                \"commandLine\":\"uname -a\",\"currentDirectory\":\"\"}\n\
            devices      0193-a, 0193-b\n\
            groups       0193-g\n\
            created      2023-11-14T22:13:20Z\n\
            updated      2023-11-14T22:13:20Z\n\
            expires      2023-11-15T22:13:20Z\n\
            source       -\n\
            version      2\n";
        assert_eq!(task(Some(&example())), expected);
    }
}
