//! Task runs: hand-out to devices, progress, results.

use guardhouse_model::{
    DeviceId, RunId, TaskId, Timestamp,
    tasks::{RunStatus, run_id},
};
use rusqlite::{Connection, Row};

use crate::{
    OpenRun, Run, RunEnd, RunPosition, Store, StoreError, Work,
    sql::{Id, Micros},
    verbs::groups::row_limit,
};

/// The triggers that have not yet led to a run on device `$1` and may begin one at `$2`.
///
/// The cross joins keep SQLite to the order from device to trigger: left to itself it reads every trigger
/// there is, which spares it a sort of the few that are found.
const DUE: &str = "with recursive above (uuid) as (
        select group_uuid from devices where uuid = $1
        union all
        select parent from device_groups join above on device_groups.uuid = above.uuid
        where parent is not null
    ),
    scope (kind, target) as (select 1, $1 union all select 2, uuid from above)
    select distinct task_triggers.uuid, task_triggers.task_uuid, template_uuid, expire_time
    from scope cross join task_targets cross join tasks cross join task_triggers
    where task_targets.target = scope.target and task_targets.kind = scope.kind
      and tasks.uuid = task_targets.task_uuid and delete_time is null
      and task_triggers.task_uuid = tasks.uuid and expire_time >= $2
      and not exists (select 1 from task_runs
          where trigger_uuid = task_triggers.uuid and device_uuid = $1)
      and exists (select 1 from devices where uuid = $1)
    order by task_triggers.uuid";

impl Store {
    /// Most runs that one call of [`Store::task_runs_claim`] hands out: the rest follows with the next.
    pub const HAND_OUT: usize = 200;

    /// What there is to do for a device. New runs are written (QUEUED) before they are answered, each trigger
    /// once per device, however often and from wherever this is called.
    pub async fn task_runs_claim(&self, device: DeviceId, now: Timestamp) -> Result<Work, StoreError> {
        // Most looks find nothing new; those must not queue for the writer.
        let (work, due) = self
            .engine
            .read(move |connection| {
                let due = connection.prepare_cached(DUE)?.exists((Id::from(device), Micros(now)))?;
                Ok((open_work(connection, device)?, due))
            })
            .await?;
        if !due {
            return Ok(work);
        }
        self.engine
            .write(move |connection| {
                hand_out(connection, device, now)?;
                open_work(connection, device)
            })
            .await
    }

    /// Notes that a run began. False: the device has no such run.
    pub async fn task_run_started(&self, run: RunId, device: DeviceId) -> Result<bool, StoreError> {
        self.engine
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "update task_runs set status = 2, withdrawn = 0
                         where uuid = $1 and device_uuid = $2 and status = 1",
                    )?
                    .execute((Id::from(run), Id::from(device)))?;
                run_exists(connection, run, device)
            })
            .await
    }

    /// Keeps how a run ended. The first end counts; a repeated one changes nothing. False: the device has no
    /// such run.
    pub async fn task_run_ended(&self, end: RunEnd) -> Result<bool, StoreError> {
        self.engine
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "update task_runs set status = $1, end_time = max(start_time, $2), result = $3, withdrawn = 0
                         where uuid = $4 and device_uuid = $5 and status in (1, 2)",
                    )?
                    .execute((
                        end.status as i32,
                        Micros(end.end_time),
                        &end.result,
                        Id::from(end.run),
                        Id::from(end.device),
                    ))?;
                run_exists(connection, end.run, end.device)
            })
            .await
    }

    /// Forgets a withdrawn run that the device has not begun.
    pub async fn task_run_withdrawn(&self, run: RunId, device: DeviceId) -> Result<(), StoreError> {
        self.engine
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "delete from task_runs
                         where uuid = $1 and device_uuid = $2 and status = 1 and withdrawn = 1",
                    )?
                    .execute((Id::from(run), Id::from(device)))?;
                Ok(())
            })
            .await
    }

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
            .read(move |connection| {
                let known = connection
                    .prepare_cached("select 1 from tasks where uuid = $1")?
                    .exists([Id::from(task)])?;
                if !known {
                    return Ok(None);
                }
                list(connection, task, device, only_last, after, limit).map(Some)
            })
            .await
    }
}

fn hand_out(connection: &Connection, device: DeviceId, now: Timestamp) -> Result<(), StoreError> {
    let mut due = connection.prepare_cached(&format!("{DUE} limit $3"))?;
    let mut rows = due.query((Id::from(device), Micros(now), row_limit(Store::HAND_OUT)))?;
    let mut insert = connection.prepare_cached(
        "insert into task_runs (uuid, task_uuid, trigger_uuid, template_uuid, device_uuid, status,
             start_time, expire_time)
         values ($1, $2, $3, $4, $5, 1, $6, $7)",
    )?;
    let mut claimed = Vec::new();
    while let Some(row) = rows.next()? {
        let (trigger, task, template): (Id, Id, Id) = (row.get(0)?, row.get(1)?, row.get(2)?);
        claimed.push((trigger, task, template, row.get::<_, Micros>(3)?));
    }
    for (trigger, task, template, expire_time) in claimed {
        let run = Id::from(run_id(trigger.into(), device));
        insert.execute((run, task, trigger, template, Id::from(device), Micros(now), expire_time))?;
    }
    Ok(())
}

fn open_work(connection: &Connection, device: DeviceId) -> Result<Work, StoreError> {
    let managed =
        connection.prepare_cached("select 1 from devices where uuid = $1")?.exists([Id::from(device)])?;
    if !managed {
        return Ok(Work::NotManaged);
    }
    let mut statement = connection.prepare_cached(
        "select task_runs.uuid, action, expire_time, withdrawn
         from task_runs join task_templates on task_templates.uuid = template_uuid
         where device_uuid = $1 and status in (1, 2) order by task_runs.uuid",
    )?;
    let runs = statement.query_map([Id::from(device)], |row| {
        Ok(OpenRun {
            id: row.get::<_, Id>(0)?.into(),
            action: row.get(1)?,
            expire_time: row.get::<_, Micros>(2)?.0,
            withdrawn: row.get(3)?,
        })
    })?;
    Ok(Work::Runs(runs.collect::<Result<_, _>>()?))
}

fn run_exists(connection: &Connection, run: RunId, device: DeviceId) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("select 1 from task_runs where uuid = $1 and device_uuid = $2")?;
    Ok(statement.exists((Id::from(run), Id::from(device)))?)
}

fn list(
    connection: &Connection,
    task: TaskId,
    device: Option<DeviceId>,
    only_last: bool,
    after: Option<RunPosition>,
    limit: usize,
) -> Result<Vec<Run>, StoreError> {
    // A withdrawn run that has not begun is lost already, even while the device has not confirmed it.
    let mut sql = "select uuid, task_uuid, device_uuid, status, start_time, end_time, result
        from task_runs where task_uuid = $1 and not (withdrawn = 1 and status = 1)
          and (start_time, uuid) < ($2, $3)"
        .to_owned();
    if device.is_some() {
        sql.push_str(" and device_uuid = $4");
    }
    if only_last {
        sql.push_str(
            " and not exists (select 1 from task_runs later
                where later.task_uuid = task_runs.task_uuid and later.device_uuid = task_runs.device_uuid
                  and not (later.withdrawn = 1 and later.status = 1)
                  and (later.start_time, later.uuid) > (task_runs.start_time, task_runs.uuid))",
        );
    }
    // SQLite numbers `$n` by first appearance: the limit is the last parameter, whatever came before.
    sql.push_str(" order by start_time desc, uuid desc limit $last");

    let start = after.map_or(Timestamp::MAX, |after| after.start_time);
    let id = after.map_or(uuid::Uuid::max(), |after| after.id.0);
    let mut statement = connection.prepare_cached(&sql)?;
    let (task, start, id, limit) = (Id::from(task), Micros(start), Id(id), row_limit(limit));
    let runs = match device {
        None => statement.query_map((task, start, id, limit), from_row)?,
        Some(device) => statement.query_map((task, start, id, Id::from(device), limit), from_row)?,
    };
    Ok(runs.collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    let status: i32 = row.get(3)?;
    Ok(Run {
        id: row.get::<_, Id>(0)?.into(),
        task: row.get::<_, Id>(1)?.into(),
        device: row.get::<_, Id>(2)?.into(),
        status: RunStatus::from_number(status)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(3, status.into()))?,
        start_time: row.get::<_, Micros>(4)?.0,
        end_time: row.get::<_, Option<Micros>>(5)?.map(|time| time.0),
        result: row.get(6)?,
    })
}
