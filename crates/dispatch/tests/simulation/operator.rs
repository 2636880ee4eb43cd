//! What people do: tasks, moves and policies, asked of one replica as the services do it.

use std::{num::NonZeroU32, rc::Rc, time::Duration};

use guardhouse_contract::policies::{self, FeaturePolicy};
use guardhouse_dispatch::Dispatcher;
use guardhouse_model::{
    AssignmentId, DeviceId, GroupId, PolicyId, TaskId, TemplateId, Timestamp, TriggerId, groups::ALL,
};
use guardhouse_store::{
    Device, Group, NewTask, Overdue, Policy, PolicyTarget, RankChange, Store, StoreError, Targets, Trigger,
};
use prost::Message as _;
use prost_types::Any;
use uuid::Uuid;

use crate::world::World;

/// How many policies there are from the start. They are about two features: every other one says something about the
/// same.
const POLICIES: u32 = 6;

/// How long triggers wait that are not meant to expire.
const LONG: Duration = Duration::from_secs(3_600);

/// Something to do.
#[derive(Debug, Clone)]
pub enum Command {
    Create {
        task: TaskId,
        targets: Targets,
        triggers: Vec<Trigger>,
    },
    Retarget {
        task: TaskId,
        targets: Targets,
    },
    Retrigger {
        task: TaskId,
        triggers: Vec<Trigger>,
    },
    Delete {
        task: TaskId,
    },
    Cancel {
        task: TaskId,
        only: Option<Vec<DeviceId>>,
    },
    /// What was not heard of for a while counts as ended.
    TimeOut,
    Move {
        device: DeviceId,
        group: GroupId,
    },
    Assign {
        id: AssignmentId,
        policy: PolicyId,
        target: PolicyTarget,
    },
    Rank {
        id: AssignmentId,
        rank: NonZeroU32,
    },
    Unassign {
        id: AssignmentId,
    },
    DeletePolicy {
        policy: PolicyId,
    },
    Drain,
}

/// The groups of this house: two beside each other, one of them with a third below it.
pub fn groups(world: &World) -> Vec<GroupId> {
    world.notes.borrow().groups.clone()
}

/// Furnishes an empty house.
pub async fn furnish(world: &World) -> Result<(), StoreError> {
    let mut groups = vec![ALL];
    for parent in [0, 0, 1] {
        let id = GroupId(world.environment.uuid());
        world.store.group_create(blank_group(id, groups[parent])).await?;
        groups.push(id);
    }
    for device in &world.devices {
        let group = groups[world.below(groups.len())];
        world.store.devices_import(group, vec![blank_device(device.id, group)]).await?;
    }
    let mut policies = Vec::new();
    for number in 0..POLICIES {
        let id = PolicyId(world.environment.uuid());
        world.store.policy_create(blank_policy(id, number)).await?;
        policies.push(id);
    }
    let mut notes = world.notes.borrow_mut();
    (notes.groups, notes.policies) = (groups, policies);
    Ok(())
}

/// A task for whom it may concern.
pub fn create(world: &World, targets: Targets) -> Command {
    let task = TaskId(world.environment.uuid());
    Command::Create { task, targets, triggers: vec![trigger(world, task, LONG)] }
}

/// Anything.
pub fn by_chance(world: &World) -> Command {
    if world.chance(25) {
        return about_policies(world);
    }
    let tasks: Vec<TaskId> = world.notes.borrow().tasks().collect();
    let kind = world.below(100);
    if tasks.is_empty() || kind < 30 {
        let task = TaskId(world.environment.uuid());
        let triggers = triggers(world, task);
        return Command::Create { task, targets: targets(world), triggers };
    }
    // Mostly one of the last, with which something still goes on.
    let recent = tasks.len().saturating_sub(3);
    let task = tasks[recent + world.below(tasks.len() - recent)];
    match kind {
        30..65 => Command::Retarget { task, targets: targets(world) },
        65..75 => Command::Retrigger { task, triggers: triggers(world, task) },
        75..83 => Command::Delete { task },
        83..91 => {
            let some = world.devices.iter().filter(|_| world.chance(40)).map(|device| device.id).collect();
            Command::Cancel { task, only: world.chance(50).then_some(some) }
        }
        91..93 => Command::TimeOut,
        _ => {
            let groups = groups(world);
            let device = world.devices[world.below(world.devices.len())].id;
            Command::Move { device, group: groups[world.below(groups.len())] }
        }
    }
}

/// Anything about policies.
fn about_policies(world: &World) -> Command {
    let (policies, assignments) = {
        let notes = world.notes.borrow();
        (notes.policies.clone(), notes.assignments.clone())
    };
    let kind = world.below(100);
    if assignments.is_empty() || kind < 50 {
        let id = AssignmentId(world.environment.uuid());
        world.notes.borrow_mut().assignments.push(id);
        let groups = groups(world);
        let target = if world.chance(60) {
            PolicyTarget::Group(groups[world.below(groups.len())])
        } else {
            PolicyTarget::Device(world.devices[world.below(world.devices.len())].id)
        };
        return Command::Assign { id, policy: policies[world.below(policies.len())], target };
    }
    let id = assignments[world.below(assignments.len())];
    match kind {
        50..70 => Command::Rank { id, rank: NonZeroU32::MIN.saturating_add(world.below(2) as u32) },
        70..98 => Command::Unassign { id },
        _ => Command::DeletePolicy { policy: policies[world.below(policies.len())] },
    }
}

fn targets(world: &World) -> Targets {
    // Everybody and nobody, too: what is taken away and given again is where withdrawals cross orders.
    match world.below(4) {
        0 => return Targets::default(),
        1 => return Targets { devices: Vec::new(), groups: vec![ALL] },
        _ => {}
    }
    let devices = world.devices.iter().filter(|_| world.chance(30)).map(|device| device.id).collect();
    let groups = groups(world).into_iter().filter(|_| world.chance(25)).collect();
    Targets { devices, groups }
}

fn triggers(world: &World, task: TaskId) -> Vec<Trigger> {
    let seconds = Duration::from_secs;
    let wait = |world: &World| {
        if world.chance(25) { world.between(seconds(1), seconds(40)) } else { LONG }
    };
    (0..=world.below(2)).map(|_| trigger(world, task, wait(world))).collect()
}

fn trigger(world: &World, task: TaskId, wait: Duration) -> Trigger {
    let now = world.environment.now();
    let id = TriggerId(world.environment.uuid());
    world.notes.borrow_mut().issued(world, task, id);
    Trigger { id, create_time: now, expire_time: now.saturating_add(wait).expect("in range") }
}

/// Does what was asked, and wakes whom it concerns.
pub async fn carry_out(world: Rc<World>, store: Store, dispatcher: Dispatcher, command: Command) {
    world.note(&format!("{command:?}"));
    if let Err(error) = try_to(&world, &store, &dispatcher, &command).await {
        world.note(&format!("it is not known what became of {command:?}: {error}"));
    }
}

async fn try_to(
    world: &World,
    store: &Store,
    dispatcher: &Dispatcher,
    command: &Command,
) -> Result<(), StoreError> {
    let now = world.environment.now();
    match command.clone() {
        Command::Create { task, targets, triggers } => {
            let kind = world.below(3);
            let new = NewTask {
                id: task,
                template_digest: [kind as u8; 32],
                display_name: format!("task {kind}"),
                description: String::new(),
                action: Vec::new(),
                asset_group: String::new(),
                source: 0,
                targets: targets.clone(),
                triggers,
                now,
            };
            store.task_create(new, TemplateId(world.environment.uuid())).await?;
            world.notes.borrow_mut().created(world, task);
            if targets.groups.is_empty() {
                dispatcher.wake(&targets.devices);
            } else {
                dispatcher.wake_all();
            }
        }
        Command::Retarget { task, targets } => {
            store.task_set_targets(task, targets, now).await?;
            dispatcher.wake_all();
        }
        Command::Retrigger { task, triggers } => {
            store.task_set_triggers(task, triggers, now).await?;
            dispatcher.wake_all();
        }
        Command::Delete { task } => {
            store.task_delete(task, now).await?;
            dispatcher.wake_all();
        }
        Command::Cancel { task, only } => {
            if let Some(cancelled) = store.task_runs_cancel(task, only, now).await? {
                dispatcher.wake(&cancelled.asked);
            }
        }
        Command::TimeOut => {
            let lease = store.lease_take("overdue", Uuid::nil(), now, Timestamp::MAX).await?;
            let silent_since = now - Duration::from_secs(2);
            let overdue = Overdue { expired_before: now, silent_since, now };
            if let Some(lease) = lease {
                store.task_runs_time_out(lease, overdue, 100).await?;
            }
        }
        Command::Move { device, group } => {
            store.device_move(device, group, now).await?;
            dispatcher.wake(&[device]);
        }
        Command::Assign { id, policy, target } => {
            store.policy_assign(id, policy, target).await?;
            wake(dispatcher, &[target]);
        }
        Command::Rank { id, rank } => {
            if let RankChange::Done(target) = store.policy_assignment_rank(id, rank).await? {
                wake(dispatcher, &[target]);
            }
        }
        Command::Unassign { id } => {
            let target = store.policy_unassign(id).await?;
            wake(dispatcher, target.as_slice());
        }
        Command::DeletePolicy { policy } => {
            let targets = store.policy_delete(policy).await?;
            wake(dispatcher, &targets.unwrap_or_default());
        }
        Command::Drain => dispatcher.drain().await,
    }
    Ok(())
}

/// Wakes whom the policies of these targets concern.
fn wake(dispatcher: &Dispatcher, targets: &[PolicyTarget]) {
    for target in targets {
        match target {
            PolicyTarget::Device(device) => dispatcher.wake(&[*device]),
            PolicyTarget::Group(_) => dispatcher.wake_all(),
        }
    }
}

/// A policy like no other.
fn blank_policy(id: PolicyId, number: u32) -> Policy {
    let payload =
        Any { type_url: "type.googleapis.com/Vendor.Settings".to_owned(), value: vec![number as u8] };
    let feature =
        FeaturePolicy { configuration: Some(payload), feature_id: 1 + number % 2, ..Default::default() };
    let features = policies::Policy { features: vec![feature], ..Default::default() };
    Policy {
        id,
        display_name: id.to_string(),
        description: String::new(),
        features: features.encode_to_vec(),
    }
}

fn blank_device(id: DeviceId, group: GroupId) -> Device {
    Device { enrolment_status: 2, ..Device::placeholder(id, group, id.to_string()) }
}

fn blank_group(id: GroupId, parent: GroupId) -> Group {
    Group {
        id,
        parent: Some(parent),
        display_name: id.to_string(),
        description: String::new(),
        external_reference: String::new(),
        external_type: 0,
        is_dynamic: false,
        version: 1,
    }
}
