//! Orders to take snapshots.

use guardhouse_model::{
    DeviceId, RunId, Timestamp,
    agentless::snapshots::{self, DEVICES},
    tasks::run_id,
};
use uuid::Uuid;

use crate::{
    NewSnapshotOrder, NewTask, StoreError, Targets,
    engine::{Transaction, Value, values},
    verbs::tasks,
};

/// A subtask that waits for the snapshot of its device.
pub struct Waiting {
    /// Which.
    pub subtask: Uuid,
    /// Of this device.
    pub device: DeviceId,
    /// The run that takes it.
    pub run: RunId,
}

impl Waiting {
    /// The name of the archive in the location of the devices.
    pub fn target_name(&self) -> String {
        snapshots::archive(self.device, self.run)
    }
}

/// What a subtask waits for whose asset lies in `location`. `None`: it is no device.
///
/// # Errors
/// It is a device, and nobody ordered a snapshot.
pub fn waiting(
    order: Option<&NewSnapshotOrder>,
    subtask: Uuid,
    location: Uuid,
    instance_id: &str,
) -> Result<Option<Waiting>, StoreError> {
    if location != DEVICES {
        return Ok(None);
    }
    let order = order
        .ok_or_else(|| StoreError::Inconsistent(format!("no snapshot of device {instance_id} is ordered")))?;
    let device = snapshots::device(instance_id)
        .ok_or_else(|| StoreError::Inconsistent(format!("{instance_id} is the instance id of no device")))?;
    Ok(Some(Waiting { subtask, device, run: run_id(order.trigger.id, device) }))
}

/// Orders the snapshots that subtasks wait for: a device task for all of them.
pub fn order(
    transaction: &Transaction<'_>,
    order: Option<&NewSnapshotOrder>,
    waiting: &[Waiting],
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(order) = order.filter(|_| !waiting.is_empty()) else { return Ok(()) };
    // A device that was deleted meanwhile is no harm: its snapshot is lost, and its subtask fails.
    let devices = waiting.iter().map(|waiting| waiting.device).collect();
    let task = NewTask {
        id: order.task,
        template_digest: order.template_digest,
        display_name: order.display_name.clone(),
        description: String::new(),
        action: order.action.clone(),
        asset_group: String::new(),
        source: 0,
        targets: Targets { devices, groups: Vec::new() },
        triggers: vec![order.trigger],
        now,
    };
    tasks::create(transaction, &task, order.template)?;
    insert(transaction, order, waiting, now)
}

fn insert(
    transaction: &Transaction<'_>,
    order: &NewSnapshotOrder,
    waiting: &[Waiting],
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "insert into agentless_snapshots (run_uuid, device_uuid, subtask_uuid, task_uuid, trigger_uuid, state,
             size_bytes, keep_days, release_clean, create_time)";
    let same = "$4, $5, 1, 0, $6, $7, $8";
    let shared = values![order.task, order.trigger.id, order.keeping.days, order.keeping.release_clean, now];
    if let Transaction::Postgres(_) = transaction {
        let ids = |of: fn(&Waiting) -> Uuid| waiting.iter().map(of).collect::<Vec<Uuid>>();
        let sql = format!("{sql} select new.*, {same} from unnest($1::uuid[], $2::uuid[], $3::uuid[]) new");
        let (runs, devices) = (ids(|waiting| waiting.run.0), ids(|waiting| waiting.device.0));
        let subtasks = ids(|waiting| waiting.subtask);
        let own = [Value::Ids(&runs), Value::Ids(&devices), Value::Ids(&subtasks)];
        transaction.execute(&sql, &[&own, shared].concat())?;
        return Ok(());
    }
    let sql = format!("{sql} values ($1, $2, $3, {same})");
    for waiting in waiting {
        let own = values![waiting.run, waiting.device, waiting.subtask];
        transaction.execute(&sql, &[own, shared].concat())?;
    }
    Ok(())
}
