//! Static groups: one tree below *All*.

use std::collections::{HashMap, HashSet};

use guardhouse_model::{
    DeviceId, GroupId,
    groups::{MoveError, check_move},
};
use uuid::Uuid;

use crate::{
    Group, GroupMove, Store, StoreError,
    engine::{Column, Gate, Row, Transaction, Value, values},
};

const COLUMNS: &str = "uuid, parent, display_name, description, external_reference, external_type, version";

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
                let sql =
                    format!("select {COLUMNS} from device_groups where uuid > $1 order by uuid limit $2");
                transaction.list(&sql, values![after, limit], from_row)
            })
            .await
    }

    /// Adds a group below `group.parent`.
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

    /// Hangs a group, with all that is below it, under another group.
    pub async fn group_move(&self, group: GroupId, parent: GroupId) -> Result<GroupMove, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::GroupTree)?;
                if !exists(transaction, group)? {
                    return Ok(GroupMove::NoSuchGroup);
                }
                if let Some(refusal) = refuse_place(transaction, group, parent)? {
                    return Ok(refusal);
                }
                transaction.execute(
                    "update device_groups set parent = $1, version = version + 1
                         where uuid = $2 and parent <> $1",
                    values![parent, group],
                )?;
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
                transaction.execute(
                    "update device_groups set display_name = $1, version = version + 1
                         where uuid = $2 and display_name <> $1",
                    values![&display_name, group],
                )?;
                fetch(transaction, group)
            })
            .await
    }

    /// Deletes a group with everything in it: groups, devices, their keys, what policies are assigned to them. Runs stay. Answers the devices
    /// that are gone; `None`: no such group.
    pub async fn group_delete(&self, group: GroupId) -> Result<Option<Vec<DeviceId>>, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::GroupTree)?;
                if !exists(transaction, group)? {
                    return Ok(None);
                }
                let groups = subtree(transaction, group)?;
                let gone = match transaction {
                    Transaction::Sqlite(_) => delete_one_by_one(transaction, &groups)?,
                    Transaction::Postgres(_) => delete_as_arrays(transaction, &groups)?,
                };
                Ok(Some(gone))
            })
            .await
    }
}

/// Deletes groups, each of which comes after its parent; answers their devices.
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
        ("delete from devices where uuid = any($1)", &gone),
        ("delete from device_groups where uuid = any($1)", &groups),
    ] {
        transaction.execute(sql, &[Value::Ids(ids)])?;
    }
    Ok(gone.into_iter().map(DeviceId).collect())
}

/// Whether a group exists, inside a transaction.
pub fn exists(transaction: &Transaction<'_>, group: GroupId) -> Result<bool, StoreError> {
    transaction.exists("select 1 from device_groups where uuid = $1", values![group])
}

/// A group and all groups below it, each after its parent.
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
    transaction.find(
        &format!("select {COLUMNS} from device_groups where uuid = $1"),
        values![group],
        from_row,
    )
}

fn refuse_place(
    transaction: &Transaction<'_>,
    group: GroupId,
    parent: GroupId,
) -> Result<Option<GroupMove>, StoreError> {
    if !exists(transaction, parent)? {
        return Ok(Some(GroupMove::NoSuchParent));
    }
    let parents =
        transaction.list("select uuid, parent from device_groups where parent is not null", &[], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let parents: HashMap<GroupId, GroupId> = parents.into_iter().collect();
    Ok(match check_move(&parents, group, parent) {
        Ok(()) => None,
        Err(MoveError::Cycle) => Some(GroupMove::Cycle),
        Err(MoveError::TooDeep) => Some(GroupMove::TooDeep),
    })
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
    })
}
