//! How tasks stand on devices: a row for every device that a task is for, the silent ones included, and for those that
//! it was for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use guardhouse_model::{
    DeviceId, GroupId, RunId, TaskId, Timestamp, TriggerId,
    device_runs::{DeviceRunState, Missed},
    tasks::{RunStatus, may_begin},
};
use uuid::Uuid;

use super::list::{closure, status};
use crate::{
    DeviceContact, DeviceRun, DeviceRunPage, Run, RunDetail, RunTrigger, Store, StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::{group_members, groups, tasks},
};

/// Everything that is known of a run, but for its result and its progress, which may be large.
const COLUMNS: &str =
    "uuid, task_uuid, device_uuid, status, start_time, end_time, expire_time, withdrawn, begin_time,
    cancel_time, reason_code, reason, supposed, trigger_uuid";

impl Store {
    /// Looks at up to `limit` devices after `after`, in the order of their ids, and answers how a task stands on those in
    /// one of the states; no states: on all. `None`: there never was such a task.
    pub async fn device_runs_list(
        &self,
        task: TaskId,
        states: Vec<DeviceRunState>,
        after: Option<DeviceId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Option<DeviceRunPage>, StoreError> {
        let after = after.map_or(Uuid::nil(), |after| after.0);
        self.engine
            .read(move |transaction| {
                if !transaction.exists("select 1 from tasks where uuid = $1", values![task])? {
                    return Ok(None);
                }
                let page = page(transaction, task, after, limit)?;
                let next = if page.len() < limit { None } else { page.keys().next_back().copied() };
                let rows = rows(transaction, task, page, &states, now)?;
                Ok(Some(DeviceRunPage { rows, next }))
            })
            .await
    }

    /// One run with everything that is known of it, as how its task stands on its device if there were no other run.
    /// `None`: no such run.
    pub async fn device_run_get(&self, run: RunId) -> Result<Option<(TaskId, DeviceRun)>, StoreError> {
        self.engine
            .read(move |transaction| {
                let sql = format!("select {COLUMNS} from task_runs where uuid = $1");
                let Some((_, mut detail)) = transaction.find(&sql, values![run], from_row)? else {
                    return Ok(None);
                };
                complete(transaction, &mut detail)?;
                let (task, device) = (detail.run.task, detail.run.device);
                let runs = runs_of(transaction, task, &[device])?;
                let earlier = runs.get(&device).map_or(&[][..], Vec::as_slice).iter();
                let place = |detail: &RunDetail| (detail.run.start_time, detail.run.id);
                let attempts = earlier.filter(|(_, other)| place(other) <= place(&detail)).count();
                let is_target = !tasks::targets_among(transaction, task, &[device])?.is_empty();
                let row = DeviceRun {
                    device,
                    contact: contacts(transaction, &[device])?.remove(&device),
                    is_target,
                    missed: None,
                    last: Some(detail),
                    attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                };
                Ok(Some((task, row)))
            })
            .await
    }
}

/// The next devices that the task is for, or that it was for and that have runs of it: each with whether it is a target.
///
/// Each source has an index in the order of the devices; so the first `limit` of each are enough for a page of all.
fn page(
    transaction: &Transaction<'_>,
    task: TaskId,
    after: Uuid,
    limit: usize,
) -> Result<BTreeMap<DeviceId, bool>, StoreError> {
    let direct = "select target from task_targets where task_uuid = $1 and kind = 1 and target > $2
            and exists (select 1 from devices where devices.uuid = target)
        order by target limit $3";
    let of_group = "select device_uuid from dynamic_members where group_uuid = $1 and device_uuid > $2
        order by device_uuid limit $3";
    let with_runs = "select distinct device_uuid from task_runs where task_uuid = $1 and device_uuid > $2
        order by device_uuid limit $3";
    let read = |row: &Row<'_>| row.get::<DeviceId>(0);

    let mut targets: BTreeSet<DeviceId> =
        transaction.list(direct, values![task, after, limit], read)?.into_iter().collect();
    let groups = groups_of(transaction, task)?;
    for &group in &groups.dynamic {
        targets.extend(transaction.list(of_group, values![group, after, limit], read)?);
    }
    let members = group_members::merge(transaction, &groups.fixed, after, limit)?;
    targets.extend(members.into_iter().map(|member| member.device));
    let mut page: BTreeMap<DeviceId, bool> = targets.into_iter().map(|device| (device, true)).collect();
    for device in transaction.list(with_runs, values![task, after, limit], read)? {
        page.entry(device).or_insert(false);
    }
    Ok(page.into_iter().take(limit).collect())
}

/// The groups that a task is for.
pub struct TargetGroups {
    /// Static ones, with all below them.
    pub fixed: Vec<GroupId>,
    /// Dynamic ones. Those below them have no other devices.
    pub dynamic: Vec<GroupId>,
}

/// The groups that a task is for.
pub fn groups_of(transaction: &Transaction<'_>, task: TaskId) -> Result<TargetGroups, StoreError> {
    let sql = "select target from task_targets where task_uuid = $1 and kind = 2";
    let (mut fixed, mut dynamic) = (BTreeSet::new(), Vec::new());
    for group in transaction.list(sql, values![task], |row| row.get::<GroupId>(0))? {
        let below = groups::subtree(transaction, group)?;
        if below.is_empty() {
            dynamic.push(group);
        }
        fixed.extend(below);
    }
    Ok(TargetGroups { fixed: fixed.into_iter().collect(), dynamic })
}

/// The rows of a page that are in one of the states.
fn rows(
    transaction: &Transaction<'_>,
    task: TaskId,
    page: BTreeMap<DeviceId, bool>,
    states: &[DeviceRunState],
    now: Timestamp,
) -> Result<Vec<DeviceRun>, StoreError> {
    let devices: Vec<DeviceId> = page.keys().copied().collect();
    let mut contacts = contacts(transaction, &devices)?;
    let mut runs = runs_of(transaction, task, &devices)?;
    let triggers = triggers(transaction, task)?;
    let row = |(device, is_target): (DeviceId, bool)| {
        let runs = runs.remove(&device).unwrap_or_default();
        let attempts = u32::try_from(runs.len()).unwrap_or(u32::MAX);
        let led: BTreeSet<TriggerId> = runs.iter().map(|(trigger, _)| *trigger).collect();
        let last = runs.into_iter().next().map(|(_, detail)| detail);
        let handed_out = last.as_ref().map(|last| last.run.start_time);
        let missed =
            is_target.then(|| missed(&triggers, |trigger| led.contains(&trigger), handed_out, now)).flatten();
        let contact = contacts.remove(&device);
        DeviceRun { device, contact, is_target, missed, last, attempts }
    };
    let is_asked_for =
        |row: &DeviceRun| states.is_empty() || row.state().is_some_and(|state| states.contains(&state));
    let mut rows: Vec<DeviceRun> = page.into_iter().map(row).filter(is_asked_for).collect();
    for last in rows.iter_mut().filter_map(|row| row.last.as_mut()) {
        complete(transaction, last)?;
    }
    Ok(rows)
}

/// The trigger that has not led to a run on a target and matters: one that may still begin, or the newest if it came
/// behind the newest run, which was handed out at `last`. `led` says which triggers led to a run.
pub fn missed(
    triggers: &[RunTrigger],
    led: impl Fn(TriggerId) -> bool,
    last: Option<Timestamp>,
    now: Timestamp,
) -> Option<(Missed, RunTrigger)> {
    let is_due = |trigger: &&RunTrigger| may_begin(trigger.expire_time, now) && !led(trigger.id);
    if let Some(due) = triggers.iter().find(is_due) {
        return Some((Missed::Due, *due));
    }
    let newest = triggers.first().filter(|trigger| !led(trigger.id))?;
    let is_newer = last.is_none_or(|last| newest.create_time > last);
    let ended = if newest.cancel_time.is_some() { Missed::Cancelled } else { Missed::Expired };
    is_newer.then_some((ended, *newest))
}

/// The triggers of a task, newest first.
pub fn triggers(transaction: &Transaction<'_>, task: TaskId) -> Result<Vec<RunTrigger>, StoreError> {
    let sql = "select uuid, create_time, expire_time, cancel_time from task_triggers where task_uuid = $1
        order by create_time desc, uuid desc";
    transaction.list(sql, values![task], |row| {
        Ok(RunTrigger {
            id: row.get(0)?,
            create_time: row.get(1)?,
            expire_time: row.get(2)?,
            cancel_time: row.get(3)?,
        })
    })
}

fn contacts(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, DeviceContact>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok((row.get(0)?, DeviceContact { display_name: row.get(1)?, last_sync_time: row.get(2)? }))
    };
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
        let sql = "select uuid, display_name, last_sync_time from devices where uuid = any($1)";
        return Ok(transaction.list(sql, &[Value::Ids(&ids)], read)?.into_iter().collect());
    }
    let sql = "select uuid, display_name, last_sync_time from devices where uuid = $1";
    let found = devices.iter().map(|&device| transaction.find(sql, values![device], read));
    found.filter_map(Result::transpose).collect()
}

/// The runs of a task on each of the devices, newest first, without results and progress.
fn runs_of(
    transaction: &Transaction<'_>,
    task: TaskId,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, Vec<(TriggerId, RunDetail)>>, StoreError> {
    let mut found: HashMap<DeviceId, Vec<_>> = HashMap::new();
    let order = "order by start_time desc, uuid desc";
    let runs = if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
        let sql =
            format!("select {COLUMNS} from task_runs where task_uuid = $1 and device_uuid = any($2) {order}");
        transaction.list(&sql, &[task.into(), Value::Ids(&ids)], from_row)?
    } else {
        let sql =
            format!("select {COLUMNS} from task_runs where task_uuid = $1 and device_uuid = $2 {order}");
        let of = |&device| transaction.list(&sql, values![task, device], from_row);
        devices.iter().map(of).collect::<Result<Vec<Vec<_>>, _>>()?.concat()
    };
    for (trigger, detail) in runs {
        found.entry(detail.run.device).or_default().push((trigger, detail));
    }
    Ok(found)
}

fn from_row(row: &Row<'_>) -> Result<(TriggerId, RunDetail), StoreError> {
    let run = Run {
        id: row.get(0)?,
        task: row.get(1)?,
        device: row.get(2)?,
        status: status(row, 3)?,
        start_time: row.get(4)?,
        end_time: row.get(5)?,
        result: None,
        closure: closure(row, 10)?,
    };
    let detail = RunDetail {
        run,
        expire_time: row.get(6)?,
        withdrawn: row.get(7)?,
        begin_time: row.get(8)?,
        cancel_time: row.get(9)?,
        code: row.get(10)?,
        supposed: row.get::<Option<i64>>(12)? == Some(1),
        progress: None,
    };
    Ok((row.get(13)?, detail))
}

/// Adds what may be large.
fn complete(transaction: &Transaction<'_>, detail: &mut RunDetail) -> Result<(), StoreError> {
    let is_over = detail.run.status.is_over();
    if detail.run.status == RunStatus::Queued {
        return Ok(());
    }
    let sql = "select result, progress from task_runs where uuid = $1";
    let found = transaction.find(sql, values![detail.run.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (result, progress) = found.unwrap_or_default();
    detail.run.result = result;
    // A version that knows no progress leaves it behind.
    detail.progress = if is_over { None } else { progress };
    Ok(())
}
