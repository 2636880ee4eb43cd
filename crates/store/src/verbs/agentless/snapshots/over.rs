//! What becomes of snapshots whose subtasks are over.

use std::collections::{BTreeMap, HashSet};

use guardhouse_model::{
    DeviceId, RunId, TaskId, Timestamp,
    agentless::{
        TaskStatus,
        snapshots::{Keeping, keep_until},
    },
};
use uuid::Uuid;

use super::drop_all;
use crate::{
    StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::{agentless::for_each_of, task_runs},
};

/// A snapshot that somebody wanted.
struct Found {
    run: RunId,
    device: DeviceId,
    task: TaskId,
    is_kept: bool,
}

/// Keeps the snapshot of a subtask that was scanned, or not any more: the subtask is locked, and its result is there.
pub fn over(
    transaction: &Transaction<'_>,
    subtask: Uuid,
    status: TaskStatus,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = transaction.locking(
        "select run_uuid, keep_days, release_clean from agentless_snapshots where subtask_uuid = $1 and state = 2",
        "for no key update",
    );
    let read = |row: &Row<'_>| {
        let keeping = Keeping { days: row.get(1)?, release_clean: row.get(2)? };
        Ok((row.get::<RunId>(0)?, keeping))
    };
    let Some((run, keeping)) = transaction.find(&sql, values![subtask], read)? else { return Ok(()) };
    let found = "select 1 from agentless_results
        where subtask_uuid = $1 and cve + sys + sca + baseline + malicious + sensitive > 0";
    let has_findings = keeping.release_clean && transaction.exists(found, values![subtask])?;
    match keep_until(keeping, status, has_findings, now) {
        None => drop_all(transaction, &[run]),
        Some(until) => {
            let sql = "update agentless_snapshots set keep_until = $2 where run_uuid = $1";
            transaction.execute(sql, values![run, until]).map(drop)
        }
    }
}

/// Keeps the snapshots of subtasks that are scanned once more until that is over; answers which of them have one. The subtasks
/// are locked.
pub fn take_again(transaction: &Transaction<'_>, subtasks: &[Uuid]) -> Result<HashSet<Uuid>, StoreError> {
    let kept = "select run_uuid, subtask_uuid from agentless_snapshots where state = 2 and subtask_uuid";
    let read = |row: &Row<'_>| Ok((row.get::<Uuid>(0)?, row.get::<Uuid>(1)?));
    let kept: Vec<(Uuid, Uuid)> = match transaction {
        Transaction::Postgres(_) => {
            let sql = format!("{kept} = any($1) order by run_uuid for no key update");
            transaction.list(&sql, &[Value::Ids(subtasks)], read)?
        }
        Transaction::Sqlite(_) => {
            let sql = format!("{kept} = $1");
            let found = subtasks.iter().map(|&subtask| transaction.find(&sql, values![subtask], read));
            found.filter_map(Result::transpose).collect::<Result<_, _>>()?
        }
    };
    let (runs, subtasks): (Vec<Uuid>, HashSet<Uuid>) = kept.into_iter().unzip();
    let set = "update agentless_snapshots set keep_until = null where run_uuid";
    for_each_of(transaction, set, &[], &runs)?;
    Ok(subtasks)
}

/// Drops the snapshots of all subtasks of a task, which is about to go. What its devices still do for it ends when they are
/// told that nobody wants it; with the last snapshot its device task goes.
pub fn leave(transaction: &Transaction<'_>, task: Uuid) -> Result<(), StoreError> {
    let found = find(transaction, "task_uuid = $1", task)?;
    drop_all(transaction, &found.iter().map(|found| found.run).collect::<Vec<_>>())
}

/// Drops the snapshots of the subtasks that are cancelled and whose column `which` is `id`, and stops the runs that take
/// them. The subtasks are locked.
pub fn stop(transaction: &Transaction<'_>, which: &str, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
    let found = find(transaction, &format!("{which} = $1 and subtask.status = 5"), id)?;
    drop_all(transaction, &found.iter().map(|found| found.run).collect::<Vec<_>>())?;
    let mut at_work: BTreeMap<TaskId, Vec<DeviceId>> = BTreeMap::new();
    for found in found.iter().filter(|found| !found.is_kept) {
        at_work.entry(found.task).or_default().push(found.device);
    }
    for (task, devices) in at_work {
        task_runs::cancel(transaction, task, Some(&devices), now)?;
    }
    Ok(())
}

/// The snapshots that somebody wants of these subtasks, locked.
fn find(transaction: &Transaction<'_>, subtasks: &str, id: Uuid) -> Result<Vec<Found>, StoreError> {
    let sql = format!(
        "select snapshot.run_uuid, snapshot.device_uuid, snapshot.task_uuid, snapshot.state
         from agentless_subtasks subtask join agentless_snapshots snapshot on snapshot.subtask_uuid = subtask.uuid
         where subtask.{subtasks} and snapshot.state < 3 order by snapshot.run_uuid"
    );
    let sql = transaction.locking(&sql, "for no key update of snapshot");
    transaction.list(&sql, values![id], |row| {
        Ok(Found {
            run: row.get(0)?,
            device: row.get(1)?,
            task: row.get(2)?,
            is_kept: row.get::<i32>(3)? == 2,
        })
    })
}
