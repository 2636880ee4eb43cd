//! Snapshots that nobody will send any more, so that no subtask waits for ever.

use std::collections::{BTreeMap, BTreeSet};

use guardhouse_model::{RunId, Timestamp, agentless::TaskStatus, tasks::RunStatus};
use uuid::Uuid;

use super::drop_all;
use crate::{
    Lease, LostSnapshot, SnapshotLoss, Store, StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::{
        agentless::{
            end::{self, Over},
            roots,
        },
        leases,
    },
};

/// Wanted snapshots, up to `$2`, whose run is over, or cannot begin any more at `$1`.
const LOST: &str = "select snapshot.run_uuid, coalesce(run.status, 1), run.reason_code, run.reason, run.result,
        cast(case when device.uuid is null then 1 else 0 end as bigint),
        cast(case when orders.uuid is null or target.target is null or orders.cancel_time is not null
            then 1 else 0 end as bigint)
    from agentless_snapshots snapshot
    left join task_runs run on run.uuid = snapshot.run_uuid
    left join devices device on device.uuid = snapshot.device_uuid
    left join task_triggers orders on orders.uuid = snapshot.trigger_uuid
    left join task_targets target on target.target = snapshot.device_uuid and target.kind = 1
        and target.task_uuid = snapshot.task_uuid
    where snapshot.state = 1 and (run.status in (3, 4, 5) or ((run.uuid is null or (run.status = 1 and run.withdrawn = 1))
        and (device.uuid is null or orders.uuid is null or orders.expire_time < $1 or target.target is null)))
    order by snapshot.run_uuid limit $2";

impl Store {
    /// Up to `limit` snapshots that are wanted, and that nobody will send any more.
    pub async fn agentless_snapshots_lost(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<LostSnapshot>, StoreError> {
        self.engine.read(move |transaction| transaction.list(LOST, values![now, limit], from_row)).await
    }

    /// Ends the subtasks that wait for the snapshots of these runs, each for its reason, which is a sentence. Answers how
    /// many: what is there by now, or was cancelled, is left out.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn agentless_snapshots_fail(
        &self,
        lease: Lease,
        lost: BTreeMap<RunId, String>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        if lost.is_empty() {
            return Ok(0);
        }
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                let runs: Vec<RunId> = lost.keys().copied().collect();
                let (subtasks, tasks) = subtasks(transaction, &runs)?;
                let mut roots: BTreeMap<Uuid, _> =
                    roots::lock(transaction, tasks)?.into_iter().map(|root| (root.id, root)).collect();
                end::lock(transaction, subtasks)?;
                let waiting = waiting(transaction, &runs)?;
                for (run, subtask, task) in &waiting {
                    let (Some(root), Some(reason)) = (roots.get_mut(task), lost.get(run)) else { continue };
                    let status = TaskStatus::Failed;
                    let over = Over { subtask: *subtask, status, reason, progress: 0, measure_bytes: 0 };
                    end::finish(transaction, root, &over, now)?;
                }
                let runs: Vec<RunId> = waiting.iter().map(|(run, ..)| *run).collect();
                drop_all(transaction, &runs)?;
                for root in roots.values() {
                    root.keep(transaction, now)?;
                }
                Ok(waiting.len())
            })
            .await
    }
}

/// The subtasks that the snapshots of these runs are for, and their tasks.
fn subtasks(transaction: &Transaction<'_>, runs: &[RunId]) -> Result<(Vec<Uuid>, Vec<Uuid>), StoreError> {
    let found = each(transaction, runs, "", |row| Ok((row.get::<Uuid>(1)?, row.get::<Uuid>(2)?)))?;
    let found: BTreeSet<(Uuid, Uuid)> = found.into_iter().collect();
    Ok(found.into_iter().unzip())
}

/// Those of the snapshots that a subtask waits for, locked: run, subtask and task.
fn waiting(transaction: &Transaction<'_>, runs: &[RunId]) -> Result<Vec<(RunId, Uuid, Uuid)>, StoreError> {
    each(transaction, runs, "for no key update of snapshot", |row| {
        Ok((row.get::<RunId>(0)?, row.get::<Uuid>(1)?, row.get::<Uuid>(2)?))
    })
}

/// The snapshots of these runs that a subtask waits for, in the order of the runs.
fn each<T>(
    transaction: &Transaction<'_>,
    runs: &[RunId],
    lock: &str,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let sql = "select snapshot.run_uuid, subtask.uuid, subtask.task_uuid from agentless_snapshots snapshot
        join agentless_subtasks subtask on subtask.uuid = snapshot.subtask_uuid
        where snapshot.state = 1 and subtask.state = 0 and snapshot.run_uuid";
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
        let sql = format!("{sql} = any($1) order by snapshot.run_uuid {lock}");
        return transaction.list(&sql, &[Value::Ids(&ids)], read);
    }
    let sql = format!("{sql} = $1");
    let found = runs.iter().map(|&run| transaction.find(&sql, values![run], |row| read(row)));
    found.filter_map(Result::transpose).collect()
}

fn from_row(row: &Row<'_>) -> Result<LostSnapshot, StoreError> {
    let status = RunStatus::from_number(row.get(1)?).filter(|status| status.is_over());
    let (is_device_gone, is_order_gone): (bool, bool) = (row.get(5)?, row.get(6)?);
    let loss = if let Some(status) = status {
        SnapshotLoss::RunEnded { status, code: row.get(2)?, reason: row.get(3)?, result: row.get(4)? }
    } else if is_device_gone {
        SnapshotLoss::DeviceGone
    } else if is_order_gone {
        SnapshotLoss::OrderGone
    } else {
        SnapshotLoss::Expired
    };
    Ok(LostSnapshot { run: row.get(0)?, loss })
}
