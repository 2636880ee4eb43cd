//! What is not to be carried out any more, whether it has begun or not.

use guardhouse_model::{DeviceId, TaskId, TemplateId, Timestamp, device_runs::CANCELLED, tasks::run_id};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{
    Cancelled, Store, StoreError, Trigger,
    engine::{Transaction, Value, values},
    verbs::tasks,
};

/// Why a run ended that nobody handed out.
const REASON: &str = "the task was cancelled before it was handed out to the device";

impl Store {
    /// Cancels a task: on all devices, or on some of its targets only. What was not handed out is not handed out any
    /// more, what is not over is to be stopped. `None`: there never was such a task.
    ///
    /// On all devices, its triggers end here. On some, a run that was not handed out ends at once.
    pub async fn task_runs_cancel(
        &self,
        task: TaskId,
        only: Option<Vec<DeviceId>>,
        now: Timestamp,
    ) -> Result<Option<Cancelled>, StoreError> {
        self.engine.write(move |transaction| cancel(transaction, task, only.as_deref(), now)).await
    }
}

/// [`Store::task_runs_cancel`], inside a transaction.
pub fn cancel(
    transaction: &Transaction<'_>,
    task: TaskId,
    only: Option<&[DeviceId]>,
    now: Timestamp,
) -> Result<Option<Cancelled>, StoreError> {
    // Who hands the task out at this moment is waited for, or waits.
    let sql =
        transaction.locking("select template_uuid, delete_time from tasks where uuid = $1", "for update");
    let found = transaction
        .find(&sql, values![task], |row| Ok((row.get::<TemplateId>(0)?, row.get::<Option<Timestamp>>(1)?)))?;
    let Some((template, deleted)) = found else { return Ok(None) };
    match only {
        _ if deleted.is_some() => {}
        None => end_triggers(transaction, task, now)?,
        Some(devices) => withhold(transaction, task, template, devices, now)?,
    }
    ask(transaction, task, only, now).map(Some)
}

/// Ends the triggers that may still begin. A trigger that has expired starts nothing in any version of the server.
fn end_triggers(transaction: &Transaction<'_>, task: TaskId, now: Timestamp) -> Result<(), StoreError> {
    let before = now.checked_sub(SignedDuration::from_micros(1)).unwrap_or(now);
    let sql = "update task_triggers set cancel_time = $2, expire_time = $3
        where task_uuid = $1 and expire_time >= $2";
    if transaction.execute(sql, values![task, now, before])? > 0 {
        tasks::touch(transaction, task, now)?;
    }
    Ok(())
}

/// Ends what was not handed out to those of the devices that the task is for.
fn withhold(
    transaction: &Transaction<'_>,
    task: TaskId,
    template: TemplateId,
    devices: &[DeviceId],
    now: Timestamp,
) -> Result<(), StoreError> {
    let devices = tasks::targets_among(transaction, task, devices)?;
    let triggers: Vec<Trigger> = tasks::triggers(transaction, task)?;
    for trigger in triggers.into_iter().filter(|trigger| trigger.expire_time >= now) {
        if let Transaction::Postgres(_) = transaction {
            let runs: Vec<Uuid> = devices.iter().map(|&device| run_id(trigger.id, device).0).collect();
            let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
            transaction.execute(
                "insert into task_runs (uuid, device_uuid, task_uuid, trigger_uuid, template_uuid, status,
                     start_time, end_time, expire_time, cancel_time, reason_code, reason)
                 select run, device, $3, $4, $5, 4, $6, $6, $7, $6, $8, $9
                 from unnest($1, $2) as cancelled (run, device) on conflict do nothing",
                &[
                    Value::Ids(&runs),
                    Value::Ids(&ids),
                    task.into(),
                    trigger.id.into(),
                    template.into(),
                    now.into(),
                    trigger.expire_time.into(),
                    CANCELLED.into(),
                    REASON.into(),
                ],
            )?;
            continue;
        }
        for &device in &devices {
            transaction.execute(
                "insert into task_runs (uuid, device_uuid, task_uuid, trigger_uuid, template_uuid, status,
                     start_time, end_time, expire_time, cancel_time, reason_code, reason)
                 values ($1, $2, $3, $4, $5, 4, $6, $6, $7, $6, $8, $9) on conflict do nothing",
                values![
                    run_id(trigger.id, device),
                    device,
                    task,
                    trigger.id,
                    template,
                    now,
                    trigger.expire_time,
                    CANCELLED,
                    REASON
                ],
            )?;
        }
    }
    Ok(())
}

/// Notes of the runs that are not over that they are to be stopped.
fn ask(
    transaction: &Transaction<'_>,
    task: TaskId,
    only: Option<&[DeviceId]>,
    now: Timestamp,
) -> Result<Cancelled, StoreError> {
    let open = "task_uuid = $1 and status in (1, 2) and withdrawn = 0";
    let set = "update task_runs set cancel_time = coalesce(cancel_time, $2) where";
    let returning = "returning device_uuid";
    let lock = |which: &str| {
        // In one order with those who report of several runs.
        format!(
            "{set} uuid = any(array(select uuid from task_runs where {which} order by uuid for no key update))
             {returning}"
        )
    };
    let of_device = format!("{open} and device_uuid = $3");
    let mut found: Vec<DeviceId> = match (transaction, only) {
        (Transaction::Sqlite(_), None) => {
            transaction.list(&format!("{set} {open} {returning}"), values![task, now], |row| row.get(0))?
        }
        (Transaction::Sqlite(_), Some(devices)) => {
            let sql = format!("{set} {of_device} {returning}");
            let of = |&device| transaction.list(&sql, values![task, now, device], |row| row.get(0));
            devices.iter().map(of).collect::<Result<Vec<Vec<_>>, _>>()?.concat()
        }
        (Transaction::Postgres(_), None) => {
            transaction.list(&lock(open), values![task, now], |row| row.get(0))?
        }
        (Transaction::Postgres(_), Some(devices)) => {
            let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
            let sql = lock(&format!("{open} and device_uuid = any($3)"));
            transaction.list(&sql, &[task.into(), now.into(), Value::Ids(&ids)], |row| row.get(0))?
        }
    };
    let open_runs = found.len() as u64;
    found.sort_unstable();
    found.dedup();
    Ok(Cancelled { asked: found, open_runs })
}
