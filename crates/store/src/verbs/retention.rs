//! What is removed when it has become old. Every verb here looks at a bounded number of rows, so that others
//! who write wait for a step and never for all of it.

use guardhouse_model::{RunId, Timestamp};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    sql::{Id, Micros},
    verbs::groups::row_limit,
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
    pub async fn task_runs_expire(
        &self,
        before: Timestamp,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Option<RunId>, StoreError> {
        let after = Id(after.map_or(Uuid::nil(), |after| after.0));
        let end = Id(first_id_at(before));
        let (last, found) =
            self.engine
                .read(move |connection| {
                    let mut step = connection.prepare_cached(
                        "select uuid from task_runs where uuid > $1 and uuid < $2 order by uuid limit $3",
                    )?;
                    let ids = step.query_map((after, end, row_limit(limit)), |row| row.get::<_, Id>(0))?;
                    let ids = ids.collect::<Result<Vec<_>, _>>()?;
                    let last = if ids.len() < limit { None } else { ids.last().copied() };
                    let found = connection
                        .prepare_cached(&format!("select 1 {REMOVABLE_RUNS}"))?
                        .exists((after, last.unwrap_or(end), Micros(before)))?;
                    Ok((last, found))
                })
                .await?;
        if found {
            self.engine
                .write(move |connection| {
                    connection.prepare_cached(&format!("delete {REMOVABLE_RUNS}"))?.execute((
                        after,
                        last.unwrap_or(end),
                        Micros(before),
                    ))?;
                    Ok(())
                })
                .await?;
        }
        Ok(last.map(Into::into))
    }

    /// Removes up to `limit` tasks that were deleted before `before` and have no runs any more, and templates
    /// with the last of their tasks. Answers how many tasks went.
    pub async fn tasks_expire(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let found = self
            .engine
            .read(move |connection| {
                Ok(connection.prepare_cached(REMOVABLE_TASKS)?.exists([Micros(before)])?)
            })
            .await?;
        if !found {
            return Ok(0);
        }
        self.engine
            .write(move |connection| {
                let mut delete = connection.prepare_cached(&format!(
                    "delete from tasks where uuid in ({REMOVABLE_TASKS} limit $2) returning template_uuid"
                ))?;
                let templates =
                    delete.query_map((Micros(before), row_limit(limit)), |row| row.get::<_, Id>(0))?;
                let templates = templates.collect::<Result<Vec<_>, _>>()?;
                let mut delete = connection.prepare_cached(
                    "delete from task_templates where uuid = $1
                       and not exists (select 1 from tasks where template_uuid = task_templates.uuid)",
                )?;
                for template in &templates {
                    delete.execute([template])?;
                }
                Ok(templates.len())
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
