//! The tree of static groups. Every device is in exactly one of them.

use std::collections::HashMap;

use uuid::Uuid;

use crate::GroupId;

/// *All*, the root of the tree. Public clients start from exactly this uuid.
pub const ALL: GroupId = GroupId(Uuid::from_u128(0x0000_0000_0000_0000_7001_0000_0000_0001));

/// *Lost & found*, a child of *All*: where devices land for which nobody chose a place.
pub const LOST_AND_FOUND: GroupId = GroupId(Uuid::from_u128(0x0000_0000_0000_0000_7001_0000_0000_0002));

/// Deepest nesting of groups below *All*.
pub const MAX_DEPTH: usize = 64;

/// Whether a group exists from the start and can be neither renamed, moved nor deleted.
#[must_use]
pub fn is_fixed(group: GroupId) -> bool {
    group == ALL || group == LOST_AND_FOUND
}

/// Why a group cannot go where it is meant to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveError {
    /// The new parent is the group itself or lies below it.
    Cycle,
    /// The tree would become deeper than [`MAX_DEPTH`].
    TooDeep,
}

/// Judges whether `group` may hang below `new_parent`.
///
/// `parents` holds the parent of every group but the root; it must describe a tree.
///
/// # Errors
/// [`MoveError`] says what stands against it.
pub fn check_move(
    parents: &HashMap<GroupId, GroupId>,
    group: GroupId,
    new_parent: GroupId,
) -> Result<(), MoveError> {
    let above = path_to_root(parents, new_parent);
    if above.contains(&group) {
        return Err(MoveError::Cycle);
    }
    if above.len() + height(parents, group) > MAX_DEPTH {
        return Err(MoveError::TooDeep);
    }
    Ok(())
}

/// `group` and everything above it, nearest first.
#[must_use]
pub fn path_to_root(parents: &HashMap<GroupId, GroupId>, group: GroupId) -> Vec<GroupId> {
    std::iter::successors(Some(group), |group| parents.get(group).copied()).collect()
}

/// Number of levels of the subtree that starts with `group`; a group without children has 1.
fn height(parents: &HashMap<GroupId, GroupId>, group: GroupId) -> usize {
    let below = |candidate: &GroupId| {
        path_to_root(parents, *candidate).iter().position(|&ancestor| ancestor == group)
    };
    parents.keys().filter_map(below).max().unwrap_or(0) + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn group(number: u128) -> GroupId {
        GroupId(Uuid::from_u128(number))
    }

    #[test]
    fn a_group_cannot_go_below_itself() {
        let parents = HashMap::from([(group(2), group(1)), (group(3), group(2)), (group(4), group(1))]);
        assert_eq!(check_move(&parents, group(2), group(2)), Err(MoveError::Cycle));
        assert_eq!(check_move(&parents, group(2), group(3)), Err(MoveError::Cycle));
        assert_eq!(check_move(&parents, group(3), group(4)), Ok(()));
        assert_eq!(check_move(&parents, group(2), group(4)), Ok(()));
    }

    #[test]
    fn the_tree_has_a_bottom() {
        let chain: HashMap<_, _> = (2..=64).map(|n| (group(n), group(n - 1))).collect();
        assert_eq!(check_move(&chain, group(99), group(63)), Ok(()));
        assert_eq!(check_move(&chain, group(99), group(64)), Err(MoveError::TooDeep));
    }

    proptest! {
        #[test]
        fn accepted_moves_keep_it_a_tree(moves in prop::collection::vec((2u128..12, 1u128..12), 0..60)) {
            let mut parents: HashMap<_, _> = (2..12).map(|n| (group(n), group(1))).collect();
            for (child, parent) in moves {
                if check_move(&parents, group(child), group(parent)).is_ok() {
                    parents.insert(group(child), group(parent));
                }
                for start in 1..12 {
                    let path: Vec<_> = std::iter::successors(Some(group(start)), |g| parents.get(g).copied())
                        .take(20)
                        .collect();
                    prop_assert_eq!(path.last(), Some(&group(1)));
                }
            }
        }
    }
}
