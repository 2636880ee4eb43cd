//! Dynamic groups: which devices they have follows from a rule.
//!
//! The members are kept as rows, so that tasks, policies and lists find them as they find those of static groups. They
//! change in the transaction that changes what they depend on: for one device, judged in memory ([`settle`]), when the
//! device changes; for all devices, judged in SQL ([`evaluate`]), when a group changes. Only time passes without a
//! transaction: [`Store::dynamic_groups_let_time_pass`] is called now and then.
//!
//! Who changes a group passes the gate of the tree of groups alone; who changes a device, beside others. So a device is
//! never judged by rules that change at this moment.

mod compile;
mod evaluate;
mod facts;
mod memberships;
mod place;
mod refresh;
mod rules;
mod settle;
mod time;
mod tree;

use guardhouse_model::{DeviceId, GroupId, Timestamp, dynamic_groups::Rule};
use uuid::Uuid;

use crate::{
    DynamicGroup, DynamicGroupCreate, DynamicGroupUpdate, Member, NewDynamicGroup, Store, StoreError,
    engine::{Gate, Row, Transaction, values},
    verbs::groups,
};
use tree::Tree;

pub use self::{
    facts::{Kept, rename, rename_original, write},
    memberships::of,
    place::{children_moved, move_below, recount},
    rules::Rules,
    settle::settle,
};

const COLUMNS: &str = "uuid, parent, display_name, description, rule, version, evaluate_time, device_count";

impl Store {
    /// One dynamic group.
    pub async fn dynamic_group_get(&self, group: GroupId) -> Result<Option<DynamicGroup>, StoreError> {
        let rules = self.rules.clone();
        self.engine.read(move |transaction| fetch(transaction, &rules, group)).await
    }

    /// Up to `limit` dynamic groups after `after`, in the order of their ids.
    pub async fn dynamic_groups_list(
        &self,
        after: Option<GroupId>,
        limit: usize,
    ) -> Result<Vec<DynamicGroup>, StoreError> {
        let after = after.unwrap_or(GroupId(Uuid::nil()));
        let rules = self.rules.clone();
        self.engine
            .read(move |transaction| {
                let sql =
                    format!("select {COLUMNS} from dynamic_groups where uuid > $1 order by uuid limit $2");
                transaction.list(&sql, values![after, limit], |row| from_row(row, &rules))
            })
            .await
    }

    /// Adds a dynamic group below a static or a dynamic one, with the devices that its rule picks at `now`.
    pub async fn dynamic_group_create(
        &self,
        group: NewDynamicGroup,
        now: Timestamp,
    ) -> Result<DynamicGroupCreate, StoreError> {
        let rules = self.rules.clone();
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::GroupTree)?;
                let Some(base) = place::base(transaction, group.parent)? else {
                    return Ok(DynamicGroupCreate::NoSuchParent);
                };
                if groups::check(transaction, group.id, group.parent)?.is_err() {
                    return Ok(DynamicGroupCreate::TooDeep);
                }
                transaction.execute(
                    "insert into dynamic_groups (uuid, parent, base, display_name, description, rule,
                         depends_on_time, version, evaluate_time, device_count)
                     values ($1, $2, $3, $4, $5, $6, $7, 1, $8, 0)",
                    values![
                        group.id,
                        group.parent,
                        base,
                        &group.display_name,
                        &group.description,
                        &group.rule.write(),
                        group.rule.depends_on_time(),
                        now,
                    ],
                )?;
                let come = evaluate_below(transaction, &rules, group.id, now)?;
                Ok(DynamicGroupCreate::Done(Box::new(needed(transaction, &rules, group.id)?), come))
            })
            .await
    }

    /// Changes name, description or rule. Answers the group and the devices that came or went, here or in the groups
    /// below. `None`: no such dynamic group.
    pub async fn dynamic_group_update(
        &self,
        group: GroupId,
        update: DynamicGroupUpdate,
        now: Timestamp,
    ) -> Result<Option<(DynamicGroup, Vec<DeviceId>)>, StoreError> {
        let rules = self.rules.clone();
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::GroupTree)?;
                let Some(kept) = fetch(transaction, &rules, group)? else { return Ok(None) };
                let other_rule = update.rule.as_ref().is_some_and(|rule| *rule != kept.rule);
                let wanted = DynamicGroup {
                    display_name: update.display_name.unwrap_or_else(|| kept.display_name.clone()),
                    description: update.description.unwrap_or_else(|| kept.description.clone()),
                    rule: update.rule.unwrap_or_else(|| kept.rule.clone()),
                    ..kept.clone()
                };
                if wanted == kept {
                    return Ok(Some((kept, Vec::new())));
                }
                transaction.execute(
                    "update dynamic_groups set display_name = $1, description = $2, rule = $3,
                         depends_on_time = $4, version = version + 1
                     where uuid = $5",
                    values![
                        &wanted.display_name,
                        &wanted.description,
                        &wanted.rule.write(),
                        wanted.rule.depends_on_time(),
                        group,
                    ],
                )?;
                let changed =
                    if other_rule { evaluate_below(transaction, &rules, group, now)? } else { Vec::new() };
                Ok(Some((needed(transaction, &rules, group)?, changed)))
            })
            .await
    }

    /// Deletes a dynamic group, those below it, and what policies are assigned to them. Answers the devices that were
    /// in it; `None`: no such dynamic group.
    pub async fn dynamic_group_delete(&self, group: GroupId) -> Result<Option<Vec<DeviceId>>, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::GroupTree)?;
                delete(transaction, group)
            })
            .await
    }

    /// What a rule would pick below a static or a dynamic group: how many devices, and the first of them in the order
    /// of their ids, up to `limit`. `None`: no such parent.
    pub async fn dynamic_group_preview(
        &self,
        parent: GroupId,
        rule: Rule,
        now: Timestamp,
        limit: usize,
    ) -> Result<Option<(u64, Vec<Member>)>, StoreError> {
        self.engine
            .read(move |transaction| {
                let Some(base) = place::base(transaction, parent)? else { return Ok(None) };
                let found = evaluate::matching(transaction, parent, base == parent, &rule, now)?;
                let sql = "select uuid, display_name, group_uuid from devices where uuid = $1";
                let mut first = Vec::new();
                for &device in found.iter().take(limit) {
                    first.extend(transaction.find(sql, values![device], |row| {
                        Ok(Member { device: row.get(0)?, display_name: row.get(1)?, group: row.get(2)? })
                    })?);
                }
                Ok(Some((found.len() as u64, first)))
            })
            .await
    }
}

/// Whether a dynamic group exists, inside a transaction.
pub fn exists(transaction: &Transaction<'_>, group: GroupId) -> Result<bool, StoreError> {
    transaction.exists("select 1 from dynamic_groups where uuid = $1", values![group])
}

/// How many devices a dynamic group has. `None`: no such dynamic group.
pub fn count(transaction: &Transaction<'_>, group: GroupId) -> Result<Option<u64>, StoreError> {
    let sql = "select device_count from dynamic_groups where uuid = $1";
    transaction.find(sql, values![group], |row| row.get(0))
}

/// Deletes a dynamic group and those below it; answers the devices that were in it. The gate must have been passed.
pub fn delete(transaction: &Transaction<'_>, group: GroupId) -> Result<Option<Vec<DeviceId>>, StoreError> {
    if !exists(transaction, group)? {
        return Ok(None);
    }
    // Those below have no other devices.
    let concerned = evaluate::members(transaction, group)?;
    for group in place::subtree(transaction, group)? {
        transaction
            .execute("delete from policy_assignments where kind = 2 and target = $1", values![group])?;
        transaction.execute("delete from dynamic_groups where uuid = $1", values![group])?;
    }
    Ok(Some(concerned))
}

/// Judges the rules of a group and of all below it. Answers the devices that came or went.
fn evaluate_below(
    transaction: &Transaction<'_>,
    rules: &Rules,
    group: GroupId,
    now: Timestamp,
) -> Result<Vec<DeviceId>, StoreError> {
    let tree = Tree::load(transaction, rules)?;
    evaluate::evaluate(transaction, &tree, &[group], now)
}

fn fetch(
    transaction: &Transaction<'_>,
    rules: &Rules,
    group: GroupId,
) -> Result<Option<DynamicGroup>, StoreError> {
    let sql = format!("select {COLUMNS} from dynamic_groups where uuid = $1");
    transaction.find(&sql, values![group], |row| from_row(row, rules))
}

/// A group that was just written.
fn needed(transaction: &Transaction<'_>, rules: &Rules, group: GroupId) -> Result<DynamicGroup, StoreError> {
    let found = fetch(transaction, rules, group)?;
    found.ok_or_else(|| StoreError::Inconsistent(format!("dynamic group {group} is gone at once")))
}

fn from_row(row: &Row<'_>, rules: &Rules) -> Result<DynamicGroup, StoreError> {
    Ok(DynamicGroup {
        id: row.get(0)?,
        parent: row.get(1)?,
        display_name: row.get(2)?,
        description: row.get(3)?,
        rule: Rule::clone(&*rules.read(row.get(4)?)?),
        version: row.get(5)?,
        evaluate_time: row.get(6)?,
        device_count: row.get(7)?,
    })
}
