//! Groups: one tree below *All*.

use std::collections::BTreeMap;

use guardhouse_model::{
    DeviceId, GroupId, Timestamp,
    device_runs::DEVICE_DELETED,
    groups::{ALL, LOST_AND_FOUND},
};
use guardhouse_store::{Group, GroupMove, Member, PolicyTarget};
use proptest::prelude::*;

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    pools::{DEVICES, DYNAMIC_GROUPS, GROUPS, LIMITS, SECONDS, any_groups, at, device, group, names},
};

/// The groups that nobody has to create.
pub fn from_the_start() -> BTreeMap<GroupId, Group> {
    let fixed = |id, parent, display_name: &str| Group {
        id,
        parent,
        display_name: display_name.to_owned(),
        description: String::new(),
        external_reference: String::new(),
        external_type: 0,
        is_dynamic: false,
        version: 1,
    };
    let groups = [fixed(ALL, None, "All"), fixed(LOST_AND_FOUND, Some(ALL), "Lost & found")];
    groups.into_iter().map(|group| (group.id, group)).collect()
}

impl Model {
    /// A group and everything above it, nearest first. Empty: no such group.
    pub fn path(&self, group: GroupId) -> Vec<GroupId> {
        let mut path = Vec::new();
        let mut next = self.groups.get(&group);
        while let Some(group) = next {
            path.push(group.id);
            next = group.parent.and_then(|parent| self.groups.get(&parent));
        }
        path
    }

    pub fn group_get(&self, group: GroupId) -> Option<Group> {
        self.groups_list(None, usize::MAX).into_iter().find(|kept| kept.id == group)
    }

    /// Groups of both kinds.
    pub fn groups_list(&self, after: Option<GroupId>, limit: usize) -> Vec<Group> {
        let dynamic = self.dynamic_groups.values().map(|group| Group {
            id: group.id,
            parent: Some(group.parent),
            display_name: group.display_name.clone(),
            description: group.description.clone(),
            external_reference: String::new(),
            external_type: 0,
            is_dynamic: true,
            version: group.version,
        });
        let mut groups: Vec<Group> = self.groups.values().cloned().chain(dynamic).collect();
        groups.retain(|group| Some(group.id) > after);
        groups.sort_by_key(|group| group.id);
        groups.truncate(limit);
        groups
    }

    pub fn group_members_list(
        &self,
        group: GroupId,
        recurse: bool,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Option<(u64, Vec<Member>)> {
        let is_dynamic = self.dynamic_groups.contains_key(&group);
        if !is_dynamic {
            self.groups.get(&group)?;
        }
        let members = self.devices.values().filter(|device| {
            device.group == group
                || (recurse && self.path(device.group).contains(&group))
                || self.dynamic_members.contains(&(group, device.id))
        });
        let members: Vec<Member> = members
            .map(|device| Member {
                device: device.id,
                display_name: device.display_name.clone(),
                group: if is_dynamic { group } else { device.group },
            })
            .collect();
        let total = members.len() as u64;
        let page = members.into_iter().filter(|member| Some(member.device) > after).take(limit).collect();
        Some((total, page))
    }

    /// The pool is too small for a tree that is too deep.
    pub fn group_create(&mut self, group: Group) -> Result<GroupMove, Refusal> {
        let Some(parent) = group.parent else { return Ok(GroupMove::NoSuchParent) };
        if let Some(refusal) = self.refuse_static_place(parent) {
            return Ok(refusal);
        }
        if self.path(parent).contains(&group.id) {
            return Ok(GroupMove::Cycle);
        }
        if self.groups.contains_key(&group.id) {
            return Err(Refusal::Taken);
        }
        self.groups.insert(group.id, group.clone());
        Ok(GroupMove::Done(group))
    }

    pub fn group_move(&mut self, group: GroupId, parent: GroupId, now: Timestamp) -> GroupMove {
        if self.dynamic_groups.contains_key(&group) {
            return self.dynamic_group_move(group, parent, now);
        }
        let path = self.path(parent);
        if !self.groups.contains_key(&group) {
            return GroupMove::NoSuchGroup;
        }
        if let Some(refusal) = self.refuse_static_place(parent) {
            return refusal;
        }
        if path.contains(&group) {
            return GroupMove::Cycle;
        }
        let before = self.path(group);
        let moved = self.groups.get_mut(&group).expect("is there");
        if moved.parent != Some(parent) {
            moved.parent = Some(parent);
            moved.version += 1;
            // The groups above at both places have the same devices as before.
            for above in before.iter().chain(&path) {
                if *above != group && !(before.contains(above) && path.contains(above)) {
                    let children: Vec<GroupId> = self
                        .dynamic_groups
                        .values()
                        .filter(|child| child.parent == *above)
                        .map(|child| child.id)
                        .collect();
                    for child in children {
                        self.evaluate(child, now);
                    }
                }
            }
        }
        GroupMove::Done(self.group_get(group).expect("is there"))
    }

    fn dynamic_group_move(&mut self, group: GroupId, parent: GroupId, now: Timestamp) -> GroupMove {
        if !self.any_group_exists(parent) {
            return GroupMove::NoSuchParent;
        }
        if self.dynamic_below(group).contains(&parent) {
            return GroupMove::Cycle;
        }
        let moved = self.dynamic_groups.get_mut(&group).expect("is there");
        if moved.parent != parent {
            moved.parent = parent;
            moved.version += 1;
            self.evaluate(group, now);
        }
        GroupMove::Done(self.group_get(group).expect("is there"))
    }

    fn refuse_static_place(&self, parent: GroupId) -> Option<GroupMove> {
        if self.dynamic_groups.contains_key(&parent) {
            return Some(GroupMove::BelowDynamic);
        }
        (!self.groups.contains_key(&parent)).then_some(GroupMove::NoSuchParent)
    }

    pub fn group_rename(&mut self, group: GroupId, display_name: String) -> Option<Group> {
        if let Some(renamed) = self.groups.get_mut(&group)
            && renamed.display_name != display_name
        {
            renamed.display_name = display_name;
            renamed.version += 1;
        } else if let Some(renamed) = self.dynamic_groups.get_mut(&group)
            && renamed.display_name != display_name
        {
            renamed.display_name = display_name;
            renamed.version += 1;
        }
        self.group_get(group)
    }

    /// Answers in the order of the ids. Tasks keep the targets that are gone, and runs stay.
    pub fn group_delete(&mut self, group: GroupId, now: Timestamp) -> Option<Vec<DeviceId>> {
        if self.dynamic_groups.contains_key(&group) {
            return self.dynamic_group_delete(group);
        }
        self.groups.get(&group)?;
        let doomed: Vec<GroupId> =
            self.groups.keys().copied().filter(|&other| self.path(other).contains(&group)).collect();
        let gone: Vec<DeviceId> = self
            .devices
            .values()
            .filter(|device| doomed.contains(&device.group))
            .map(|device| device.id)
            .collect();
        self.device_keys.retain(|_, key| !gone.contains(&key.device));
        self.epochs.retain(|device, _| !gone.contains(device));
        self.device_policies.retain(|device, _| !gone.contains(device));
        self.close_open_of(
            &gone,
            DEVICE_DELETED,
            "the device was deleted before it said how the run went",
            now,
        );
        self.forget_machines(&gone);
        self.devices.retain(|device, _| !gone.contains(device));
        self.facts.retain(|device, _| !gone.contains(device));
        let dynamic: Vec<GroupId> = doomed.iter().flat_map(|group| self.dynamic_below(*group)).collect();
        self.forget_dynamic_groups(&dynamic);
        self.dynamic_members.retain(|(_, device)| !gone.contains(device));
        self.groups.retain(|group, _| !doomed.contains(group));
        self.stacks.retain(|target, _| match target {
            PolicyTarget::Device(device) => !gone.contains(device),
            PolicyTarget::Group(group) => !doomed.contains(group),
        });
        Some(gone)
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Create { group: u8, parent: Option<u8>, name: &'static str },
    Move { group: u8, parent: u8, now: u8 },
    Rename { group: u8, name: &'static str },
    Delete { group: u8, now: u8 },
    Members { group: u8, recurse: bool, after: Option<u8>, limit: usize },
}

pub fn creations() -> impl Strategy<Value = Command> {
    let parents = prop::option::weighted(0.95, any_groups());
    (GROUPS, parents, names()).prop_map(|(group, parent, name)| Command::Create { group, parent, name })
}

pub fn commands() -> impl Strategy<Value = Command> {
    let movable = prop_oneof![3 => GROUPS, 2 => DYNAMIC_GROUPS];
    prop_oneof![
        6 => creations(),
        4 => (movable, any_groups(), SECONDS)
            .prop_map(|(group, parent, now)| Command::Move { group, parent, now }),
        2 => (any_groups(), names()).prop_map(|(group, name)| Command::Rename { group, name }),
        // The services keep those that exist from the start from being deleted.
        1 => (2..DYNAMIC_GROUPS.end, SECONDS).prop_map(|(group, now)| Command::Delete { group, now }),
        2 => (any_groups(), any::<bool>(), prop::option::of(DEVICES), LIMITS).prop_map(
            |(group, recurse, after, limit)| Command::Members { group, recurse, after, limit }
        ),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Create { group: number, parent, name } => {
            let new = || Group {
                id: group(number),
                parent: parent.map(group),
                display_name: name.to_owned(),
                description: "described".to_owned(),
                external_reference: "elsewhere".to_owned(),
                external_type: 1,
                is_dynamic: false,
                version: 1,
            };
            agree!(bench.group_create(new())?);
        }
        Command::Move { group: number, parent, now } => {
            agree!(bench.group_move(group(number), group(parent), at(now)));
        }
        Command::Rename { group: number, name } => {
            agree!(bench.group_rename(group(number), name.to_owned()));
        }
        Command::Delete { group: number, now } => {
            let sorted = |gone: Option<Vec<DeviceId>>| {
                gone.map(|mut gone| {
                    gone.sort();
                    gone
                })
            };
            agree!(bench.group_delete(group(number), at(now)), sorted);
        }
        Command::Members { group: number, recurse, after, limit } => {
            agree!(bench.group_members_list(group(number), recurse, after.map(device), limit));
        }
    }
    Ok(())
}
