//! The parts of a task that several methods read: targets and triggers.

use guardhouse_contract::{
    Status,
    automation::{self, DeviceTaskTargets},
    time::from_proto_micros,
};
use guardhouse_model::{Environment, TaskId, tasks::expire_time};
use guardhouse_store::{MissingTarget, Targets, TaskChange, Trigger};

use crate::fields::Checks;

/// Most triggers of a task.
const MOST_TRIGGERS: usize = 100;

/// Reads targets; `field` says where they are.
pub fn targets(checks: &mut Checks, field: &str, targets: Option<&DeviceTaskTargets>) -> Targets {
    let targets = targets.cloned().unwrap_or_default();
    if targets.devices_uuids.is_empty() && targets.device_groups_uuids.is_empty() {
        checks.fail(field, "names nobody; list at least one device or device group");
    }
    Targets {
        devices: ids(checks, &format!("{field}.devicesUuids"), &targets.devices_uuids),
        groups: ids(checks, &format!("{field}.deviceGroupsUuids"), &targets.device_groups_uuids),
    }
}

fn ids<T: std::str::FromStr>(checks: &mut Checks, field: &str, texts: &[String]) -> Vec<T> {
    let read = |(index, text): (usize, &String)| checks.id(format!("{field}[{index}]"), text);
    texts.iter().enumerate().filter_map(read).collect()
}

/// Reads triggers; `field` says where they are. There must be at least one, and all are manual.
pub fn triggers(
    checks: &mut Checks,
    field: &str,
    triggers: &[automation::Trigger],
    environment: &Environment,
) -> Vec<Trigger> {
    if triggers.is_empty() {
        checks.fail(field, "is empty; a task needs at least one trigger, for example {\"manual\": {}}");
    }
    if triggers.len() > MOST_TRIGGERS {
        checks.fail(field, format!("has {} triggers; at most {MOST_TRIGGERS} are allowed", triggers.len()));
    }
    let now = environment.now();
    let mut read = Vec::with_capacity(triggers.len());
    for (index, trigger) in triggers.iter().enumerate() {
        let Some(manual) = &trigger.manual else {
            checks.fail(format!("{field}[{index}].manual"), "is missing; only manual triggers exist");
            continue;
        };
        let asked = manual.expire_time.as_ref().map(from_proto_micros);
        if asked == Some(None) {
            checks.fail(
                format!("{field}[{index}].manual.expireTime"),
                "is not a time between the years 1 and 9999",
            );
        }
        let expire_time = expire_time(asked.flatten(), now);
        read.push(Trigger { id: environment.uuid().into(), create_time: now, expire_time });
    }
    read
}

/// Words what became of a change to a task; `field` says where its targets were.
pub fn changed(change: TaskChange, task: TaskId, field: &str) -> Result<(), Status> {
    match change {
        TaskChange::Changed => Ok(()),
        TaskChange::NoSuchTask => Err(Status::not_found(format!("device task {task}"))),
        TaskChange::Missing(MissingTarget::Device(index)) => Err(Status::invalid_field(
            format!("{field}.devicesUuids[{index}]"),
            "names a device that does not exist",
        )),
        TaskChange::Missing(MissingTarget::Group(index)) => Err(Status::invalid_field(
            format!("{field}.deviceGroupsUuids[{index}]"),
            "names a device group that does not exist",
        )),
    }
}
