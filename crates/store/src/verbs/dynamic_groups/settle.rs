//! Devices that changed, judged in memory.

use std::collections::{BTreeMap, HashMap};

use guardhouse_model::{DeviceId, GroupId, Timestamp};
use uuid::Uuid;

use super::{facts, rules::Rules, tree::Tree};
use crate::{
    StoreError,
    engine::{Row, Transaction, Value, values},
};

/// Puts devices into the dynamic groups they belong to now, and takes them out of the others. Answers those for which
/// that was a change.
///
/// The caller has passed the gate of the tree of groups, and nobody else can change the devices before the end of the
/// transaction. Without `now`, time stands where each device was last in contact: right for one that speaks at this
/// moment.
pub fn settle(
    transaction: &Transaction<'_>,
    rules: &Rules,
    devices: &[DeviceId],
    now: Option<Timestamp>,
) -> Result<Vec<DeviceId>, StoreError> {
    let tree = Tree::load(transaction, rules)?;
    if tree.is_empty() {
        return Ok(Vec::new());
    }
    let above = above(transaction, devices)?;
    let facts = facts::read(transaction, devices)?;
    let mut present = present(transaction, devices)?;
    let (mut come, mut gone, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for &device in devices {
        let wanted = match (above.get(&device), facts.get(&device)) {
            (Some(above), Some(facts)) => {
                let now = now.or(facts.last_seen).unwrap_or(Timestamp::UNIX_EPOCH);
                tree.groups_of(above, facts, now)
            }
            _ => Vec::new(),
        };
        let present = present.remove(&device).unwrap_or_default();
        if wanted != present {
            changed.push(device);
        }
        let not_in = |list: &[GroupId], group: &GroupId| list.binary_search(group).is_err();
        come.extend(wanted.iter().filter(|group| not_in(&present, group)).map(|&group| (group, device)));
        gone.extend(present.iter().filter(|group| not_in(&wanted, group)).map(|&group| (group, device)));
    }
    remove(transaction, &gone)?;
    add(transaction, &come)?;
    count(transaction, &come, &gone)?;
    Ok(changed)
}

/// The static groups that contain each device.
fn above(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, Vec<GroupId>>, StoreError> {
    let sql = |which: &str| {
        format!(
            "with recursive above (device, uuid) as (
                select uuid, group_uuid from devices where uuid {which}
                union all
                select device, parent from device_groups join above on device_groups.uuid = above.uuid
                where parent is not null
            )
            select device, uuid from above"
        )
    };
    pairs(transaction, sql, devices)
}

/// The dynamic groups that each device is in, in the order of their ids.
fn present(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, Vec<GroupId>>, StoreError> {
    let sql = |which: &str| {
        format!(
            "select device_uuid, group_uuid from dynamic_members where device_uuid {which}
             order by device_uuid, group_uuid"
        )
    };
    pairs(transaction, sql, devices)
}

fn pairs(
    transaction: &Transaction<'_>,
    sql: impl Fn(&str) -> String,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, Vec<GroupId>>, StoreError> {
    let read = |row: &Row<'_>| Ok((row.get::<DeviceId>(0)?, row.get::<GroupId>(1)?));
    let mut found = Vec::new();
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
        found.extend(transaction.list(&sql("= any($1)"), &[Value::Ids(&ids)], read)?);
    } else {
        let sql = sql("= $1");
        for &device in devices {
            found.extend(transaction.list(&sql, values![device], read)?);
        }
    }
    let mut groups: HashMap<DeviceId, Vec<GroupId>> = HashMap::new();
    for (device, group) in found {
        groups.entry(device).or_default().push(group);
    }
    Ok(groups)
}

fn add(transaction: &Transaction<'_>, come: &[(GroupId, DeviceId)]) -> Result<(), StoreError> {
    if come.is_empty() {
        return Ok(());
    }
    if let Transaction::Postgres(_) = transaction {
        let (groups, devices) = columns(come);
        let sql = "insert into dynamic_members (group_uuid, device_uuid)
            select * from unnest($1::uuid[], $2::uuid[])";
        return transaction.execute(sql, &[Value::Ids(&groups), Value::Ids(&devices)]).map(drop);
    }
    let sql = "insert into dynamic_members (group_uuid, device_uuid) values ($1, $2)";
    come.iter().try_for_each(|&(group, device)| transaction.execute(sql, values![group, device]).map(drop))
}

fn remove(transaction: &Transaction<'_>, gone: &[(GroupId, DeviceId)]) -> Result<(), StoreError> {
    if gone.is_empty() {
        return Ok(());
    }
    if let Transaction::Postgres(_) = transaction {
        let (groups, devices) = columns(gone);
        let sql = "delete from dynamic_members using unnest($1::uuid[], $2::uuid[]) as gone (one, other)
            where group_uuid = one and device_uuid = other";
        return transaction.execute(sql, &[Value::Ids(&groups), Value::Ids(&devices)]).map(drop);
    }
    let sql = "delete from dynamic_members where group_uuid = $1 and device_uuid = $2";
    gone.iter().try_for_each(|&(group, device)| transaction.execute(sql, values![group, device]).map(drop))
}

fn columns(pairs: &[(GroupId, DeviceId)]) -> (Vec<Uuid>, Vec<Uuid>) {
    pairs.iter().map(|(group, device)| (group.0, device.0)).unzip()
}

fn count(
    transaction: &Transaction<'_>,
    come: &[(GroupId, DeviceId)],
    gone: &[(GroupId, DeviceId)],
) -> Result<(), StoreError> {
    // In one order everywhere: two that wait for each other's groups would wait for ever.
    let mut changes: BTreeMap<GroupId, i64> = BTreeMap::new();
    come.iter().for_each(|(group, _)| *changes.entry(*group).or_default() += 1);
    gone.iter().for_each(|(group, _)| *changes.entry(*group).or_default() -= 1);
    for (group, change) in changes.into_iter().filter(|(_, change)| *change != 0) {
        let sql = "update dynamic_groups set device_count = device_count + $1 where uuid = $2";
        transaction.execute(sql, values![change, group])?;
    }
    Ok(())
}
