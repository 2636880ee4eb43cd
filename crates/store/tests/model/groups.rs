//! Groups: one tree below *All*.

use std::collections::BTreeMap;

use guardhouse_model::{
    DeviceId, GroupId,
    groups::{ALL, LOST_AND_FOUND},
};
use guardhouse_store::{Group, GroupMove, Member, PolicyTarget};
use proptest::prelude::*;

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    pools::{DEVICES, GROUPS, LIMITS, device, group, groups, names},
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
        self.groups.get(&group).cloned()
    }

    pub fn groups_list(&self, after: Option<GroupId>, limit: usize) -> Vec<Group> {
        let groups = self.groups.values().filter(|group| Some(group.id) > after);
        groups.take(limit).cloned().collect()
    }

    pub fn group_members_list(
        &self,
        group: GroupId,
        recurse: bool,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Option<(u64, Vec<Member>)> {
        self.groups.get(&group)?;
        let members = self
            .devices
            .values()
            .filter(|device| device.group == group || (recurse && self.path(device.group).contains(&group)));
        let members: Vec<Member> = members
            .map(|device| Member {
                device: device.id,
                display_name: device.display_name.clone(),
                group: device.group,
            })
            .collect();
        let total = members.len() as u64;
        let page = members.into_iter().filter(|member| Some(member.device) > after).take(limit).collect();
        Some((total, page))
    }

    /// The pool is too small for a tree that is too deep.
    pub fn group_create(&mut self, group: Group) -> Result<GroupMove, Refusal> {
        let Some(parent) = group.parent.filter(|parent| self.groups.contains_key(parent)) else {
            return Ok(GroupMove::NoSuchParent);
        };
        if self.path(parent).contains(&group.id) {
            return Ok(GroupMove::Cycle);
        }
        if self.groups.contains_key(&group.id) {
            return Err(Refusal::Taken);
        }
        self.groups.insert(group.id, group.clone());
        Ok(GroupMove::Done(group))
    }

    pub fn group_move(&mut self, group: GroupId, parent: GroupId) -> GroupMove {
        let path = self.path(parent);
        let Some(moved) = self.groups.get_mut(&group) else { return GroupMove::NoSuchGroup };
        if path.is_empty() {
            return GroupMove::NoSuchParent;
        }
        if path.contains(&group) {
            return GroupMove::Cycle;
        }
        if moved.parent != Some(parent) {
            moved.parent = Some(parent);
            moved.version += 1;
        }
        GroupMove::Done(moved.clone())
    }

    pub fn group_rename(&mut self, group: GroupId, display_name: String) -> Option<Group> {
        let renamed = self.groups.get_mut(&group)?;
        if renamed.display_name != display_name {
            renamed.display_name = display_name;
            renamed.version += 1;
        }
        Some(renamed.clone())
    }

    /// Answers in the order of the ids. Tasks keep the targets that are gone, and runs stay.
    pub fn group_delete(&mut self, group: GroupId) -> Option<Vec<DeviceId>> {
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
        self.devices.retain(|device, _| !gone.contains(device));
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
    Move { group: u8, parent: u8 },
    Rename { group: u8, name: &'static str },
    Delete { group: u8 },
    Members { group: u8, recurse: bool, after: Option<u8>, limit: usize },
}

pub fn creations() -> impl Strategy<Value = Command> {
    let parents = prop::option::weighted(0.95, groups());
    (GROUPS, parents, names()).prop_map(|(group, parent, name)| Command::Create { group, parent, name })
}

pub fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        6 => creations(),
        4 => (GROUPS, groups()).prop_map(|(group, parent)| Command::Move { group, parent }),
        2 => (GROUPS, names()).prop_map(|(group, name)| Command::Rename { group, name }),
        // The services keep those that exist from the start from being deleted.
        1 => (2..GROUPS.end).prop_map(|group| Command::Delete { group }),
        2 => (GROUPS, any::<bool>(), prop::option::of(DEVICES), LIMITS).prop_map(
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
                version: 1,
            };
            agree!(bench.group_create(new())?);
        }
        Command::Move { group: number, parent } => {
            agree!(bench.group_move(group(number), group(parent)));
        }
        Command::Rename { group: number, name } => {
            agree!(bench.group_rename(group(number), name.to_owned()));
        }
        Command::Delete { group: number } => {
            let sorted = |gone: Option<Vec<DeviceId>>| {
                gone.map(|mut gone| {
                    gone.sort();
                    gone
                })
            };
            agree!(bench.group_delete(group(number)), sorted);
        }
        Command::Members { group: number, recurse, after, limit } => {
            agree!(bench.group_members_list(group(number), recurse, after.map(device), limit));
        }
    }
    Ok(())
}
