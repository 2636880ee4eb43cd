//! How many devices a task has in which state.
//!
//! The targets and the runs of the task are each read once and merged here. A database that joined them could choose to
//! compare all with all, and does, when it guesses that there are few.

use std::collections::BTreeMap;

use guardhouse_model::{
    DeviceId, TaskId, Timestamp, TriggerId,
    device_runs::{DeviceRunState, LastRun, state},
    tasks::RunStatus,
};
use uuid::Uuid;

use super::{
    device_runs::{groups_of, missed, triggers},
    list::status,
};
use crate::{
    Store, StoreError,
    engine::{Transaction, Value, values},
};

/// What counts of a run.
struct Counted {
    device: DeviceId,
    trigger: TriggerId,
    status: RunStatus,
    withdrawn: bool,
    code: Option<String>,
    start_time: Timestamp,
}

impl Store {
    /// How many devices a task has in which state, the same devices that [`Store::device_runs_list`] lists. `None`: there
    /// never was such a task.
    pub async fn device_runs_count(
        &self,
        task: TaskId,
        now: Timestamp,
    ) -> Result<Option<BTreeMap<DeviceRunState, u64>>, StoreError> {
        self.engine
            .read(move |transaction| {
                if !transaction.exists("select 1 from tasks where uuid = $1", values![task])? {
                    return Ok(None);
                }
                count(transaction, task, now).map(Some)
            })
            .await
    }
}

fn count(
    transaction: &Transaction<'_>,
    task: TaskId,
    now: Timestamp,
) -> Result<BTreeMap<DeviceRunState, u64>, StoreError> {
    let triggers = triggers(transaction, task)?;
    let targets = targets(transaction, task)?;
    let runs = runs(transaction, task)?;
    let mut runs = runs.chunk_by(|one, other| one.device == other.device).peekable();
    let mut counts = BTreeMap::new();
    let mut add = |of_device: &[Counted], is_target: bool| {
        let newest = of_device.first();
        let last = newest.map(|run| LastRun {
            status: run.status,
            withdrawn: run.withdrawn,
            code: run.code.as_deref(),
        });
        let missed = is_target
            .then(|| {
                let led = |trigger| of_device.iter().any(|run| run.trigger == trigger);
                missed(&triggers, led, newest.map(|run| run.start_time), now)
            })
            .flatten();
        if let Some(state) = state(last, missed.map(|(missed, _)| missed)) {
            *counts.entry(state).or_default() += 1;
        }
    };
    // Both are in the order of the devices.
    for target in targets {
        while let Some(earlier) = runs.next_if(|of_device| of_device[0].device < target) {
            add(earlier, false);
        }
        let own = runs.next_if(|of_device| of_device[0].device == target);
        add(own.unwrap_or_default(), true);
    }
    runs.for_each(|rest| add(rest, false));
    Ok(counts)
}

/// The devices that a task is for, in the order of their ids.
fn targets(transaction: &Transaction<'_>, task: TaskId) -> Result<Vec<DeviceId>, StoreError> {
    let direct = "select target from task_targets where task_uuid = $1 and kind = 1
        and exists (select 1 from devices where devices.uuid = target)";
    let mut devices: Vec<DeviceId> = transaction.list(direct, values![task], |row| row.get(0))?;
    let groups = groups_of(transaction, task)?;
    for (table, column, groups) in
        [("devices", "uuid", groups.fixed), ("dynamic_members", "device_uuid", groups.dynamic)]
    {
        if let Transaction::Postgres(_) = transaction {
            let groups: Vec<Uuid> = groups.into_iter().map(|group| group.0).collect();
            let sql = format!("select {column} from {table} where group_uuid = any($1)");
            devices.extend(transaction.list(&sql, &[Value::Ids(&groups)], |row| row.get::<DeviceId>(0))?);
            continue;
        }
        let sql = format!("select {column} from {table} where group_uuid = $1");
        for group in groups {
            devices.extend(transaction.list(&sql, values![group], |row| row.get::<DeviceId>(0))?);
        }
    }
    devices.sort_unstable();
    devices.dedup();
    Ok(devices)
}

/// The runs of a task, in the order of the devices, of each the newest first.
fn runs(transaction: &Transaction<'_>, task: TaskId) -> Result<Vec<Counted>, StoreError> {
    let sql = "select device_uuid, trigger_uuid, status, withdrawn, reason_code, start_time from task_runs
        where task_uuid = $1 order by device_uuid, start_time desc, uuid desc";
    transaction.list(sql, values![task], |row| {
        Ok(Counted {
            device: row.get(0)?,
            trigger: row.get(1)?,
            status: status(row, 2)?,
            withdrawn: row.get(3)?,
            code: row.get(4)?,
            start_time: row.get(5)?,
        })
    })
}
