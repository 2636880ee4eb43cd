//! Groups: one tree below *All*, of static groups and of dynamic ones below them.

use std::collections::{HashMap, HashSet};

use guardhouse_model::{
    DeviceId, GroupId, Timestamp,
    device_runs::DEVICE_DELETED,
    groups::{MoveError, check_move, path_to_root},
};
use uuid::Uuid;

use crate::{
    Group, GroupMove, Store, StoreError,
    engine::{Column, Gate, Row, Transaction, Value, values},
    verbs::{agentless::device_assets, dynamic_groups, task_runs},
};

const COLUMNS: &str = "uuid, parent, display_name, description, external_reference, external_type, version";

/// A dynamic group stands for nothing in an external system.
const DYNAMIC_COLUMNS: &str = "uuid, parent, display_name, description, '', cast(0 as bigint), version";

impl Store {
    /// One group.
    pub async fn group_get(&self, group: GroupId) -> Result<Option<Group>, StoreError> {
        self.engine.read(move |transaction| fetch(transaction, group)).await
    }

    /// Up to `limit` groups after `after`, in the order of their ids.
    pub async fn groups_list(&self, after: Option<GroupId>, limit: usize) -> Result<Vec<Group>, StoreError> {
        let after = after.unwrap_or(GroupId(Uuid::nil()));
        self.engine
            .read(move |transaction| {
                let sql = format!(
                    "select {COLUMNS}, cast(0 as bigint) from device_groups where uuid > $1
                     union all
                     select {DYNAMIC_COLUMNS}, cast(1 as bigint) from dynamic_groups where uuid > $1
                     order by uuid limit $2"
                );
                transaction.list(&sql, values![after, limit], from_row)
            })
            .await
    }

    /// Adds a static group below `group.parent`.
    pub async fn group_create(&self, group: Group) -> Result<GroupMove, StoreError> {
        self.engine
            .write(move |transaction| {
                let Some(parent) = group.parent else { return Ok(GroupMove::NoSuchParent) };
                transaction.pass_alone(Gate::GroupTree)?;
                if let Some(refusal) = refuse_place(transaction, group.id, parent)? {
                    return Ok(refusal);
                }
                transaction.execute(
                    &format!("insert into device_groups ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)"),
                    values![
                        group.id,
                        parent,
                        &group.display_name,
                        &group.description,
                        &group.external_reference,
                        group.external_type,
                        group.version,
                    ],
                )?;
                Ok(GroupMove::Done(group))
            })
            .await
    }

    /// Hangs a group, with all that is below it, under another group. Dynamic groups that have other devices by that
    /// get them, as their rules pick them at `now`.
    pub async fn group_move(
        &self,
        group: GroupId,
        parent: GroupId,
        now: Timestamp,
    ) -> Result<GroupMove, StoreError> {
        let rules = self.rules.clone();
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::GroupTree)?;
                let Some(found) = fetch(transaction, group)? else { return Ok(GroupMove::NoSuchGroup) };
                if found.is_dynamic {
                    if let Some(refusal) = refuse_dynamic_place(transaction, group, parent)? {
                        return Ok(refusal);
                    }
                    dynamic_groups::move_below(transaction, &rules, group, parent, now)?;
                } else {
                    if let Some(refusal) = refuse_place(transaction, group, parent)? {
                        return Ok(refusal);
                    }
                    let moved = transaction.execute(
                        "update device_groups set parent = $1, version = version + 1
                             where uuid = $2 and parent <> $1",
                        values![parent, group],
                    )?;
                    if let Some(before) = found.parent.filter(|_| moved == 1) {
                        dynamic_groups::children_moved(transaction, &rules, before, parent, now)?;
                    }
                }
                Ok(fetch(transaction, group)?.map_or(GroupMove::NoSuchGroup, GroupMove::Done))
            })
            .await
    }

    /// Gives a group another display name. `None`: no such group.
    pub async fn group_rename(
        &self,
        group: GroupId,
        display_name: String,
    ) -> Result<Option<Group>, StoreError> {
        self.engine
            .write(move |transaction| {
                for table in ["device_groups", "dynamic_groups"] {
                    let sql = format!(
                        "update {table} set display_name = $1, version = version + 1
                         where uuid = $2 and display_name <> $1"
                    );
                    if transaction.execute(&sql, values![&display_name, group])? == 1 {
                        break;
                    }
                }
                fetch(transaction, group)
            })
            .await
    }

    /// Deletes a group with everything in it: groups, devices, their keys, what policies are assigned to them. Runs
    /// stay, but end if they are not over, and so do the devices of a dynamic group. Answers the devices that are gone, or are no longer in the
    /// dynamic group; `None`: no such group.
    pub async fn group_delete(
        &self,
        group: GroupId,
        now: Timestamp,
    ) -> Result<Option<Vec<DeviceId>>, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::GroupTree)?;
                if !exists(transaction, group)? {
                    return dynamic_groups::delete(transaction, group);
                }
                let above = path(transaction, group)?;
                let groups = subtree(transaction, group)?;
                let gone = match transaction {
                    Transaction::Sqlite(_) => delete_one_by_one(transaction, &groups)?,
                    Transaction::Postgres(_) => delete_as_arrays(transaction, &groups)?,
                };
                let reason = "the device was deleted before it said how the run went";
                task_runs::close_open_of(transaction, &gone, DEVICE_DELETED, reason, now)?;
                device_assets::leave(transaction, &gone)?;
                dynamic_groups::recount(transaction, &above)?;
                Ok(Some(gone))
            })
            .await
    }
}

/// Deletes groups, each of which comes after its parent; answers their devices. Dynamic groups below them, their members
/// and the facts of devices go along by themselves.
fn delete_one_by_one(transaction: &Transaction<'_>, groups: &[GroupId]) -> Result<Vec<DeviceId>, StoreError> {
    let devices = "select uuid from devices where group_uuid = $1";
    let mut gone = Vec::new();
    for &group in groups.iter().rev() {
        gone.extend(ids::<DeviceId>(transaction, devices, group)?);
        for dependent in ["device_keys", "device_links"] {
            let sql = format!("delete from {dependent} where device_uuid in ({devices})");
            transaction.execute(&sql, values![group])?;
        }
        let stacks = format!("delete from policy_assignments where kind = 1 and target in ({devices})");
        for sql in [
            &stacks,
            "delete from policy_assignments where kind = 2 and target = $1",
            "delete from policy_assignments where kind = 2
                 and target in (select uuid from dynamic_groups where base = $1)",
            "delete from devices where group_uuid = $1",
            "delete from device_groups where uuid = $1",
        ] {
            transaction.execute(sql, values![group])?;
        }
    }
    Ok(gone)
}

fn delete_as_arrays(transaction: &Transaction<'_>, groups: &[GroupId]) -> Result<Vec<DeviceId>, StoreError> {
    let groups: Vec<Uuid> = groups.iter().map(|group| group.0).collect();
    // A device that connects at this moment is waited for: it must not leave anything behind. In one order with
    // others who touch several devices.
    let sql = "select uuid from devices where group_uuid = any($1) order by uuid for update";
    let gone = transaction.list(sql, &[Value::Ids(&groups)], |row| row.get::<Uuid>(0))?;
    for (sql, ids) in [
        ("delete from device_keys where device_uuid = any($1)", &gone),
        ("delete from device_links where device_uuid = any($1)", &gone),
        ("delete from policy_assignments where kind = 1 and target = any($1)", &gone),
        ("delete from policy_assignments where kind = 2 and target = any($1)", &groups),
        (
            "delete from policy_assignments where kind = 2
                 and target = any(array(select uuid from dynamic_groups where base = any($1)))",
            &groups,
        ),
        ("delete from devices where uuid = any($1)", &gone),
        ("delete from device_groups where uuid = any($1)", &groups),
    ] {
        transaction.execute(sql, &[Value::Ids(ids)])?;
    }
    Ok(gone.into_iter().map(DeviceId).collect())
}

/// Groups of both kinds, as a table of their ids.
pub const OF_BOTH_KINDS: &str =
    "(select uuid from device_groups union all select uuid from dynamic_groups) of_both_kinds";

/// Whether a static group exists, inside a transaction.
pub fn exists(transaction: &Transaction<'_>, group: GroupId) -> Result<bool, StoreError> {
    transaction.exists("select 1 from device_groups where uuid = $1", values![group])
}

/// A static group and all above it, nearest first.
pub fn path(transaction: &Transaction<'_>, group: GroupId) -> Result<Vec<GroupId>, StoreError> {
    Ok(path_to_root(&all_parents(transaction)?, group))
}

/// A static group and all static groups below it, each after its parent.
pub fn subtree(transaction: &Transaction<'_>, group: GroupId) -> Result<Vec<GroupId>, StoreError> {
    let sql = "with recursive subtree (uuid) as (
            select uuid from device_groups where uuid = $1
            union all
            select child.uuid from device_groups child join subtree on child.parent = subtree.uuid
        )
        select uuid from subtree";
    ids(transaction, sql, group)
}

/// The parents of groups, of those above them, and so on up to the root, which has none.
pub fn parents(
    transaction: &Transaction<'_>,
    groups: HashSet<GroupId>,
) -> Result<HashMap<GroupId, GroupId>, StoreError> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    if let Transaction::Postgres(_) = transaction {
        // Where ways to the root meet, they go on as one: `union` keeps each group once.
        let sql = "with recursive above (uuid, parent) as (
                select uuid, parent from device_groups where uuid = any($1)
                union
                select upper.uuid, upper.parent from device_groups upper join above on upper.uuid = above.parent
            )
            select uuid, parent from above where parent is not null";
        let ids: Vec<Uuid> = groups.iter().map(|group| group.0).collect();
        return Ok(transaction.list(sql, &[Value::Ids(&ids)], read)?.into_iter().collect());
    }
    let sql = "select uuid, parent from device_groups where uuid = $1 and parent is not null";
    let mut parents = HashMap::new();
    let mut ahead: Vec<GroupId> = groups.into_iter().collect();
    while let Some(group) = ahead.pop() {
        if parents.contains_key(&group) {
            continue;
        }
        if let Some((group, parent)) = transaction.find(sql, values![group], read)? {
            parents.insert(group, parent);
            ahead.push(parent);
        }
    }
    Ok(parents)
}

fn fetch(transaction: &Transaction<'_>, group: GroupId) -> Result<Option<Group>, StoreError> {
    let sql = format!(
        "select {COLUMNS}, cast(0 as bigint) from device_groups where uuid = $1
         union all
         select {DYNAMIC_COLUMNS}, cast(1 as bigint) from dynamic_groups where uuid = $1"
    );
    transaction.find(&sql, values![group], from_row)
}

fn refuse_place(
    transaction: &Transaction<'_>,
    group: GroupId,
    parent: GroupId,
) -> Result<Option<GroupMove>, StoreError> {
    if !exists(transaction, parent)? {
        let is_dynamic = dynamic_groups::exists(transaction, parent)?;
        return Ok(Some(if is_dynamic { GroupMove::BelowDynamic } else { GroupMove::NoSuchParent }));
    }
    check(transaction, group, parent).map(|checked| checked.err().map(refusal))
}

fn refuse_dynamic_place(
    transaction: &Transaction<'_>,
    group: GroupId,
    parent: GroupId,
) -> Result<Option<GroupMove>, StoreError> {
    if fetch(transaction, parent)?.is_none() {
        return Ok(Some(GroupMove::NoSuchParent));
    }
    check(transaction, group, parent).map(|checked| checked.err().map(refusal))
}

fn refusal(wrong: MoveError) -> GroupMove {
    match wrong {
        MoveError::Cycle => GroupMove::Cycle,
        MoveError::TooDeep => GroupMove::TooDeep,
    }
}

/// Judges whether a group of either kind may hang below another one.
pub fn check(
    transaction: &Transaction<'_>,
    group: GroupId,
    parent: GroupId,
) -> Result<Result<(), MoveError>, StoreError> {
    Ok(check_move(&all_parents(transaction)?, group, parent))
}

/// The parent of every group, of both kinds.
fn all_parents(transaction: &Transaction<'_>) -> Result<HashMap<GroupId, GroupId>, StoreError> {
    let sql = "select uuid, parent from device_groups where parent is not null
        union all select uuid, parent from dynamic_groups";
    let parents = transaction.list(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(parents.into_iter().collect())
}

fn ids<T: Column>(transaction: &Transaction<'_>, sql: &str, group: GroupId) -> Result<Vec<T>, StoreError> {
    transaction.list(sql, values![group], |row| row.get(0))
}

fn from_row(row: &Row<'_>) -> Result<Group, StoreError> {
    Ok(Group {
        id: row.get(0)?,
        parent: row.get(1)?,
        display_name: row.get(2)?,
        description: row.get(3)?,
        external_reference: row.get(4)?,
        external_type: row.get(5)?,
        version: row.get(6)?,
        is_dynamic: row.get(7)?,
    })
}
