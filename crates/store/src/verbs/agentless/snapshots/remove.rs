//! Snapshots that nobody wants any more.

use std::collections::BTreeSet;

use guardhouse_model::{RunId, TaskId, Timestamp};
use uuid::Uuid;

use super::{COLUMNS, from_row};
use crate::{
    DeviceSnapshot, Lease, Store, StoreError,
    engine::{Transaction, Value, values},
    verbs::{leases, tasks},
};

/// Snapshots that are kept until `$1` at most, up to `$2`.
const OLD: &str = "select run_uuid from agentless_snapshots
    where keep_until is not null and keep_until <= $1 order by keep_until, run_uuid limit $2";

impl Store {
    /// Up to `limit` snapshots whose archives are to be removed: nobody wants them, or they were kept until `now` at most.
    /// From then on nothing brings them back.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn agentless_snapshots_unneeded(
        &self,
        lease: Lease,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeviceSnapshot>, StoreError> {
        let unwanted =
            format!("select {COLUMNS} from agentless_snapshots where state = 3 order by run_uuid limit $1");
        let read = unwanted.clone();
        let (has_old, found) = self
            .engine
            .read(move |transaction| {
                let has_old = transaction.exists(OLD, values![now, 1_usize])?;
                Ok((has_old, transaction.list(&read, values![limit], from_row)?))
            })
            .await?;
        if !has_old {
            return Ok(found);
        }
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                let old = match transaction {
                    Transaction::Sqlite(_) => format!("in ({OLD})"),
                    // In one order with those who want some of them again, and what these were faster with stays.
                    Transaction::Postgres(_) => format!(
                        "= any(array(select run_uuid from agentless_snapshots
                             where run_uuid = any(array({OLD})) and keep_until <= $1
                             order by run_uuid for no key update))"
                    ),
                };
                let sql = format!(
                    "update agentless_snapshots set state = 3, keep_until = null where run_uuid {old}"
                );
                transaction.execute(&sql, values![now, limit])?;
                transaction.list(&unwanted, values![limit], from_row)
            })
            .await
    }

    /// Forgets snapshots that nobody wants and whose archives are removed, and deletes device tasks with the last of theirs.
    pub async fn agentless_snapshots_forget(
        &self,
        runs: Vec<RunId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.engine
            .write(move |transaction| {
                for task in delete(transaction, &runs)? {
                    let sql = "select 1 from agentless_snapshots where task_uuid = $1";
                    if !transaction.exists(sql, values![task])? {
                        tasks::delete(transaction, task, now)?;
                    }
                }
                Ok(())
            })
            .await
    }
}

/// Removes snapshots that nobody wants; answers the device tasks that ordered them.
fn delete(transaction: &Transaction<'_>, runs: &[RunId]) -> Result<BTreeSet<TaskId>, StoreError> {
    let sql = "delete from agentless_snapshots where state = 3 and run_uuid";
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
        let sql = format!("{sql} = any($1) returning task_uuid");
        return Ok(transaction.list(&sql, &[Value::Ids(&ids)], |row| row.get(0))?.into_iter().collect());
    }
    let sql = format!("{sql} = $1 returning task_uuid");
    let gone = runs.iter().map(|&run| transaction.find(&sql, values![run], |row| row.get(0)));
    gone.filter_map(Result::transpose).collect()
}
