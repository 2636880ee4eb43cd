//! `POST /guardhouse/v1/device_tasks/{taskUuid}:rerun`

use guardhouse_contract::{
    Call, Status,
    management::{RerunTaskRequest, RerunTaskResponse},
    time::from_proto_micros,
};
use guardhouse_identity::Failure;
use guardhouse_model::{DeviceId, TaskId, device_runs::DeviceRunState, tasks::expire_time};
use guardhouse_store::{NewTask, Targets, Task, Trigger};

use super::{devices, states, unknown};
use crate::{
    Context,
    automation::create_task::{self, template_digest},
    fields,
    fields::Checks,
    rights,
};

/// In which states a task is carried out again unless the request says others.
const WENT_WRONG: [DeviceRunState; 3] =
    [DeviceRunState::Failed, DeviceRunState::DeliveryTimedOut, DeviceRunState::ExecutionTimedOut];

/// In which states it is not over yet.
const NOT_OVER: [DeviceRunState; 4] =
    [DeviceRunState::Waiting, DeviceRunState::Delivered, DeviceRunState::Running, DeviceRunState::Withdrawn];

/// Most devices that one task is made for. They are listed in it one by one.
const MOST_TARGETS: usize = 10_000;

/// How many devices are looked at together.
const PORTION: usize = 1_000;

/// Makes a new task like an earlier one, for the targets on which that one went wrong.
///
/// # Errors
/// 403: the account may not use the action of the task. 412: it went wrong nowhere.
pub async fn run(
    context: &Context,
    call: &Call,
    request: RerunTaskRequest,
) -> Result<RerunTaskResponse, Status> {
    let id: TaskId = fields::resource("taskUuid", &request.task_uuid)?;
    rights::may_use_task(context, call, id).await?;
    let mut checks = Checks::default();
    let mut states = states(&mut checks, &request.states);
    for (index, state) in states.iter().enumerate().filter(|(_, state)| NOT_OVER.contains(state)) {
        checks.fail(
            format!("states[{index}]"),
            format!("is {state:?}: the task is not over there; cancel it first, or leave this state out"),
        );
    }
    let only = devices(&mut checks, &request.device_uuids);
    let asked = request.expire_time.as_ref().map(from_proto_micros);
    if asked == Some(None) {
        checks.fail("expireTime", "is not a time between the years 1 and 9999");
    }
    checks.finish()?;
    if states.is_empty() {
        states = WENT_WRONG.to_vec();
    }

    let task = context.store.task_get(id).await.map_err(Failure::from)?.ok_or_else(|| unknown(id))?;
    let devices = targets(context, id, states, &only).await?;
    if devices.is_empty() {
        let message =
            "there is no target of the task in one of these states; nothing is to be carried out again";
        return Err(Status::failed_precondition("NOTHING_TO_RERUN", message).with_http(412));
    }
    let device_count = u32::try_from(devices.len()).unwrap_or(u32::MAX);
    let now = context.environment.now();
    let trigger = Trigger {
        id: context.environment.uuid().into(),
        create_time: now,
        expire_time: expire_time(asked.flatten(), now),
    };
    let Task { display_name, description, action, asset_group, source, .. } = task;
    let again = NewTask {
        id: TaskId(context.environment.uuid()),
        template_digest: template_digest(&display_name, &description, &action),
        display_name,
        description,
        action,
        asset_group,
        source,
        targets: Targets { devices, groups: Vec::new() },
        triggers: vec![trigger],
        now,
    };
    let task = create_task::keep(context, again, "deviceUuids").await?;
    Ok(RerunTaskResponse { task: Some(task), device_count })
}

/// The targets of a task in one of the states; with `only` those among them.
async fn targets(
    context: &Context,
    task: TaskId,
    states: Vec<DeviceRunState>,
    only: &[DeviceId],
) -> Result<Vec<DeviceId>, Status> {
    let now = context.environment.now();
    let (mut targets, mut after) = (Vec::new(), None);
    loop {
        let found = context.store.device_runs_list(task, states.clone(), after, PORTION, now).await;
        let found = found.map_err(Failure::from)?.ok_or_else(|| unknown(task))?;
        let meant = found.rows.into_iter().filter(|row| row.is_target).map(|row| row.device);
        targets.extend(meant.filter(|device| only.is_empty() || only.contains(device)));
        if targets.len() > MOST_TARGETS {
            let message = format!(
                "the task is in these states on more than {MOST_TARGETS} devices; name fewer states, or devices"
            );
            return Err(Status::failed_precondition("TOO_MANY_TO_RERUN", message).with_http(412));
        }
        after = found.next;
        if after.is_none() {
            return Ok(targets);
        }
    }
}
