//! Rules, judged for all devices at once.

use guardhouse_model::{DeviceId, GroupId, Timestamp, dynamic_groups::Rule};
use uuid::Uuid;

use super::{
    compile::Compiler,
    facts,
    tree::{Node, Tree},
};
use crate::{
    StoreError,
    engine::{Transaction, Value, values},
};

/// Most devices whose facts are in memory at the same time.
const PORTION: usize = 500;

/// The static groups among whose devices a rule picks.
const SUBTREE: &str = "with recursive subtree (uuid) as (
        select uuid from device_groups where uuid = $1
        union all
        select child.uuid from device_groups child join subtree on child.parent = subtree.uuid
    )";

const DEVICES: &str =
    "select devices.uuid from devices join device_facts facts on facts.device_uuid = devices.uuid";

/// Asks for the devices of which `condition` is true: below a static group, or of the members of a dynamic one.
///
/// `offset 0` keeps PostgreSQL to the order from group to device: what it guesses of the groups is far too much, and it
/// would read all devices for a group with a few.
fn statement(transaction: &Transaction<'_>, parent_is_static: bool, condition: &str) -> String {
    match (transaction, parent_is_static) {
        (Transaction::Sqlite(_), true) => {
            format!(
                "{SUBTREE} {DEVICES} where devices.group_uuid in (select uuid from subtree) and {condition}"
            )
        }
        (Transaction::Sqlite(_), false) => format!(
            "{DEVICES} where devices.uuid in (select device_uuid from dynamic_members where group_uuid = $1)
                 and {condition}"
        ),
        (Transaction::Postgres(_), true) => format!(
            "{SUBTREE} select picked.uuid from subtree cross join lateral
                 ({DEVICES} where devices.group_uuid = subtree.uuid and {condition} offset 0) picked"
        ),
        (Transaction::Postgres(_), false) => format!(
            "select picked.uuid from dynamic_members members cross join lateral
                 ({DEVICES} where devices.uuid = members.device_uuid and {condition} offset 0) picked
             where members.group_uuid = $1"
        ),
    }
}

/// The devices that a rule picks of those that the group above has, in the order of their ids.
pub fn matching(
    transaction: &Transaction<'_>,
    parent: GroupId,
    parent_is_static: bool,
    rule: &Rule,
    now: Timestamp,
) -> Result<Vec<DeviceId>, StoreError> {
    let mut compiler = Compiler::new(transaction, vec![Value::from(parent)], now);
    let condition = compiler.rule(rule);
    let sql = statement(transaction, parent_is_static, &condition);
    let mut found: Vec<DeviceId> = transaction.list(&sql, &compiler.into_values(), |row| row.get(0))?;
    found.sort_unstable();
    if !rule.has_patterns() {
        return Ok(found);
    }
    let mut picked = Vec::new();
    for portion in found.chunks(PORTION) {
        let facts = facts::read(transaction, portion)?;
        let fits = |device: &&DeviceId| facts.get(device).is_some_and(|facts| rule.holds(facts, now));
        picked.extend(portion.iter().filter(fits));
    }
    Ok(picked)
}

/// The devices that a group should have, as its parent is now.
pub fn wanted(
    transaction: &Transaction<'_>,
    node: &Node,
    now: Timestamp,
) -> Result<Vec<DeviceId>, StoreError> {
    matching(transaction, node.parent, node.parent == node.base, &node.rule, now)
}

/// The devices that a group has, in the order of their ids.
pub fn members(transaction: &Transaction<'_>, group: GroupId) -> Result<Vec<DeviceId>, StoreError> {
    let sql = "select device_uuid from dynamic_members where group_uuid = $1 order by device_uuid";
    transaction.list(sql, values![group], |row| row.get(0))
}

/// What is in one of the lists and not in the other. Both are in order, and so is the answer.
pub fn only_in_first(first: &[DeviceId], second: &[DeviceId]) -> Vec<DeviceId> {
    first.iter().copied().filter(|device| second.binary_search(device).is_err()).collect()
}

/// Judges the rules of groups and of all below them, for all devices. Nobody else may change devices or groups
/// meanwhile. Answers the devices that came or went.
pub fn evaluate(
    transaction: &Transaction<'_>,
    tree: &Tree,
    groups: &[GroupId],
    now: Timestamp,
) -> Result<Vec<DeviceId>, StoreError> {
    let mut changed = Vec::new();
    for node in groups.iter().filter_map(|&group| tree.find(group)) {
        for node in tree.subtree(node) {
            changed.extend(evaluate_one(transaction, node, now)?);
        }
    }
    changed.sort_unstable();
    changed.dedup();
    Ok(changed)
}

fn evaluate_one(
    transaction: &Transaction<'_>,
    node: &Node,
    now: Timestamp,
) -> Result<Vec<DeviceId>, StoreError> {
    let wanted = wanted(transaction, node, now)?;
    let present = members(transaction, node.id)?;
    let (mut come, gone) = (only_in_first(&wanted, &present), only_in_first(&present, &wanted));
    remove(transaction, node.id, &gone)?;
    add(transaction, node.id, &come)?;
    transaction.execute(
        "update dynamic_groups set device_count = $1, evaluate_time = $2 where uuid = $3",
        values![wanted.len(), now, node.id],
    )?;
    come.extend(gone);
    Ok(come)
}

fn add(transaction: &Transaction<'_>, group: GroupId, devices: &[DeviceId]) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = "insert into dynamic_members (group_uuid, device_uuid) select $1, unnest($2)";
        return transaction.execute(sql, &[Value::from(group), Value::Ids(&ids(devices))]).map(drop);
    }
    let sql = "insert into dynamic_members (group_uuid, device_uuid) values ($1, $2)";
    devices.iter().try_for_each(|&device| transaction.execute(sql, values![group, device]).map(drop))
}

fn remove(transaction: &Transaction<'_>, group: GroupId, devices: &[DeviceId]) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = "delete from dynamic_members where group_uuid = $1 and device_uuid = any($2)";
        return transaction.execute(sql, &[Value::from(group), Value::Ids(&ids(devices))]).map(drop);
    }
    let sql = "delete from dynamic_members where group_uuid = $1 and device_uuid = $2";
    devices.iter().try_for_each(|&device| transaction.execute(sql, values![group, device]).map(drop))
}

fn ids(devices: &[DeviceId]) -> Vec<Uuid> {
    devices.iter().map(|device| device.0).collect()
}
