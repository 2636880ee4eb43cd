//! The devices of groups.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use guardhouse_model::{DeviceId, GroupId};
use uuid::Uuid;

use crate::{
    Member, Store, StoreError,
    engine::{Transaction, values},
    verbs::{dynamic_groups, groups},
};

/// Fewest members that are read of a group at once.
const PORTION: usize = 4;

impl Store {
    /// The devices of a group, with `recurse` also those of all groups below it: their number, and up to
    /// `limit` of them after `after` in the order of their ids. `None`: there is no such group.
    ///
    /// Each device is listed once: as a member of its static group, or of the dynamic group that was asked for. Dynamic
    /// groups below the group have no other devices.
    pub async fn group_members_list(
        &self,
        group: GroupId,
        recurse: bool,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Option<(u64, Vec<Member>)>, StoreError> {
        let after = after.map_or(Uuid::nil(), |after| after.0);
        self.engine
            .read(move |transaction| {
                if !groups::exists(transaction, group)? {
                    return of_dynamic(transaction, group, after, limit);
                }
                let groups = if recurse { groups::subtree(transaction, group)? } else { vec![group] };
                Ok(Some((total(transaction, &groups)?, merge(transaction, &groups, after, limit)?)))
            })
            .await
    }
}

/// The devices of a dynamic group.
fn of_dynamic(
    transaction: &Transaction<'_>,
    group: GroupId,
    after: Uuid,
    limit: usize,
) -> Result<Option<(u64, Vec<Member>)>, StoreError> {
    let Some(total) = dynamic_groups::count(transaction, group)? else { return Ok(None) };
    let sql = "select device_uuid, display_name from dynamic_members
        join devices on devices.uuid = device_uuid
        where dynamic_members.group_uuid = $1 and device_uuid > $2 order by device_uuid limit $3";
    let members = transaction.list(sql, values![group, after, limit], |row| {
        Ok(Member { device: row.get(0)?, display_name: row.get(1)?, group })
    })?;
    Ok(Some((total, members)))
}

/// Notes how many devices came to groups, or with a negative number left them.
pub fn count(transaction: &Transaction<'_>, changes: &[(GroupId, i64)]) -> Result<(), StoreError> {
    let mut changes = changes.to_vec();
    // In one order everywhere: two that wait for each other's groups would wait for ever.
    changes.sort_unstable_by_key(|(group, _)| group.0);
    for (group, change) in changes {
        let sql = "update device_groups set device_count = device_count + $1 where uuid = $2";
        transaction.execute(sql, values![change, group])?;
    }
    Ok(())
}

fn total(transaction: &Transaction<'_>, groups: &[GroupId]) -> Result<u64, StoreError> {
    let sql = "select device_count from device_groups where uuid = $1";
    groups.iter().try_fold(0, |total, &group| {
        Ok(total + transaction.find(sql, values![group], |row| row.get::<u64>(0))?.unwrap_or(0))
    })
}

/// Up to `limit` members of all the groups after `after`, in the order of their ids.
///
/// Each group has an index in that order, all of them together have none. Merging portions of them costs the
/// same for the first page and for the last; sorting would read everything that follows, for each page.
pub fn merge(
    transaction: &Transaction<'_>,
    groups: &[GroupId],
    after: Uuid,
    limit: usize,
) -> Result<Vec<Member>, StoreError> {
    let portion = (limit.saturating_mul(2) / groups.len().max(1)).clamp(PORTION.min(limit), limit);
    let read = |group: GroupId, after: Uuid| -> Result<VecDeque<Member>, StoreError> {
        let sql = "select uuid, display_name from devices where group_uuid = $1 and uuid > $2 order by uuid limit $3";
        let members = transaction.list(sql, values![group, after, portion], |row| {
            Ok(Member { device: row.get(0)?, display_name: row.get(1)?, group })
        })?;
        Ok(members.into())
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
