//! Static groups: one tree below *All*.

use std::collections::HashMap;

use guardhouse_model::{
    DeviceId, GroupId,
    groups::{MoveError, check_move},
};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::{Group, GroupMove, Store, StoreError, sql::Id};

const COLUMNS: &str = "uuid, parent, display_name, description, external_reference, external_type, version";

impl Store {
    /// One group.
    pub async fn group_get(&self, group: GroupId) -> Result<Option<Group>, StoreError> {
        self.engine.read(move |connection| fetch(connection, group)).await
    }

    /// Up to `limit` groups after `after`, in the order of their ids.
    pub async fn groups_list(&self, after: Option<GroupId>, limit: usize) -> Result<Vec<Group>, StoreError> {
        let after = Id::from(after.unwrap_or(GroupId(uuid::Uuid::nil())));
        self.engine
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "select {COLUMNS} from device_groups where uuid > $1 order by uuid limit $2"
                ))?;
                let groups = statement.query_map((after, row_limit(limit)), from_row)?;
                Ok(groups.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Adds a group below `group.parent`.
    pub async fn group_create(&self, group: Group) -> Result<GroupMove, StoreError> {
        self.engine
            .write(move |connection| {
                let Some(parent) = group.parent else { return Ok(GroupMove::NoSuchParent) };
                if let Some(refusal) = refuse_place(connection, group.id, parent)? {
                    return Ok(refusal);
                }
                connection
                    .prepare_cached(&format!(
                        "insert into device_groups ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)"
                    ))?
                    .execute((
                        Id::from(group.id),
                        Id::from(parent),
                        &group.display_name,
                        &group.description,
                        &group.external_reference,
                        group.external_type,
                        group.version,
                    ))?;
                Ok(GroupMove::Done(group))
            })
            .await
    }

    /// Hangs a group, with all that is below it, under another group.
    pub async fn group_move(&self, group: GroupId, parent: GroupId) -> Result<GroupMove, StoreError> {
        self.engine
            .write(move |connection| {
                if !exists(connection, group)? {
                    return Ok(GroupMove::NoSuchGroup);
                }
                if let Some(refusal) = refuse_place(connection, group, parent)? {
                    return Ok(refusal);
                }
                connection
                    .prepare_cached(
                        "update device_groups set parent = $1, version = version + 1
                         where uuid = $2 and parent <> $1",
                    )?
                    .execute((Id::from(parent), Id::from(group)))?;
                Ok(fetch(connection, group)?.map_or(GroupMove::NoSuchGroup, GroupMove::Done))
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
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "update device_groups set display_name = $1, version = version + 1
                         where uuid = $2 and display_name <> $1",
                    )?
                    .execute((display_name, Id::from(group)))?;
                fetch(connection, group)
            })
            .await
    }

    /// Deletes a group with everything in it: groups, devices, their keys. Runs stay. Answers the devices
    /// that are gone; `None`: no such group.
    pub async fn group_delete(&self, group: GroupId) -> Result<Option<Vec<DeviceId>>, StoreError> {
        self.engine
            .write(move |connection| {
                if !exists(connection, group)? {
                    return Ok(None);
                }
                let groups = subtree(connection, group)?;
                let mut gone = Vec::new();
                // Every group comes after its parent in `groups`; they go the other way round.
                for &group in groups.iter().rev() {
                    let devices = "select uuid from devices where group_uuid = $1";
                    gone.extend(ids::<DeviceId>(connection, devices, group)?);
                    for dependent in ["device_keys", "device_links"] {
                        let sql = format!("delete from {dependent} where device_uuid in ({devices})");
                        connection.prepare_cached(&sql)?.execute([Id::from(group)])?;
                    }
                    for sql in [
                        "delete from devices where group_uuid = $1",
                        "delete from device_groups where uuid = $1",
                    ] {
                        connection.prepare_cached(sql)?.execute([Id::from(group)])?;
                    }
                }
                Ok(Some(gone))
            })
            .await
    }
}

/// Whether a group exists, inside a transaction.
pub fn exists(connection: &Connection, group: GroupId) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached("select 1 from device_groups where uuid = $1")?.exists([Id::from(group)])?)
}

/// A group and all groups below it, each after its parent.
pub fn subtree(connection: &Connection, group: GroupId) -> Result<Vec<GroupId>, StoreError> {
    let sql = "with recursive subtree (uuid) as (
            select uuid from device_groups where uuid = $1
            union all
            select child.uuid from device_groups child join subtree on child.parent = subtree.uuid
        )
        select uuid from subtree";
    ids(connection, sql, group)
}

/// Most rows of a page as the database counts them.
pub fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn fetch(connection: &Connection, group: GroupId) -> Result<Option<Group>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("select {COLUMNS} from device_groups where uuid = $1"))?;
    Ok(statement.query_row([Id::from(group)], from_row).optional()?)
}

fn refuse_place(
    connection: &Connection,
    group: GroupId,
    parent: GroupId,
) -> Result<Option<GroupMove>, StoreError> {
    if !exists(connection, parent)? {
        return Ok(Some(GroupMove::NoSuchParent));
    }
    let mut statement =
        connection.prepare_cached("select uuid, parent from device_groups where parent is not null")?;
    let parents = statement.query_map([], |row| {
        Ok((GroupId::from(row.get::<_, Id>(0)?), GroupId::from(row.get::<_, Id>(1)?)))
    })?;
    let parents = parents.collect::<Result<HashMap<_, _>, _>>()?;
    Ok(match check_move(&parents, group, parent) {
        Ok(()) => None,
        Err(MoveError::Cycle) => Some(GroupMove::Cycle),
        Err(MoveError::TooDeep) => Some(GroupMove::TooDeep),
    })
}

fn ids<T: From<Id>>(connection: &Connection, sql: &str, group: GroupId) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([Id::from(group)], |row| Ok(row.get::<_, Id>(0)?.into()))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        id: row.get::<_, Id>(0)?.into(),
        parent: row.get::<_, Option<Id>>(1)?.map(Into::into),
        display_name: row.get(2)?,
        description: row.get(3)?,
        external_reference: row.get(4)?,
        external_type: row.get(5)?,
        version: row.get(6)?,
    })
}
