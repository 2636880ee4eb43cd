//! Subtasks that are tried again.

use guardhouse_model::{
    Timestamp,
    agentless::{TaskStatus, queue, snapshots::DEVICES},
};
use uuid::Uuid;

use super::{add, percentage, roots, roots::Root, snapshots, status};
use crate::{
    NewSnapshotOrder, Retried, Store, StoreError,
    engine::{Gate, Row, Transaction, Value, values},
};

/// What changes in a subtask that is queued once more; where it stands then is set beside.
const ANEW: &str = "status = 1, cancel = 0, progress = 0, progress_by_project = '', begin_time = null,
     end_time = null, attempts = 0, worker = '', reason = '', measure_bytes = 0, report_status = 0, report_due = null";

/// A subtask of a task that is tried again.
struct Failed {
    id: Uuid,
    instance_id: String,
    status: TaskStatus,
    progress: u8,
    measure_bytes: u64,
    location: Uuid,
    target_name: String,
    /// What it becomes: 0: it waits for a snapshot; 1: it is queued.
    state: i64,
}

impl Store {
    /// Queues a subtask again that is over without a result, or all of those of a task: `id` is of either. They stand
    /// behind whom waits already. A device whose snapshot is kept still is scanned again by that; of others a new one is
    /// ordered.
    ///
    /// # Errors
    /// As of every verb, and when a snapshot is needed and there is no order.
    pub async fn agentless_task_retry(
        &self,
        id: Uuid,
        now: Timestamp,
        order: Option<NewSnapshotOrder>,
    ) -> Result<Retried, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::AgentlessAssets)?;
                let (task, which) = match task_of(transaction, id)? {
                    None => (id, "task_uuid"),
                    Some(task) => (task, "uuid"),
                };
                let Some(mut root) = roots::lock_one(transaction, task)? else {
                    return Ok(Retried::NotFound);
                };
                let subtasks = subtasks(transaction, which, id)?;
                if subtasks.iter().any(|subtask| subtask.status == TaskStatus::Running) {
                    return Ok(Retried::Running);
                }
                let mut failed: Vec<Failed> =
                    subtasks.into_iter().filter(|subtask| subtask.status.can_be_retried()).collect();
                if failed.is_empty() {
                    return Ok(Retried::NothingToRetry);
                }
                let assets: Vec<&str> = failed.iter().map(|failed| failed.instance_id.as_str()).collect();
                if !add::busy(transaction, &assets, 1)?.is_empty() {
                    return Ok(Retried::Running);
                }
                order_again(transaction, order.as_ref(), &mut failed, now)?;
                queue_again(transaction, &mut root, &failed, now)?;
                Ok(Retried::Queued)
            })
            .await
    }
}

/// The task of a subtask; `None`: there is no such subtask.
pub fn task_of(transaction: &Transaction<'_>, subtask: Uuid) -> Result<Option<Uuid>, StoreError> {
    let sql = "select task_uuid from agentless_subtasks where uuid = $1";
    transaction.find(sql, values![subtask], |row| row.get(0))
}

/// The subtasks whose column `which` is `id`, locked in the order of their ids, answered in the order of their positions.
fn subtasks(transaction: &Transaction<'_>, which: &str, id: Uuid) -> Result<Vec<Failed>, StoreError> {
    let columns =
        "select uuid, instance_id, status, progress, measure_bytes, position, location_uuid, target_name
        from agentless_subtasks";
    let sql = format!("{columns} where {which} = $1 order by uuid");
    let sql = transaction.locking(&sql, "for no key update");
    let mut found = transaction.list(&sql, values![id], |row: &Row<'_>| {
        let failed = Failed {
            id: row.get(0)?,
            instance_id: row.get(1)?,
            status: status(row, 2)?,
            progress: percentage(row, 3)?,
            measure_bytes: row.get(4)?,
            location: row.get(6)?,
            target_name: row.get(7)?,
            state: 1,
        };
        Ok((row.get::<u32>(5)?, failed))
    })?;
    found.sort_unstable_by_key(|(position, _)| *position);
    Ok(found.into_iter().map(|(_, failed)| failed).collect())
}

/// Orders snapshots of those that are devices and of which none is kept.
fn order_again(
    transaction: &Transaction<'_>,
    order: Option<&NewSnapshotOrder>,
    failed: &mut [Failed],
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_device = |failed: &&mut Failed| failed.location == DEVICES;
    let devices: Vec<Uuid> = failed.iter_mut().filter(is_device).map(|failed| failed.id).collect();
    if devices.is_empty() {
        return Ok(());
    }
    let kept = snapshots::take_again(transaction, &devices)?;
    let mut waiting = Vec::new();
    for failed in failed.iter_mut().filter(is_device).filter(|failed| !kept.contains(&failed.id)) {
        let new = snapshots::waiting(order, failed.id, failed.location, &failed.instance_id)?;
        if let Some(new) = new {
            (failed.state, failed.target_name) = (0, new.target_name());
            waiting.push(new);
        }
    }
    snapshots::order(transaction, order, &waiting, now)
}

fn queue_again(
    transaction: &Transaction<'_>,
    root: &mut Root,
    failed: &[Failed],
    now: Timestamp,
) -> Result<(), StoreError> {
    let turns: Vec<Timestamp> = (0..failed.len()).map(|place| queue::turn(now, place)).collect();
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = failed.iter().map(|failed| failed.id).collect();
        let turns: Vec<i64> = turns.into_iter().map(Timestamp::as_microsecond).collect();
        let states: Vec<i64> = failed.iter().map(|failed| failed.state).collect();
        let names: Vec<&str> = failed.iter().map(|failed| failed.target_name.as_str()).collect();
        let sql = format!(
            "update agentless_subtasks set {ANEW}, queue_time = turn, state = becomes, target_name = name
             from unnest($1, $2, $3, $4) as retried (id, turn, becomes, name) where uuid = id"
        );
        transaction.execute(
            &sql,
            &[Value::Ids(&ids), Value::Integers(&turns), Value::Integers(&states), Value::Texts(&names)],
        )?;
    } else {
        let sql = format!(
            "update agentless_subtasks set {ANEW}, queue_time = $1, state = $2, target_name = $3 where uuid = $4"
        );
        for (failed, turn) in std::iter::zip(failed, turns) {
            transaction.execute(&sql, values![turn, failed.state, &failed.target_name, failed.id])?;
        }
    }
    for failed in failed {
        root.over.take_back(failed.status, failed.progress);
        root.measure_bytes = root.measure_bytes.saturating_sub(failed.measure_bytes);
    }
    root.keep(transaction, now)
}
