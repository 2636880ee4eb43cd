//! Policies and the stacks of their assignments.

use std::num::NonZeroU32;

use guardhouse_model::{AssignmentId, DeviceId, GroupId, PolicyId};
use guardhouse_store::{
    Assignment, AssignmentFilter, Policy, PolicyAssign, PolicyTarget, RankChange, StackChange,
};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    pools::{
        ASSIGNMENTS, DEVICES, LIMITS, POLICIES, any_groups, assignment, attributes, device, group, names,
        policy,
    },
};

impl Model {
    pub fn policy_create(&mut self, policy: Policy) -> Result<(), Refusal> {
        if self.policies.contains_key(&policy.id) {
            return Err(Refusal::Taken);
        }
        self.policies.insert(policy.id, policy);
        Ok(())
    }

    pub fn policies_settle(&mut self, policies: Vec<Policy>) {
        for policy in policies {
            self.policies.entry(policy.id).or_insert(policy);
        }
    }

    pub fn policy_get(&self, policy: PolicyId) -> Option<Policy> {
        self.policies.get(&policy).cloned()
    }

    pub fn policies_get_many(&self, policies: Vec<PolicyId>) -> Vec<Policy> {
        self.policies.values().filter(|policy| policies.contains(&policy.id)).cloned().collect()
    }

    pub fn policies_list(&self, after: Option<PolicyId>, limit: usize) -> Vec<Policy> {
        self.policies.values().filter(|policy| Some(policy.id) > after).take(limit).cloned().collect()
    }

    pub fn policy_delete(&mut self, policy: PolicyId) -> Option<Vec<PolicyTarget>> {
        self.policies.remove(&policy)?;
        let mut targets = Vec::new();
        for (&target, stack) in &mut self.stacks {
            let height = stack.len();
            stack.retain(|(_, assigned)| *assigned != policy);
            if stack.len() < height {
                targets.push(target);
            }
        }
        Some(targets)
    }

    pub fn policy_assign(
        &mut self,
        id: AssignmentId,
        policy: PolicyId,
        target: PolicyTarget,
    ) -> Result<PolicyAssign, Refusal> {
        let judged = self.policy_assign_check(id, policy, target);
        if matches!(judged, PolicyAssign::Done(_)) {
            if self.policy_assignment_get(id).is_some() {
                return Err(Refusal::Taken);
            }
            self.stacks.entry(target).or_default().push((id, policy));
        }
        Ok(judged)
    }

    pub fn policy_assign_check(
        &self,
        id: AssignmentId,
        policy: PolicyId,
        target: PolicyTarget,
    ) -> PolicyAssign {
        if !self.policies.contains_key(&policy) {
            return PolicyAssign::NoSuchPolicy;
        }
        let is_there = match target {
            PolicyTarget::Device(device) => self.devices.contains_key(&device),
            PolicyTarget::Group(group) => self.any_group_exists(group),
        };
        if !is_there {
            return PolicyAssign::NoSuchTarget;
        }
        let stack = self.of_target(target);
        if let Some(already) = stack.iter().find(|kept| kept.policy == policy) {
            return PolicyAssign::Already(already.clone());
        }
        PolicyAssign::Done(Assignment { id, policy, target, rank: rank_of(stack.len()) })
    }

    pub fn policy_assignment_get(&self, id: AssignmentId) -> Option<Assignment> {
        self.assignments().into_iter().find(|kept| kept.id == id)
    }

    pub fn policy_assignments_list(
        &self,
        filter: AssignmentFilter,
        after: Option<AssignmentId>,
        limit: usize,
    ) -> Vec<Assignment> {
        let mut shown = self.assignments();
        shown.retain(|kept| {
            (filter.policies.is_empty() || filter.policies.contains(&kept.policy))
                && filter.target.is_none_or(|target| kept.target == target)
                && Some(kept.id) > after
        });
        shown.truncate(limit);
        shown
    }

    pub fn policy_unassign(&mut self, id: AssignmentId) -> Option<PolicyTarget> {
        let gone = self.policy_assignment_get(id)?;
        let stack = self.stacks.get_mut(&gone.target).expect("it is in it");
        stack.retain(|(other, _)| *other != id);
        Some(gone.target)
    }

    pub fn policy_assignment_rank(&mut self, id: AssignmentId, rank: NonZeroU32) -> RankChange {
        let Some(moved) = self.policy_assignment_get(id) else { return RankChange::NoSuchAssignment };
        let stack = self.stacks.get_mut(&moved.target).expect("it is in it");
        let place = rank.get() as usize - 1;
        if place >= stack.len() {
            return RankChange::Beyond(rank_of(stack.len() - 1));
        }
        stack.retain(|(other, _)| *other != id);
        stack.insert(place, (id, moved.policy));
        RankChange::Done(moved.target)
    }

    pub fn policy_stacks(&self, devices: Vec<DeviceId>) -> Vec<Vec<Assignment>> {
        let stack = |device: DeviceId| {
            let Some(kept) = self.devices.get(&device) else { return Vec::new() };
            let mut stack = Vec::new();
            let static_groups: Vec<GroupId> = self.path(kept.group).into_iter().rev().collect();
            for &group in &static_groups {
                stack.extend(self.of_target(PolicyTarget::Group(group)));
            }
            for group in static_groups.into_iter().flat_map(|group| self.dynamic_below(group)) {
                if self.dynamic_members.contains(&(group, device)) {
                    stack.extend(self.of_target(PolicyTarget::Group(group)));
                }
            }
            stack.extend(self.of_target(PolicyTarget::Device(device)));
            stack
        };
        devices.into_iter().map(stack).collect()
    }

    pub fn policy_stacks_if(&mut self, devices: Vec<DeviceId>, proposed: Assignment) -> Vec<StackChange> {
        let now = self.policy_stacks(devices.clone());
        let kept = self.stacks.clone();
        let stack = self.stacks.entry(proposed.target).or_default();
        stack.insert(proposed.rank as usize - 1, (proposed.id, proposed.policy));
        let then = self.policy_stacks(devices);
        self.stacks = kept;
        std::iter::zip(now, then).map(|(now, then)| StackChange { now, then }).collect()
    }

    /// What is assigned to a target, by rank.
    fn of_target(&self, target: PolicyTarget) -> Vec<Assignment> {
        let mut stack = self.assignments();
        stack.retain(|kept| kept.target == target);
        stack.sort_by_key(|kept| kept.rank);
        stack
    }

    /// All of them, in the order of their ids.
    fn assignments(&self) -> Vec<Assignment> {
        let mut all = Vec::new();
        for (&target, stack) in &self.stacks {
            for (place, &(id, policy)) in stack.iter().enumerate() {
                all.push(Assignment { id, policy, target, rank: rank_of(place) });
            }
        }
        all.sort_by_key(|assignment| assignment.id);
        all
    }
}

/// The rank of a place, which is counted from 0.
fn rank_of(place: usize) -> u32 {
    u32::try_from(place).expect("a handful") + 1
}

#[derive(Debug, Clone)]
pub enum Command {
    Create { policy: u8, name: &'static str, features: &'static [u8] },
    Settle { policies: Vec<u8>, features: &'static [u8] },
    Delete { policy: u8 },
    Assign { assignment: u8, policy: u8, target: Target },
    Unassign { assignment: u8 },
    Rank { assignment: u8, rank: u8 },
    List { policies: Vec<u8>, target: Option<Target>, after: Option<u8>, limit: usize },
    GetMany { policies: Vec<u8> },
    Stacks { devices: Vec<u8> },
    StacksIf { devices: Vec<u8>, policy: u8, target: Target, rank: u8 },
}

/// A target.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    Device(u8),
    Group(u8),
}

impl Target {
    fn record(self) -> PolicyTarget {
        match self {
            Self::Device(number) => PolicyTarget::Device(device(number)),
            Self::Group(number) => PolicyTarget::Group(group(number)),
        }
    }
}

fn targets() -> impl Strategy<Value = Target> {
    prop_oneof![1 => DEVICES.prop_map(Target::Device), 2 => any_groups().prop_map(Target::Group)]
}

pub fn creations() -> impl Strategy<Value = Command> {
    prop_oneof![
        (POLICIES, names(), attributes()).prop_map(|(policy, name, features)| Command::Create {
            policy,
            name,
            features
        }),
        (ASSIGNMENTS, POLICIES, targets()).prop_map(|(assignment, policy, target)| Command::Assign {
            assignment,
            policy,
            target
        }),
    ]
}

pub fn commands() -> impl Strategy<Value = Command> {
    let filters = (vec(POLICIES, 0..3), prop::option::of(targets()));
    prop_oneof![
        6 => creations(),
        1 => (vec(POLICIES, 0..3), attributes())
            .prop_map(|(policies, features)| Command::Settle { policies, features }),
        1 => POLICIES.prop_map(|policy| Command::Delete { policy }),
        2 => ASSIGNMENTS.prop_map(|assignment| Command::Unassign { assignment }),
        4 => (ASSIGNMENTS, 1..6_u8).prop_map(|(assignment, rank)| Command::Rank { assignment, rank }),
        2 => (filters, prop::option::of(ASSIGNMENTS), LIMITS).prop_map(|((policies, target), after, limit)| {
            Command::List { policies, target, after, limit }
        }),
        1 => vec(POLICIES, 0..4).prop_map(|policies| Command::GetMany { policies }),
        4 => vec(DEVICES, 0..8).prop_map(|devices| Command::Stacks { devices }),
        2 => (vec(DEVICES, 0..8), POLICIES, targets(), 0..4_u8).prop_map(
            |(devices, policy, target, rank)| Command::StacksIf { devices, policy, target, rank }
        ),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Settle { policies, features } => {
            let new = |number| Policy {
                id: policy(number),
                display_name: "settled".to_owned(),
                description: String::new(),
                features: features.to_vec(),
            };
            let all = || policies.iter().copied().map(new).collect();
            agree!(bench.policies_settle(all()));
        }
        Command::Create { policy: number, name, features } => {
            let new = || Policy {
                id: policy(number),
                display_name: name.to_owned(),
                description: "described".to_owned(),
                features: features.to_vec(),
            };
            agree!(bench.policy_create(new())?);
        }
        Command::Delete { policy: number } => {
            agree!(bench.policy_delete(policy(number)));
        }
        Command::Assign { assignment: number, policy: assigned, target } => {
            let (id, policy, target) = (assignment(number), policy(assigned), target.record());
            agree!(bench.policy_assign_check(id, policy, target));
            agree!(bench.policy_assign(id, policy, target)?);
        }
        Command::Unassign { assignment: number } => {
            agree!(bench.policy_unassign(assignment(number)));
        }
        Command::Rank { assignment: number, rank } => {
            let rank = NonZeroU32::MIN.saturating_add(u32::from(rank) - 1);
            agree!(bench.policy_assignment_rank(assignment(number), rank));
        }
        Command::List { policies, target, after, limit } => {
            let filter = || AssignmentFilter {
                policies: policies.iter().copied().map(policy).collect(),
                target: target.map(Target::record),
            };
            agree!(bench.policy_assignments_list(filter(), after.map(assignment), limit));
        }
        Command::GetMany { policies } => {
            let ids = || policies.iter().copied().map(policy).collect();
            agree!(bench.policies_get_many(ids()));
        }
        Command::Stacks { devices } => {
            let ids = || devices.iter().copied().map(device).collect();
            agree!(bench.policy_stacks(ids()));
        }
        Command::StacksIf { devices, policy: proposed, target, rank } => {
            let ids = || devices.iter().copied().map(device).collect();
            let (id, target) = (AssignmentId(Uuid::nil()), target.record());
            let height = u32::try_from(bench.model.of_target(target).len()).expect("a handful");
            let rank = 1 + u32::from(rank) % (height + 1);
            let proposed = || Assignment { id, policy: policy(proposed), target, rank };
            agree!(bench.policy_stacks_if(ids(), proposed()));
        }
    }
    Ok(())
}
