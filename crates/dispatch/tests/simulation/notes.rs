//! What really happened, noted beside the system, and the rules it is held against.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt as _;
use guardhouse_contract::link::{RunEnded, ServerFrame, server_frame::Kind};
use guardhouse_model::{AssignmentId, DeviceId, GroupId, PolicyId, RunId, TaskId, TriggerId, tasks::run_id};
use guardhouse_policy::{Effective, Parsed, effective};
use guardhouse_store::{AssignmentFilter, Claim, PolicyTarget, Run, Targets, Work};

use crate::{replica::SLOWEST, world::World};

/// How long after a newer connection of a device was welcomed an older one may still carry orders: those of a look
/// that had begun. It has four journeys to the database and may wait for the journeys of looks before it.
const GRACE: Duration = SLOWEST.saturating_mul(16);

/// What really happened.
#[derive(Default)]
pub struct Notes {
    /// *All* first.
    pub groups: Vec<GroupId>,
    /// The policies that there are from the start.
    pub policies: Vec<PolicyId>,
    /// The assignments that anybody asked for, whether they came to be or not.
    pub assignments: Vec<AssignmentId>,
    /// The task of each trigger that anybody asked for, whether it came to be or not.
    tasks: BTreeMap<TriggerId, TaskId>,
    /// What each run would be: its task and the place of its device.
    runs: BTreeMap<RunId, (TaskId, usize)>,
    /// When tasks came to be, as far as whoever asked was told.
    created: BTreeMap<TaskId, Duration>,
    /// When an order first reached its device.
    ordered: BTreeMap<RunId, Duration>,
    begun: BTreeSet<RunId>,
    /// The first end that a device wrote down, as the server is to keep it.
    ended: BTreeMap<RunId, Option<Vec<u8>>>,
    /// The newest epoch of each device that was welcomed, and when.
    epochs: BTreeMap<usize, (u64, Duration)>,
    /// How often things happened, to see that a simulation is worth its time.
    pub counts: BTreeMap<&'static str, usize>,
}

impl Notes {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// The tasks that anybody asked for, in the order of their ids.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.tasks.values().copied().collect::<BTreeSet<_>>().into_iter()
    }

    /// Somebody asks for a trigger.
    pub fn issued(&mut self, world: &World, task: TaskId, trigger: TriggerId) {
        self.tasks.insert(trigger, task);
        for (place, device) in world.devices.iter().enumerate() {
            self.runs.insert(run_id(trigger, device.id), (task, place));
        }
    }

    /// Somebody was told that a task came to be.
    pub fn created(&mut self, world: &World, task: TaskId) {
        self.created.insert(task, world.elapsed());
        self.count("tasks");
    }

    /// A session sends a frame.
    pub fn sent(
        &mut self,
        world: &World,
        replica: usize,
        place: usize,
        epoch: &mut u64,
        frame: &ServerFrame,
    ) {
        let now = world.elapsed();
        match &frame.kind {
            Some(Kind::Welcome(welcome)) => {
                *epoch = welcome.epoch;
                let newest = self.epochs.entry(place).or_default();
                if newest.0 < *epoch {
                    *newest = (*epoch, now);
                }
                self.count("sessions");
            }
            Some(Kind::Order(order)) => {
                let (newest, since) = self.epochs[&place];
                if newest > *epoch && now > since + GRACE {
                    world.violation(format!(
                        "replica {replica} ordered {} over connection {epoch} of device {place}, which has had \
                         connection {newest} since {since:?}",
                        order.run_uuid
                    ));
                }
                self.count("orders");
            }
            Some(Kind::RunEndedAck(ack)) => {
                self.count("acknowledgements");
                let run = ack.run_uuid.parse().expect("a run");
                self.compare(world, run, "the end of it was acknowledged");
            }
            Some(Kind::Withdraw(_)) => self.count("withdrawals"),
            Some(Kind::Policy(_)) => self.count("policies"),
            Some(Kind::Settled(_)) => self.count("settled"),
            Some(Kind::GoAway(_)) => self.count("dismissals"),
            Some(Kind::CancelRun(_)) => self.count("cancellations"),
            Some(Kind::AgentRelease(_) | Kind::EnrolAnew(_)) | None => {}
        }
    }

    /// An order reaches its device.
    pub fn ordered(&mut self, world: &World, place: usize, run: &str) {
        let run = run.parse().expect("a run");
        if self.runs.get(&run).is_none_or(|(_, device)| *device != place) {
            world.violation(format!("device {place} was ordered {run}, which nobody asked of it"));
        }
        self.ordered.entry(run).or_insert(world.elapsed());
    }

    /// An action begins.
    pub fn begun(&mut self, world: &World, device: DeviceId, run: RunId) {
        let place = world.place_of(device);
        world.note(&format!("the action of {run} begins on device {place}"));
        self.count("actions");
        if !self.begun.insert(run) {
            world.violation(format!("the action of {run} begins on device {place} a second time"));
        }
        if self.ended.contains_key(&run) {
            world.violation(format!("the action of {run} begins on device {place} behind its end"));
        }
    }

    /// A device writes down how a run ended.
    pub fn ended(&mut self, run: RunId, ended: &RunEnded) {
        let result = ended.result.as_ref().map(prost::Message::encode_to_vec);
        self.ended.entry(run).or_insert(result);
    }

    /// Sees that the store keeps the first end of a run.
    fn compare(&self, world: &World, run: RunId, why: &str) {
        let Some(ended) = self.ended.get(&run) else {
            return world.violation(format!("{why}, but {run} never ended on its device"));
        };
        match self.stored(world, run) {
            None => world.violation(format!("{why}, but {run} is not known to the store")),
            Some(kept) if !kept.status.is_over() => {
                world.violation(format!("{why}, but {run} is {:?} in the store", kept.status));
            }
            Some(kept) if kept.result != *ended => {
                world.violation(format!("{why}, but the store keeps another result of {run}"));
            }
            Some(_) => {}
        }
    }

    /// A run as the store has it.
    fn stored(&self, world: &World, run: RunId) -> Option<Run> {
        let (task, place) = self.runs[&run];
        let device = world.devices[place].id;
        stored_runs(world, task, Some(device)).into_iter().find(|kept| kept.id == run)
    }

    /// Why the house has not come to rest yet.
    pub fn unrest(&self, world: &World) -> Option<String> {
        let connected: usize = world.replicas.iter().map(|replica| replica.connected()).sum();
        if connected != world.devices.len()
            || world.devices.iter().any(|device| device.connected.get().is_none())
        {
            return Some(format!("{connected} sessions for {} devices", world.devices.len()));
        }
        for task in self.tasks() {
            if let Some(open) = stored_runs(world, task, None).iter().find(|run| !run.status.is_over()) {
                return Some(format!("run {} is {:?}", open.id, open.status));
            }
        }
        for (task, targets, run, place) in self.owed(world) {
            let Some(_) = self.stored(world, run) else {
                return Some(format!(
                    "run {run} of {task} with {targets:?} was never handed out to device {place}"
                ));
            };
        }
        if let Some(why) = self.outdated(world) {
            return Some(why);
        }
        // Nothing is due any more: a look changes nothing. It shows what lists do not: unconfirmed withdrawals.
        let claims =
            world.devices.iter().map(|device| Claim { device: device.id, epoch: u64::MAX }).collect();
        let work = at_once(world.store.task_runs_claim(claims, world.environment.now()));
        let idle = |work: &Work| matches!(work, Work::Runs(runs) if runs.is_empty());
        (!work.iter().all(idle)).then(|| format!("open: {work:?}"))
    }

    /// Which device has another policy than it should have, or said another than it has.
    fn outdated(&self, world: &World) -> Option<String> {
        world.devices.iter().enumerate().find_map(|(place, device)| {
            let due = self.effective(world, device.id);
            let has = device.policy.get();
            if has != Some(due.generation) && !(has.is_none() && due.is_empty()) {
                return Some(format!("device {place} has policy {has:02x?} instead of {due:02x?}"));
            }
            let said = at_once(world.store.device_policy_get(device.id)).map(|said| said.generation);
            (said != has).then(|| format!("device {place} has policy {has:02x?}, and {said:02x?} is known"))
        })
    }

    /// What a device should have, by its groups and the assignments of each target.
    fn effective(&self, world: &World, device: DeviceId) -> Effective {
        let kept = at_once(world.store.device_get(device)).expect("is managed");
        let mut targets: Vec<_> = self.above(kept.group).map(PolicyTarget::Group).collect();
        targets.reverse();
        targets.push(PolicyTarget::Device(device));
        let mut policies = Vec::new();
        for target in targets {
            let filter = AssignmentFilter { target: Some(target), ..Default::default() };
            let mut stack = at_once(world.store.policy_assignments_list(filter, None, 1_000));
            stack.sort_by_key(|assignment| assignment.rank);
            for assignment in stack {
                let policy = at_once(world.store.policy_get(assignment.policy)).expect("is there");
                policies.push(Arc::new(Parsed::from_kept(&policy.features).expect("a policy")));
            }
        }
        effective(&policies)
    }

    /// Every run that must be in the store by the tasks, their targets and their triggers.
    fn owed(&self, world: &World) -> Vec<(TaskId, Targets, RunId, usize)> {
        let now = world.environment.now();
        let mut owed = Vec::new();
        let ids = world.devices.iter().map(|device| device.id).collect();
        let kept = at_once(world.store.devices_get_many(ids));
        let groups: Vec<GroupId> = kept.into_iter().map(|kept| kept.expect("is managed").group).collect();
        for task in at_once(world.store.tasks_list(None, 10_000)) {
            for ((place, device), &group) in world.devices.iter().enumerate().zip(&groups) {
                let in_group = self.above(group).any(|group| task.targets.groups.contains(&group));
                if !in_group && !task.targets.devices.contains(&device.id) {
                    continue;
                }
                let waiting = task.triggers.iter().filter(|trigger| trigger.expire_time > now);
                owed.extend(
                    waiting
                        .map(|trigger| (task.id, task.targets.clone(), run_id(trigger.id, device.id), place)),
                );
            }
        }
        owed
    }

    /// A group and those above it, as `furnish` made them.
    fn above(&self, group: GroupId) -> impl Iterator<Item = GroupId> {
        let place = self.groups.iter().position(|known| *known == group).expect("a group of this house");
        let places: &[usize] = match place {
            0 => &[0],
            1 => &[1, 0],
            2 => &[2, 0],
            _ => &[3, 1, 0],
        };
        places.iter().map(|&place| self.groups[place])
    }

    /// The rules that hold in the end.
    pub fn check(&self, world: &World) {
        for &run in self.ended.keys() {
            self.compare(world, run, "the house is at rest");
        }
        for &run in &self.begun {
            if !self.ended.contains_key(&run) {
                world.violation(format!("{run} began and never ended"));
            }
        }
        for task in self.tasks() {
            for run in stored_runs(world, task, None) {
                if self
                    .runs
                    .get(&run.id)
                    .is_none_or(|(of, place)| *of != task || world.devices[*place].id != run.device)
                {
                    world.violation(format!("run {} is not one that anybody asked for", run.id));
                }
            }
        }
    }

    /// How long the slowest order of a task for everybody took after whoever asked was told; `None`: not all have
    /// arrived.
    pub fn slowest(&self, task: TaskId) -> Option<Duration> {
        let created = *self.created.get(&task)?;
        let runs = self.runs.iter().filter(|(_, (of, _))| *of == task);
        let arrivals: Option<Vec<Duration>> = runs.map(|(run, _)| self.ordered.get(run).copied()).collect();
        Some(arrivals?.into_iter().max()?.saturating_sub(created))
    }
}

fn stored_runs(world: &World, task: TaskId, device: Option<DeviceId>) -> Vec<Run> {
    at_once(world.store.task_runs_list(task, device, false, None, 10_000)).unwrap_or_default()
}

/// The answer of the store at hand, which never waits.
pub fn at_once<T, E: std::fmt::Debug>(answer: impl Future<Output = Result<T, E>>) -> T {
    answer.now_or_never().expect("the store is at hand").expect("the store works")
}
