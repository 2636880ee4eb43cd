//! The places of dynamic groups in the tree.

use std::collections::BTreeSet;

use guardhouse_model::{GroupId, Timestamp};

use super::{evaluate::evaluate, rules::Rules, tree::Tree};
use crate::{
    StoreError,
    engine::{Transaction, values},
    verbs::groups,
};

/// The static group from which a dynamic group below `parent` has its devices. `None`: no such parent.
pub fn base(transaction: &Transaction<'_>, parent: GroupId) -> Result<Option<GroupId>, StoreError> {
    if groups::exists(transaction, parent)? {
        return Ok(Some(parent));
    }
    transaction.find("select base from dynamic_groups where uuid = $1", values![parent], |row| row.get(0))
}

/// A dynamic group and all below it, each after its parent.
pub fn subtree(transaction: &Transaction<'_>, group: GroupId) -> Result<Vec<GroupId>, StoreError> {
    let sql = "with recursive subtree (uuid) as (
            select uuid from dynamic_groups where uuid = $1
            union all
            select child.uuid from dynamic_groups child join subtree on child.parent = subtree.uuid
        )
        select uuid from subtree";
    transaction.list(sql, values![group], |row| row.get(0))
}

/// Hangs a dynamic group, with all that is below it, under another group; its devices are found anew. The place must
/// have been checked.
pub fn move_below(
    transaction: &Transaction<'_>,
    rules: &Rules,
    group: GroupId,
    parent: GroupId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(base) = base(transaction, parent)? else { return Ok(()) };
    let moved = transaction.execute(
        "update dynamic_groups set parent = $1, version = version + 1 where uuid = $2 and parent <> $1",
        values![parent, group],
    )?;
    if moved == 0 {
        return Ok(());
    }
    for group in subtree(transaction, group)? {
        transaction.execute("update dynamic_groups set base = $1 where uuid = $2", values![base, group])?;
    }
    let tree = Tree::load(transaction, rules)?;
    evaluate(transaction, &tree, &[group], now).map(drop)
}

/// Finds the devices of dynamic groups anew after a static group was moved from below `before` to below `after`: those
/// below groups that contain it at only one of the two places.
pub fn children_moved(
    transaction: &Transaction<'_>,
    rules: &Rules,
    before: GroupId,
    after: GroupId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tree = Tree::load(transaction, rules)?;
    if tree.is_empty() {
        return Ok(());
    }
    let path = |group| -> Result<BTreeSet<GroupId>, StoreError> {
        Ok(groups::path(transaction, group)?.into_iter().collect())
    };
    let concerned = &path(before)? ^ &path(after)?;
    let roots: Vec<GroupId> =
        concerned.into_iter().flat_map(|group| tree.children(group)).map(|node| node.id).collect();
    evaluate(transaction, &tree, &roots, now).map(drop)
}

/// Counts the devices of the dynamic groups below static groups anew, after devices were deleted.
pub fn recount(transaction: &Transaction<'_>, bases: &[GroupId]) -> Result<(), StoreError> {
    for &base in bases {
        transaction.execute(
            "update dynamic_groups set device_count
                 = (select count(*) from dynamic_members where group_uuid = dynamic_groups.uuid)
             where base = $1",
            values![base],
        )?;
    }
    Ok(())
}
