//! How a task stands on a device, as clients see it.

use guardhouse_contract::{
    Status, failure, link,
    management::{self, DeviceRunProgress},
    time::to_proto,
};
use guardhouse_model::{
    TaskId,
    device_runs::{CANCELLED, DELIVERY_TIMED_OUT, DeviceRunState, Missed},
};
use guardhouse_store::{DeviceRun, RunDetail};
use prost::Message as _;

use crate::automation::render;

/// A row of the list.
pub fn device_run(task: TaskId, row: DeviceRun) -> Result<management::DeviceRun, Status> {
    let state = row.state();
    let contact = row.contact.as_ref();
    let mut shown = management::DeviceRun {
        device_uuid: row.device.to_string(),
        device_display_name: contact.map(|contact| contact.display_name.clone()).unwrap_or_default(),
        is_target: row.is_target,
        state: state.map_or(0, |state| state as i32),
        task_uuid: task.to_string(),
        attempt_count: row.attempts,
        last_contact_time: contact.and_then(|contact| contact.last_sync_time).map(to_proto),
        ..Default::default()
    };
    // The state says whether a run decided it, or what the device did not get.
    match (row.missed, row.last) {
        (Some((missed, trigger)), last) if !is_of_run(state) || last.is_none() => {
            shown.expire_time = Some(to_proto(trigger.expire_time));
            shown.cancel_time = trigger.cancel_time.map(to_proto);
            let (code, reason) = match missed {
                Missed::Due => ("", ""),
                Missed::Cancelled => (CANCELLED, "the task was cancelled before the device asked for it"),
                Missed::Expired => (DELIVERY_TIMED_OUT, "the task expired before the device asked for it"),
            };
            shown.reason_code = code.to_owned();
            shown.reason = reason.to_owned();
        }
        (_, Some(last)) => add_run(&mut shown, last)?,
        (_, None) => {}
    }
    Ok(shown)
}

/// Whether the state is that of the newest run although the device has not received another one.
fn is_of_run(state: Option<DeviceRunState>) -> bool {
    matches!(state, Some(DeviceRunState::Delivered | DeviceRunState::Running | DeviceRunState::Withdrawn))
}

fn add_run(shown: &mut management::DeviceRun, detail: RunDetail) -> Result<(), Status> {
    let run = &detail.run;
    let result = render::result(run)?;
    shown.run_uuid = run.id.to_string();
    shown.hand_out_time = Some(to_proto(run.start_time));
    shown.begin_time = detail.begin_time.map(to_proto);
    shown.end_time = run.end_time.map(to_proto);
    shown.expire_time = Some(to_proto(detail.expire_time));
    shown.cancel_time = detail.cancel_time.map(to_proto);
    shown.supposed = detail.supposed;
    if let Some(failure) = result.as_ref().and_then(failure::of_result) {
        shown.reason_code = failure.code;
        shown.reason = failure.reason;
    }
    shown.result = result;
    let progress = detail.progress.as_deref().map(link::RunProgress::decode).transpose();
    let progress =
        progress.map_err(|error| Status::internal(format!("progress of run {}: {error}", run.id)))?;
    shown.progress = progress.map(|said| DeviceRunProgress {
        phase: said.phase,
        percent: said.percent,
        message: said.message,
        update_time: said.update_time,
    });
    Ok(())
}
