//! Tasks and subtasks, worded.

use std::collections::HashMap;

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use guardhouse_contract::{
    Status,
    scans::{self, agentless_snapshot::State},
    time::to_proto,
};
use guardhouse_identity::Failure;
use guardhouse_model::Timestamp;
use guardhouse_store::{AgentlessSubtask, AgentlessTask, DeviceSnapshot, SnapshotState, Store};
use prost::Message as _;
use uuid::Uuid;

use super::devices;

/// Bytes of a digest that tell one state of a task from another.
const GENERATION: usize = 12;

/// A task.
///
/// # Errors
/// What the store keeps is no message of the contract.
pub fn task(task: AgentlessTask) -> Result<scans::AgentlessTask, Status> {
    let options = scans::ScanOptions::decode(task.options.as_slice()).map_err(Status::internal)?;
    let tally = task.tally;
    let mut worded = scans::AgentlessTask {
        uuid: task.id.to_string(),
        display_name: task.name,
        target_type: task.target_type,
        account_uuid: optional(task.account),
        schedule_uuid: optional(task.schedule),
        options: Some(options),
        status: task.status as i32,
        progress: tally.progress().into(),
        create_time: Some(to_proto(task.start_time)),
        end_time: task.end_time.map(to_proto),
        subtask_count: tally.subtasks,
        done_count: tally.done,
        failed_count: tally.failed,
        timed_out_count: tally.timed_out,
        cancelled_count: tally.cancelled,
        read_bytes: task.measure_bytes,
        report_status: task.report_status as i32,
        generation: String::new(),
    };
    // Of all that is shown: whatever changes, the digest does, on every replica alike.
    let digest = digest::digest(&digest::SHA256, &worded.encode_to_vec());
    worded.generation = BASE64_URL_SAFE_NO_PAD.encode(&digest.as_ref()[..GENERATION]);
    Ok(worded)
}

/// Subtasks, with the snapshots that are taken for them.
///
/// # Errors
/// The store fails, or keeps what this server does not write.
pub async fn subtasks(
    store: &Store,
    subtasks: Vec<AgentlessSubtask>,
) -> Result<Vec<scans::AgentlessSubtask>, Status> {
    let of_devices = subtasks.iter().filter(|subtask| devices::is_type(subtask.target_type));
    let ids: Vec<Uuid> = of_devices.map(|subtask| subtask.id).collect();
    let mut newest: HashMap<Uuid, DeviceSnapshot> = HashMap::new();
    if !ids.is_empty() {
        let mut snapshots = store.agentless_snapshots_of(ids).await.map_err(Failure::from)?;
        snapshots.sort_by_key(|snapshot| snapshot.create_time);
        newest.extend(snapshots.into_iter().map(|snapshot| (snapshot.subtask, snapshot)));
    }
    let snapshot = |id: &Uuid| newest.get(id).map(snapshot);
    subtasks.into_iter().map(|of| subtask(snapshot(&of.id), of)).collect()
}

fn snapshot(snapshot: &DeviceSnapshot) -> scans::AgentlessSnapshot {
    let state = match snapshot.state {
        SnapshotState::Wanted => State::Awaited,
        SnapshotState::Kept => State::Kept,
        SnapshotState::Unwanted => State::Removed,
    };
    scans::AgentlessSnapshot {
        run_uuid: snapshot.run.to_string(),
        state: state.into(),
        size_bytes: snapshot.size_bytes,
        keep_until: snapshot.keep_until.map(to_proto),
    }
}

/// A subtask.
fn subtask(
    snapshot: Option<scans::AgentlessSnapshot>,
    subtask: AgentlessSubtask,
) -> Result<scans::AgentlessSubtask, Status> {
    let progress_by_project = match subtask.progress_by_project.as_str() {
        "" => Default::default(),
        text => serde_json::from_str(text).map_err(Status::internal)?,
    };
    Ok(scans::AgentlessSubtask {
        uuid: subtask.id.to_string(),
        task_uuid: subtask.task.to_string(),
        instance_id: subtask.instance_id,
        target_name: subtask.target_name,
        location_uuid: subtask.location.to_string(),
        target_type: subtask.target_type,
        device_name: subtask.instance_name,
        status: subtask.status as i32,
        cancelling: subtask.is_cancelled,
        progress: subtask.progress.into(),
        progress_by_project,
        worker: subtask.worker,
        create_time: Some(to_proto(subtask.start_time)),
        begin_time: subtask.begin_time.map(to_proto),
        end_time: subtask.end_time.map(to_proto),
        reason: subtask.reason,
        read_bytes: subtask.measure_bytes,
        report_status: subtask.report_status as i32,
        snapshot,
    })
}

fn optional(id: Option<Uuid>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

/// A moment of a task that has no name of its own.
pub fn name_of(now: Timestamp) -> String {
    format!("scan of {}", now.strftime("%Y-%m-%d %H:%M:%S UTC"))
}
