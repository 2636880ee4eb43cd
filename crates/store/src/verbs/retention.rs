//! What is removed when it has become old. Every verb here looks at a bounded number of rows, so that others
//! who write wait for a step and never for all of it.

use guardhouse_model::{RunId, TemplateId, Timestamp};
use uuid::Uuid;

use crate::{
    Lease, Store, StoreError,
    engine::{Transaction, values},
    verbs::{leases, tasks},
};

/// Runs after `$1` up to `$2` that may go when all that ended before `$3` may.
///
/// The expiry of the trigger counts, too: without its run a trigger that has not expired would start another.
/// Of a run that has not ended the device may still say how it went, unless there is no device any more.
const REMOVABLE_RUNS: &str = "from task_runs where uuid > $1 and uuid <= $2 and expire_time < $3
    and (end_time < $3 or not exists (select 1 from devices where devices.uuid = device_uuid))";

/// Tasks that were deleted before `$1` and have no runs any more.
const REMOVABLE_TASKS: &str = "select uuid from tasks where delete_time < $1
    and not exists (select 1 from task_runs where task_uuid = tasks.uuid)";

impl Store {
    /// Removes runs that ended before `before` and whose trigger had expired by then. Looks at up to `limit`
    /// runs after `after` in the order of their ids; answers where to go on, or `None` at the end.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn task_runs_expire(
        &self,
        lease: Lease,
        before: Timestamp,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Option<RunId>, StoreError> {
        let after = after.map_or(Uuid::nil(), |after| after.0);
        let end = first_id_at(before);
        let (last, found) = self
            .engine
            .read(move |transaction| {
                let ids = transaction.list(
                    "select uuid from task_runs where uuid > $1 and uuid < $2 order by uuid limit $3",
                    values![after, end, limit],
                    |row| row.get::<Uuid>(0),
                )?;
                let last = if ids.len() < limit { None } else { ids.last().copied() };
                let sql = format!("select 1 {REMOVABLE_RUNS}");
                let found = transaction.exists(&sql, values![after, last.unwrap_or(end), before])?;
                Ok((last, found))
            })
            .await?;
        if found {
            self.engine
                .write(move |transaction| {
                    leases::hold(transaction, lease)?;
                    let sql = match transaction {
                        Transaction::Sqlite(_) => format!("delete {REMOVABLE_RUNS}"),
                        // In one order with those who report of several runs.
                        Transaction::Postgres(_) => format!(
                            "delete from task_runs where uuid
                             = any(array(select uuid {REMOVABLE_RUNS} order by uuid for update of task_runs))"
                        ),
                    };
                    transaction.execute(&sql, values![after, last.unwrap_or(end), before])
                })
                .await?;
        }
        Ok(last.map(RunId))
    }

    /// Removes up to `limit` tasks that were deleted before `before` and have no runs any more, and templates
    /// with the last of their tasks. Answers how many tasks went.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn tasks_expire(
        &self,
        lease: Lease,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let found =
            self.engine.read(move |transaction| transaction.exists(REMOVABLE_TASKS, values![before])).await?;
        if !found {
            return Ok(0);
        }
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                let which = match transaction {
                    Transaction::Sqlite(_) => format!("in ({REMOVABLE_TASKS} limit $2)"),
                    // As an array the few are looked up; as a set they would be joined with all tasks.
                    Transaction::Postgres(_) => format!("= any(array({REMOVABLE_TASKS} limit $2))"),
                };
                let sql = format!("delete from tasks where uuid {which} returning template_uuid");
                let mut templates =
                    transaction.list(&sql, values![before, limit], |row| row.get::<TemplateId>(0))?;
                let removed = templates.len();
                templates.sort_unstable();
                templates.dedup();
                for template in templates {
                    tasks::delete_unused(transaction, template)?;
                }
                Ok(removed)
            })
            .await
    }
}

/// The smallest id that a run of a trigger from `moment` or later can have: ids begin with the milliseconds
/// (48 bits), so that old runs need no index to be found.
fn first_id_at(moment: Timestamp) -> Uuid {
    let millis = u128::try_from(moment.as_millisecond()).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}
