//! Hand-out: what there is to do for devices that ask.

use std::collections::{HashMap, HashSet};

use guardhouse_model::{DeviceId, TaskId, TemplateId, Timestamp, TriggerId, tasks::run_id};
use uuid::Uuid;

use crate::{
    Claim, OpenRun, Store, StoreError, Work,
    engine::{Row, Transaction, Value, values},
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
    scope (kind, target) as (
        select 1, $1
        union all select 2, uuid from above
        union all select 2, group_uuid from dynamic_members where dynamic_members.device_uuid = $1
    )
    select distinct task_triggers.uuid, task_triggers.task_uuid, template_uuid, expire_time, $1
    from scope cross join task_targets cross join tasks cross join task_triggers
    where task_targets.target = scope.target and task_targets.kind = scope.kind
      and tasks.uuid = task_targets.task_uuid and delete_time is null
      and task_triggers.task_uuid = tasks.uuid and expire_time >= $2
      and not exists (select 1 from task_runs
          where trigger_uuid = task_triggers.uuid and device_uuid = $1)
      and exists (select 1 from devices where uuid = $1)
    order by task_triggers.uuid limit $3";

/// [`DUE`] for all the devices `$1` at once: on PostgreSQL a statement costs a journey.
///
/// `offset 0` keeps PostgreSQL to the order from device to trigger, and to one look for each run: what it guesses of
/// the groups above a device is far too much, and it would rather read all targets, or all runs of a trigger.
const DUE_OF_MANY: &str = "with recursive above (device, uuid) as (
        select uuid, group_uuid from devices where uuid = any($1)
        union all
        select device, parent from device_groups join above on device_groups.uuid = above.uuid
        where parent is not null
    ),
    scope (device, kind, target) as (
        select uuid, 1, uuid from devices where uuid = any($1)
        union all select device, 2, uuid from above
        union all select device_uuid, 2, group_uuid from dynamic_members where device_uuid = any($1)
    )
    select trigger, task, template_uuid, expire_time, device from (
        select due.*, row_number() over (partition by device order by trigger) as place from (
            select distinct triggers.uuid as trigger, task_uuid as task, template_uuid, expire_time, scope.device
            from scope
            cross join lateral (select task_uuid from task_targets
                where target = scope.target and kind = scope.kind offset 0) targets
            cross join lateral (select task_triggers.uuid, template_uuid, expire_time from tasks
                join task_triggers on task_triggers.task_uuid = tasks.uuid
                where tasks.uuid = targets.task_uuid and delete_time is null and expire_time >= $2
                offset 0) triggers
            where not exists (select 1 from task_runs
                where trigger_uuid = triggers.uuid and device_uuid = scope.device offset 0)
        ) due
    ) ranked where place <= $3 order by device, trigger";

/// The runs of device `$1` that are not over.
const OPEN: &str = "select task_runs.uuid, action, expire_time, withdrawn, device_uuid, cancel_time
    from task_runs join task_templates on task_templates.uuid = template_uuid
    where device_uuid = $1 and status in (1, 2) order by task_runs.uuid";

/// [`OPEN`] for all the devices `$1` at once.
const OPEN_OF_MANY: &str = "select task_runs.uuid, action, expire_time, withdrawn, device_uuid, cancel_time
    from task_runs join task_templates on task_templates.uuid = template_uuid
    where device_uuid = any($1) and status in (1, 2) order by task_runs.uuid";

/// A trigger that is to begin on a device.
struct Due {
    trigger: TriggerId,
    task: TaskId,
    template: TemplateId,
    expire_time: Timestamp,
    device: DeviceId,
}

impl Store {
    /// Most runs that one call of [`Store::task_runs_claim`] hands out to a device: the rest follows with the next.
    pub const HAND_OUT: usize = 200;

    /// What there is to do for devices, in the order asked for. New runs are written (QUEUED) before they are
    /// answered, each trigger once per device, however often and from wherever this is called.
    ///
    /// # Errors
    /// As of every verb. Nothing is handed out then.
    pub async fn task_runs_claim(&self, claims: Vec<Claim>, now: Timestamp) -> Result<Vec<Work>, StoreError> {
        // Most looks find nothing new; those must not queue for the writer.
        let (claims, mut work, due) = self
            .engine
            .read(move |transaction| {
                let work = open_work(transaction, &claims)?;
                let asking: Vec<DeviceId> = std::iter::zip(&claims, &work)
                    .filter(|(_, work)| matches!(work, Work::Runs(_)))
                    .map(|(claim, _)| claim.device)
                    .collect();
                let due: HashSet<DeviceId> =
                    due(transaction, &asking, now, 1)?.into_iter().map(|due| due.device).collect();
                Ok((claims, work, due))
            })
            .await?;
        if due.is_empty() {
            return Ok(work);
        }
        self.engine
            .write(move |transaction| {
                let (places, claims): (Vec<usize>, Vec<Claim>) =
                    claims.into_iter().enumerate().filter(|(_, claim)| due.contains(&claim.device)).unzip();
                let devices: Vec<DeviceId> = due.into_iter().collect();
                hand_out(transaction, &devices, now)?;
                for (place, new) in places.into_iter().zip(open_work(transaction, &claims)?) {
                    work[place] = new;
                }
                Ok(work)
            })
            .await
    }
}

/// Writes the runs that are due.
fn hand_out(transaction: &Transaction<'_>, devices: &[DeviceId], now: Timestamp) -> Result<(), StoreError> {
    let mut found = due(transaction, devices, now, Store::HAND_OUT)?;
    if let Transaction::Postgres(_) = transaction {
        // Whoever deletes or retargets one of the tasks at this moment is waited for, or waits: what is read
        // behind the lock holds until the runs are written.
        let mut tasks: Vec<Uuid> = found.iter().map(|due| due.task.0).collect();
        tasks.sort_unstable();
        tasks.dedup();
        let sql = "select uuid from tasks where uuid = any($1) order by uuid for share";
        transaction.execute(sql, &[Value::Ids(&tasks)])?;
        found = due(transaction, devices, now, Store::HAND_OUT)?;
        found.retain(|due| tasks.binary_search(&due.task.0).is_ok());
        return insert_as_arrays(transaction, &found, now);
    }
    for due in found {
        transaction.execute(
            "insert into task_runs (uuid, task_uuid, trigger_uuid, template_uuid, device_uuid, status,
                 start_time, expire_time)
             values ($1, $2, $3, $4, $5, 1, $6, $7)",
            values![
                run_id(due.trigger, due.device),
                due.task,
                due.trigger,
                due.template,
                due.device,
                now,
                due.expire_time,
            ],
        )?;
    }
    Ok(())
}

fn insert_as_arrays(transaction: &Transaction<'_>, runs: &[Due], now: Timestamp) -> Result<(), StoreError> {
    let ids = |of: fn(&Due) -> Uuid| runs.iter().map(of).collect::<Vec<_>>();
    let expiries: Vec<i64> = runs.iter().map(|due| due.expire_time.as_microsecond()).collect();
    // Another session of the device may have been faster: the runs are the same.
    transaction.execute(
        "insert into task_runs (uuid, task_uuid, trigger_uuid, template_uuid, device_uuid, expire_time, status,
             start_time)
         select *, 1, $7 from unnest($1, $2, $3, $4, $5, $6) on conflict do nothing",
        &[
            Value::Ids(&ids(|due| run_id(due.trigger, due.device).0)),
            Value::Ids(&ids(|due| due.task.0)),
            Value::Ids(&ids(|due| due.trigger.0)),
            Value::Ids(&ids(|due| due.template.0)),
            Value::Ids(&ids(|due| due.device.0)),
            Value::Integers(&expiries),
            Value::from(now),
        ],
    )?;
    Ok(())
}

/// What may begin on the devices, up to `most` on each.
fn due(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
    now: Timestamp,
    most: usize,
) -> Result<Vec<Due>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(Due {
            trigger: row.get(0)?,
            task: row.get(1)?,
            template: row.get(2)?,
            expire_time: row.get(3)?,
            device: row.get(4)?,
        })
    };
    if let Transaction::Postgres(_) = transaction {
        let values = [Value::Ids(&ids(devices)), Value::from(now), Value::from(most)];
        return transaction.list(DUE_OF_MANY, &values, read);
    }
    let mut found = Vec::new();
    for &device in devices {
        found.extend(transaction.list(DUE, values![device, now, most], read)?);
    }
    Ok(found)
}

/// What is not over, for each claim.
fn open_work(transaction: &Transaction<'_>, claims: &[Claim]) -> Result<Vec<Work>, StoreError> {
    let devices: Vec<DeviceId> = claims.iter().map(|claim| claim.device).collect();
    let epochs = epochs(transaction, &devices)?;
    let runs = open_runs(transaction, &devices)?;
    let work = |claim: &Claim| match epochs.get(&claim.device) {
        None => Work::NotManaged,
        Some(&epoch) if epoch > claim.epoch => Work::Superseded,
        Some(_) => Work::Runs(runs.get(&claim.device).cloned().unwrap_or_default()),
    };
    Ok(claims.iter().map(work).collect())
}

/// The epoch of the latest connection of each device that exists; 0: none yet.
fn epochs(transaction: &Transaction<'_>, devices: &[DeviceId]) -> Result<HashMap<DeviceId, u64>, StoreError> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    if let Transaction::Postgres(_) = transaction {
        let sql = "select uuid, coalesce(epoch, 0) from devices left join device_links on device_uuid = uuid
            where uuid = any($1)";
        return Ok(transaction.list(sql, &[Value::Ids(&ids(devices))], read)?.into_iter().collect());
    }
    let sql = "select uuid, coalesce(epoch, 0) from devices left join device_links on device_uuid = uuid
        where uuid = $1";
    let found = devices.iter().map(|&device| transaction.find(sql, values![device], read));
    found.filter_map(Result::transpose).collect()
}

fn open_runs(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, Vec<OpenRun>>, StoreError> {
    let read = |row: &Row<'_>| {
        let run = OpenRun {
            id: row.get(0)?,
            action: row.get(1)?,
            expire_time: row.get(2)?,
            withdrawn: row.get(3)?,
            cancelled: row.get::<Option<Timestamp>>(5)?.is_some(),
        };
        Ok((row.get(4)?, run))
    };
    let mut found: HashMap<DeviceId, Vec<OpenRun>> = HashMap::new();
    if let Transaction::Postgres(_) = transaction {
        for (device, run) in transaction.list(OPEN_OF_MANY, &[Value::Ids(&ids(devices))], read)? {
            found.entry(device).or_default().push(run);
        }
        return Ok(found);
    }
    for &device in devices {
        let runs = transaction.list(OPEN, values![device], read)?;
        found.insert(device, runs.into_iter().map(|(_, run): (DeviceId, OpenRun)| run).collect());
    }
    Ok(found)
}

fn ids(devices: &[DeviceId]) -> Vec<Uuid> {
    devices.iter().map(|device| device.0).collect()
}
