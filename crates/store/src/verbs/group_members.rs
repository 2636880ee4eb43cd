//! The devices of groups.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use guardhouse_model::{DeviceId, GroupId};
use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    Member, Store, StoreError,
    sql::Id,
    verbs::groups::{self, row_limit},
};

/// Fewest members that are read of a group at once.
const PORTION: usize = 4;

impl Store {
    /// The devices of a group, with `recurse` also those of all groups below it: their number, and up to
    /// `limit` of them after `after` in the order of their ids. `None`: there is no such group.
    pub async fn group_members_list(
        &self,
        group: GroupId,
        recurse: bool,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Option<(u64, Vec<Member>)>, StoreError> {
        let after = after.map_or(Uuid::nil(), |after| after.0);
        self.engine
            .read(move |connection| {
                if !groups::exists(connection, group)? {
                    return Ok(None);
                }
                let groups = if recurse { groups::subtree(connection, group)? } else { vec![group] };
                Ok(Some((total(connection, &groups)?, merge(connection, &groups, after, limit)?)))
            })
            .await
    }
}

/// Notes that devices came to a group, or with a negative `change` that they left it.
pub fn count(connection: &Connection, group: GroupId, change: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached("update device_groups set device_count = device_count + $1 where uuid = $2")?
        .execute((change, Id::from(group)))?;
    Ok(())
}

fn total(connection: &Connection, groups: &[GroupId]) -> Result<u64, StoreError> {
    let mut count = connection.prepare_cached("select device_count from device_groups where uuid = $1")?;
    groups.iter().try_fold(0, |total, &group| {
        Ok(total + count.query_row([Id::from(group)], |row| row.get::<_, u64>(0))?)
    })
}

/// Up to `limit` members of all the groups after `after`, in the order of their ids.
///
/// Each group has an index in that order, all of them together have none. Merging portions of them costs the
/// same for the first page and for the last; sorting would read everything that follows, for each page.
fn merge(
    connection: &Connection,
    groups: &[GroupId],
    after: Uuid,
    limit: usize,
) -> Result<Vec<Member>, StoreError> {
    let portion = (limit.saturating_mul(2) / groups.len().max(1)).clamp(PORTION.min(limit), limit);
    let read = |group: GroupId, after: Uuid| -> Result<VecDeque<Member>, StoreError> {
        let mut statement = connection.prepare_cached(
            "select uuid, display_name from devices where group_uuid = $1 and uuid > $2 order by uuid limit $3",
        )?;
        let members = statement.query_map((Id::from(group), Id(after), row_limit(portion)), |row| {
            Ok(Member { device: row.get::<_, Id>(0)?.into(), display_name: row.get(1)?, group })
        })?;
        Ok(members.collect::<Result<_, _>>()?)
    };
    let mut queues = Vec::with_capacity(groups.len());
    // The first of every queue, smallest on top.
    let mut heads = BinaryHeap::new();
    for (place, &group) in groups.iter().enumerate() {
        let queue = read(group, after)?;
        heads.extend(queue.front().map(|member| Reverse((member.device.0, place))));
        queues.push(queue);
    }
    let mut page = Vec::new();
    while page.len() < limit
        && let Some(Reverse((last, place))) = heads.pop()
    {
        let queue = &mut queues[place];
        page.extend(queue.pop_front());
        if queue.is_empty() {
            *queue = read(groups[place], last)?;
        }
        heads.extend(queue.front().map(|member| Reverse((member.device.0, place))));
    }
    Ok(page)
}
