//! Whom a task is for.

use guardhouse_model::{DeviceId, GroupId, TaskId};
use uuid::Uuid;

use crate::{
    MissingTarget, StoreError, Targets,
    engine::{Transaction, Value, values},
    verbs::groups,
};

/// How a target is kept.
const DEVICE: i64 = 1;
const GROUP: i64 = 2;

/// The first target that does not exist.
pub fn first_missing(
    transaction: &Transaction<'_>,
    targets: &Targets,
) -> Result<Option<MissingTarget>, StoreError> {
    let devices: Vec<Uuid> = targets.devices.iter().map(|device| device.0).collect();
    if let Some(place) = first_not_in(transaction, "devices", &devices)? {
        return Ok(Some(MissingTarget::Device(place)));
    }
    let wanted: Vec<Uuid> = targets.groups.iter().map(|group| group.0).collect();
    Ok(first_not_in(transaction, groups::OF_BOTH_KINDS, &wanted)?.map(MissingTarget::Group))
}

/// The place of the first id that is not in `table`.
fn first_not_in(
    transaction: &Transaction<'_>,
    table: &str,
    ids: &[Uuid],
) -> Result<Option<usize>, StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = format!(
            "select place - 1 from unnest($1) with ordinality as wanted (id, place)
             where not exists (select 1 from {table} where uuid = wanted.id) order by place limit 1"
        );
        let place = transaction.find(&sql, &[Value::Ids(ids)], |row| row.get::<u32>(0))?;
        return Ok(place.map(|place| place as usize));
    }
    let sql = format!("select 1 from {table} where uuid = $1");
    for (place, &id) in ids.iter().enumerate() {
        if !transaction.exists(&sql, values![id])? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// Keeps the targets of a task, in their order.
pub fn insert(transaction: &Transaction<'_>, task: TaskId, targets: &Targets) -> Result<(), StoreError> {
    let devices: Vec<Uuid> = targets.devices.iter().map(|device| device.0).collect();
    let groups: Vec<Uuid> = targets.groups.iter().map(|group| group.0).collect();
    for (kind, ids) in [(DEVICE, devices), (GROUP, groups)] {
        if let Transaction::Postgres(_) = transaction {
            transaction.execute(
                "insert into task_targets (task_uuid, kind, position, target)
                 select $1, $2, place - 1, id from unnest($3) with ordinality as wanted (id, place)",
                &[Value::from(task), Value::from(kind), Value::Ids(&ids)],
            )?;
            continue;
        }
        for (position, id) in ids.into_iter().enumerate() {
            transaction.execute(
                "insert into task_targets (task_uuid, kind, position, target) values ($1, $2, $3, $4)",
                values![task, kind, position, id],
            )?;
        }
    }
    Ok(())
}

/// The targets of a task.
pub fn read(transaction: &Transaction<'_>, task: TaskId) -> Result<Targets, StoreError> {
    let mut targets = Targets::default();
    let rows = transaction.list(
        "select kind, target from task_targets where task_uuid = $1 order by kind, position",
        values![task],
        |row| Ok((row.get::<i64>(0)?, row.get::<Uuid>(1)?)),
    )?;
    for (kind, target) in rows {
        match kind {
            DEVICE => targets.devices.push(DeviceId(target)),
            GROUP => targets.groups.push(GroupId(target)),
            _ => {
                let place = format!("task_targets.kind {kind} of task {}", task);
                return Err(StoreError::Inconsistent(place));
            }
        }
    }
    Ok(targets)
}

/// The condition that `device` is a target of `task`, both as statements name them: listed itself, or in or below a
/// listed group.
pub fn is_target(device: &str, task: &str) -> String {
    format!(
        "exists (
            with recursive above (uuid) as (
                select group_uuid from devices where uuid = {device}
                union all
                select parent from device_groups join above on device_groups.uuid = above.uuid
                where parent is not null
            )
            select 1 from task_targets where task_targets.task_uuid = {task} and (
                (kind = {DEVICE} and target = {device})
                or (kind = {GROUP} and target in (select uuid from above
                    union all
                    select group_uuid from dynamic_members where dynamic_members.device_uuid = {device}))))"
    )
}

/// Those of the devices that a task is for, and that exist.
pub fn among(
    transaction: &Transaction<'_>,
    task: TaskId,
    devices: &[DeviceId],
) -> Result<Vec<DeviceId>, StoreError> {
    let condition = is_target("asked.uuid", "$1");
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
        let sql =
            format!("select uuid from devices asked where uuid = any($2) and {condition} order by uuid");
        return transaction.list(&sql, &[task.into(), Value::Ids(&ids)], |row| row.get(0));
    }
    let sql = format!("select uuid from devices asked where uuid = $2 and {condition}");
    let found = devices.iter().map(|&device| transaction.find(&sql, values![task, device], |row| row.get(0)));
    found.filter_map(Result::transpose).collect()
}
