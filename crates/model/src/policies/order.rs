//! In which order the targets of policies are merged for a device.

use std::collections::{BTreeMap, BTreeSet};

use crate::{DeviceId, GroupId};

/// What policies are assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A group, static or dynamic.
    Group(GroupId),
    /// One device.
    Device(DeviceId),
}

/// All targets that concern `device`, the one whose policies are merged first in front: the static groups from the
/// root to the group of the device, then the dynamic groups, each before those below it, then the device itself.
///
/// `static_path` holds the static groups, root first. `dynamic` holds the dynamic groups of which the device is a
/// member, each with its parent, static or dynamic; the parents must describe a tree. Dynamic groups below the same
/// parent come in the order of their ids, which is that of their creation; those below an outer static group come
/// before those below an inner one. A group whose parent is not among the groups of the device does not count: nobody
/// is a member of a group without being one of its parent.
#[must_use]
pub fn order(static_path: &[GroupId], dynamic: &[(GroupId, GroupId)], device: DeviceId) -> Vec<Target> {
    let mut below: BTreeMap<GroupId, BTreeSet<GroupId>> = BTreeMap::new();
    for &(group, parent) in dynamic {
        below.entry(parent).or_default().insert(group);
    }
    let mut order: Vec<_> = static_path.iter().copied().map(Target::Group).collect();
    for parent in static_path {
        // Those that are to be visited, the next one last.
        let mut waiting: Vec<_> = below.remove(parent).into_iter().flatten().rev().collect();
        while let Some(group) = waiting.pop() {
            order.push(Target::Group(group));
            waiting.extend(below.remove(&group).into_iter().flatten().rev());
        }
    }
    order.push(Target::Device(device));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const DEVICE: DeviceId = DeviceId(Uuid::from_u128(7));

    fn group(number: u128) -> GroupId {
        GroupId(Uuid::from_u128(number))
    }

    /// The example of the vendor's documentation: the computer is in the static groups All, SG2 and SG3 and in the
    /// dynamic groups DG1 with DG3 below it, and DG2 with DG4 below it.
    #[test]
    fn the_example_of_the_documentation() {
        let [all, sg2, sg3] = [1, 2, 3].map(group);
        let [dg1, dg2, dg3, dg4] = [11, 12, 13, 14].map(group);
        let policies = |target: Target| -> &[&str] {
            match target {
                Target::Group(group) if group == sg2 || group == dg1 => &["P1", "P2"],
                Target::Group(group) if group == dg2 => &["P3"],
                _ => &[],
            }
        };
        let order = order(&[all, sg2, sg3], &[(dg4, dg2), (dg3, dg1), (dg2, sg3), (dg1, sg3)], DEVICE);
        let groups = [all, sg2, sg3, dg1, dg3, dg2, dg4].map(Target::Group);
        assert_eq!(order, [groups.as_slice(), &[Target::Device(DEVICE)]].concat());
        let merged: Vec<_> = order.into_iter().flat_map(policies).copied().collect();
        assert_eq!(merged, ["P1", "P2", "P1", "P2", "P3"]);
    }

    #[test]
    fn outer_static_groups_come_before_inner_ones_also_with_what_hangs_below_them() {
        let (all, inner) = (group(1), group(2));
        // The group below All is younger than the one below the inner group.
        let order = order(&[all, inner], &[(group(11), inner), (group(12), all)], DEVICE);
        assert_eq!(
            order,
            [
                Target::Group(all),
                Target::Group(inner),
                Target::Group(group(12)),
                Target::Group(group(11)),
                Target::Device(DEVICE),
            ]
        );
    }

    #[test]
    fn a_group_without_its_parent_does_not_count() {
        let order = order(&[group(1)], &[(group(12), group(11)), (group(13), group(9))], DEVICE);
        assert_eq!(order, [Target::Group(group(1)), Target::Device(DEVICE)]);
    }

    proptest! {
        #[test]
        fn parents_come_before_children_and_siblings_by_id(parents in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
            let root = group(0);
            let dynamic: Vec<_> = parents
                .iter()
                .enumerate()
                .map(|(index, parent)| (group(index as u128 + 1), group(parent.index(index + 1) as u128)))
                .collect();
            let order = order(&[root], &dynamic, DEVICE);
            let place = |group| order.iter().position(|&target| target == Target::Group(group));
            prop_assert_eq!(order.len(), dynamic.len() + 2, "everything once");
            for &(child, parent) in &dynamic {
                prop_assert!(place(parent) < place(child));
                for &(sibling, _) in dynamic.iter().filter(|(other, same)| *same == parent && *other > child) {
                    prop_assert!(place(child) < place(sibling));
                }
            }
        }
    }
}
