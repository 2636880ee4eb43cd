//! What became of a task.

use guardhouse_model::{DeviceId, TaskId, Timestamp, tasks::RunStatus};
use uuid::Uuid;

use crate::{
    Closure, Run, RunPosition, Store, StoreError,
    engine::{Row, Transaction, Value, values},
};

impl Store {
    /// Runs of a task, newest first: up to `limit` after `after`, of one device if `device` says so, with
    /// `only_last` the latest of each device only. `None`: there never was such a task.
    pub async fn task_runs_list(
        &self,
        task: TaskId,
        device: Option<DeviceId>,
        only_last: bool,
        after: Option<RunPosition>,
        limit: usize,
    ) -> Result<Option<Vec<Run>>, StoreError> {
        self.engine
            .read(move |transaction| {
                if !transaction.exists("select 1 from tasks where uuid = $1", values![task])? {
                    return Ok(None);
                }
                list(transaction, task, device, only_last, after, limit).map(Some)
            })
            .await
    }
}

fn list(
    transaction: &Transaction<'_>,
    task: TaskId,
    device: Option<DeviceId>,
    only_last: bool,
    after: Option<RunPosition>,
    limit: usize,
) -> Result<Vec<Run>, StoreError> {
    // A withdrawn run that has not begun is lost already, even while the device has not confirmed it.
    let mut sql =
        "select uuid, task_uuid, device_uuid, status, start_time, end_time, result, reason_code, reason
        from task_runs where task_uuid = $1 and not (withdrawn = 1 and status = 1)
          and (start_time, uuid) < ($2, $3)"
            .to_owned();
    if device.is_some() {
        sql.push_str(" and device_uuid = $4");
    }
    if only_last {
        // The limit keeps PostgreSQL to one look for each run; it would rather compare all runs with all.
        sql.push_str(
            " and not exists (select 1 from task_runs later
                where later.task_uuid = task_runs.task_uuid and later.device_uuid = task_runs.device_uuid
                  and not (later.withdrawn = 1 and later.status = 1)
                  and (later.start_time, later.uuid) > (task_runs.start_time, task_runs.uuid)
                limit 1 offset 0)",
        );
    }
    sql.push_str(" order by start_time desc, uuid desc limit $5");

    let start = after.map_or(Timestamp::MAX, |after| after.start_time);
    let id = after.map_or(Uuid::max(), |after| after.id.0);
    // A value that nobody asks for is not sent: PostgreSQL could not tell its type.
    let of = device.map_or(Value::from(task), Value::from);
    transaction.list(&sql, values![task, start, id, of, limit], from_row)
}

fn from_row(row: &Row<'_>) -> Result<Run, StoreError> {
    Ok(Run {
        id: row.get(0)?,
        task: row.get(1)?,
        device: row.get(2)?,
        status: status(row, 3)?,
        start_time: row.get(4)?,
        end_time: row.get(5)?,
        result: row.get(6)?,
        closure: closure(row, 7)?,
    })
}

/// The status at `place`.
pub fn status(row: &Row<'_>, place: usize) -> Result<RunStatus, StoreError> {
    let number: i64 = row.get(place)?;
    let status = i32::try_from(number).ok().and_then(RunStatus::from_number);
    status.ok_or_else(|| StoreError::Inconsistent(format!("a run has the status {number}")))
}

/// Why the server ended a run: it did when there is a reason, which stands behind the code at `place`.
pub fn closure(row: &Row<'_>, place: usize) -> Result<Option<Closure>, StoreError> {
    let Some(reason) = row.get(place + 1)? else { return Ok(None) };
    Ok(Some(Closure { code: row.get::<Option<String>>(place)?.unwrap_or_default(), reason }))
}
