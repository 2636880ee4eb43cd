//! Tasks and runs as clients see them.

use guardhouse_contract::{
    Status,
    action::ActionFailure,
    automation::{Action, DeviceTask, DeviceTaskRun, DeviceTaskTargets, ManualTrigger, Trigger},
    status::pack,
    time::to_proto,
};
use guardhouse_store::{Closure, Run, Task};
use prost::Message as _;
use prost_types::Any;

/// A task.
pub fn task(kept: Task) -> Result<DeviceTask, Status> {
    let action = Action::decode(kept.action.as_slice())
        .map_err(|error| Status::internal(format!("action of task {}: {error}", kept.id)))?;
    let triggers = kept.triggers.iter().map(|trigger| Trigger {
        manual: Some(ManualTrigger {
            create_time: Some(to_proto(trigger.create_time)),
            expire_time: Some(to_proto(trigger.expire_time)),
        }),
    });
    Ok(DeviceTask {
        action: Some(action),
        asset_group_uuid: kept.asset_group,
        description: kept.description,
        display_name: kept.display_name,
        source: kept.source,
        targets: Some(DeviceTaskTargets {
            device_groups_uuids: kept.targets.groups.iter().map(ToString::to_string).collect(),
            devices_uuids: kept.targets.devices.iter().map(ToString::to_string).collect(),
        }),
        triggers: triggers.collect(),
        uuid: kept.id.to_string(),
        create_time: Some(to_proto(kept.create_time)),
        version_id: kept.version,
        update_time: Some(to_proto(kept.update_time)),
    })
}

/// The result of a run: what the device brought back, or why the server ended the run.
pub fn result(kept: &Run) -> Result<Option<Any>, Status> {
    if let Some(Closure { code, reason }) = &kept.closure {
        return Ok(Some(pack(&ActionFailure { code: code.clone(), reason: reason.clone() })));
    }
    let result = kept.result.as_deref().map(Any::decode).transpose();
    result.map_err(|error| Status::internal(format!("result of run {}: {error}", kept.id)))
}

/// A run.
pub fn run(kept: Run) -> Result<DeviceTaskRun, Status> {
    let result = result(&kept)?;
    Ok(DeviceTaskRun {
        device_uuid: kept.device.to_string(),
        end_time: kept.end_time.map(to_proto),
        result,
        start_time: Some(to_proto(kept.start_time)),
        status: kept.status as i32,
        task_uuid: kept.task.to_string(),
        uuid: kept.id.to_string(),
    })
}
