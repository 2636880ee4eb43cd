//! Tasks, their targets and triggers.

use std::collections::{BTreeMap, BTreeSet};

use guardhouse_model::{TaskId, TemplateId, Timestamp, TriggerId};
use guardhouse_store::{MissingTarget, NewTask, Targets, Task, TaskChange, Trigger};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    pools::{DEVICES, SECONDS, TASKS, TRIGGERS, any_groups, at, device, group, task, trigger},
};

/// A task and what no list shows of it.
#[derive(Debug)]
pub struct KeptTask {
    pub task: Task,
    pub digest: [u8; 32],
    /// When its triggers were cancelled that were.
    pub cancelled: BTreeMap<TriggerId, Timestamp>,
    /// It was deleted, and stays as a mark for as long as its runs.
    pub delete_time: Option<Timestamp>,
}

impl Model {
    pub fn task_create(&mut self, new: NewTask, _: TemplateId) -> Result<TaskChange, Refusal> {
        if let Some(missing) = self.first_missing(&new.targets) {
            return Ok(TaskChange::Missing(missing));
        }
        if self.tasks.contains_key(&new.id) || self.are_taken(&new.triggers, new.id) {
            return Err(Refusal::Taken);
        }
        if !self.templates.contains(&new.template_digest) {
            self.templates.push(new.template_digest);
        }
        let task = Task {
            id: new.id,
            display_name: new.display_name,
            description: new.description,
            action: new.action,
            asset_group: new.asset_group,
            source: new.source,
            targets: new.targets,
            triggers: new.triggers,
            create_time: new.now,
            update_time: new.now,
            version: 1,
        };
        self.tasks.insert(
            new.id,
            KeptTask { task, digest: new.template_digest, cancelled: BTreeMap::new(), delete_time: None },
        );
        Ok(TaskChange::Changed)
    }

    pub fn task_get(&self, task: TaskId) -> Option<Task> {
        self.tasks.get(&task).filter(|kept| kept.delete_time.is_none()).map(|kept| kept.task.clone())
    }

    pub fn tasks_list(&self, after: Option<TaskId>, limit: usize) -> Vec<Task> {
        let tasks = self.tasks.keys().filter(|task| Some(**task) > after);
        tasks.filter_map(|task| self.task_get(*task)).take(limit).collect()
    }

    pub fn task_set_targets(&mut self, task: TaskId, targets: Targets, now: Timestamp) -> TaskChange {
        if let Some(missing) = self.first_missing(&targets) {
            return TaskChange::Missing(missing);
        }
        let Some(changed) = self.touch(task, now) else { return TaskChange::NoSuchTask };
        changed.targets = targets.clone();
        let wanted: Vec<_> =
            self.devices.keys().copied().filter(|&device| self.is_target(device, &targets)).collect();
        self.withdraw(task, |device| !wanted.contains(&device));
        TaskChange::Changed
    }

    pub fn task_set_triggers(
        &mut self,
        task: TaskId,
        triggers: Vec<Trigger>,
        now: Timestamp,
    ) -> Result<TaskChange, Refusal> {
        let taken = self.are_taken(&triggers, task);
        if self.task_get(task).is_some() && taken {
            return Err(Refusal::Taken);
        }
        let Some(changed) = self.touch(task, now) else { return Ok(TaskChange::NoSuchTask) };
        changed.triggers = triggers;
        self.withdraw(task, |_| true);
        if let Some(kept) = self.tasks.get_mut(&task) {
            kept.cancelled.clear();
        }
        Ok(TaskChange::Changed)
    }

    pub fn task_delete(&mut self, task: TaskId, now: Timestamp) -> bool {
        let Some(deleted) = self.touch(task, now) else { return false };
        deleted.targets = Targets::default();
        deleted.triggers = Vec::new();
        self.withdraw(task, |_| true);
        if let Some(kept) = self.tasks.get_mut(&task) {
            kept.delete_time = Some(now);
            let digest = kept.digest;
            self.delete_unused_template(digest);
        }
        true
    }

    pub fn task_templates_count(&self) -> u64 {
        self.templates.len() as u64
    }

    /// Deletes a template that no live task shares and no open run needs for its action.
    pub fn delete_unused_template(&mut self, digest: [u8; 32]) {
        let mut sharing = self.tasks.values().filter(|kept| kept.digest == digest);
        let is_used = sharing.any(|kept| {
            kept.delete_time.is_none()
                || self.runs.values().any(|run| run.run.task == kept.task.id && !run.run.status.is_over())
        });
        if !is_used {
            self.templates.retain(|&template| template != digest);
        }
    }

    /// A live task that is about to change.
    fn touch(&mut self, task: TaskId, now: Timestamp) -> Option<&mut Task> {
        let kept = self.tasks.get_mut(&task).filter(|kept| kept.delete_time.is_none())?;
        kept.task.version += 1;
        kept.task.update_time = now;
        Some(&mut kept.task)
    }

    fn first_missing(&self, targets: &Targets) -> Option<MissingTarget> {
        let device = targets.devices.iter().position(|device| !self.devices.contains_key(device));
        let group = targets.groups.iter().position(|group| !self.any_group_exists(*group));
        device.map(MissingTarget::Device).or(group.map(MissingTarget::Group))
    }

    /// Whether triggers of the same id are among them, or belong to another task than `task`.
    fn are_taken(&self, triggers: &[Trigger], task: TaskId) -> bool {
        let ids: BTreeSet<_> = triggers.iter().map(|trigger| trigger.id).collect();
        let others = self.tasks.values().filter(|kept| kept.task.id != task);
        let mut of_others = others.flat_map(|kept| &kept.task.triggers);
        ids.len() < triggers.len() || of_others.any(|trigger| ids.contains(&trigger.id))
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Create { task: u8, kind: u8, targets: Aim, triggers: Vec<Expiring>, now: u8 },
    SetTargets { task: u8, targets: Aim, now: u8 },
    SetTriggers { task: u8, triggers: Vec<Expiring>, now: u8 },
    Delete { task: u8, now: u8 },
}

/// Targets.
#[derive(Debug, Clone)]
pub struct Aim {
    devices: Vec<u8>,
    groups: Vec<u8>,
}

impl Aim {
    fn targets(&self) -> Targets {
        Targets {
            devices: self.devices.iter().copied().map(device).collect(),
            groups: self.groups.iter().copied().map(group).collect(),
        }
    }
}

/// A trigger and how long it is good.
#[derive(Debug, Clone)]
pub struct Expiring {
    trigger: u8,
    seconds: u8,
}

impl Expiring {
    fn record(&self) -> Trigger {
        Trigger {
            id: trigger(self.trigger),
            create_time: at(self.trigger),
            expire_time: at(self.trigger + self.seconds),
        }
    }
}

/// A task of which name, description, action and their digest agree.
fn new_task(id: u8, kind: u8, targets: &Aim, triggers: &[Expiring], now: u8) -> NewTask {
    NewTask {
        id: task(id),
        template_digest: [kind; 32],
        display_name: format!("task of kind {kind}"),
        description: "described".to_owned(),
        action: vec![kind],
        asset_group: "security group".to_owned(),
        source: 1,
        targets: targets.targets(),
        triggers: triggers.iter().map(Expiring::record).collect(),
        now: at(now),
    }
}

fn aims() -> impl Strategy<Value = Aim> {
    (vec(DEVICES, 0..2), vec(any_groups(), 0..2)).prop_map(|(devices, groups)| Aim { devices, groups })
}

fn triggers() -> impl Strategy<Value = Vec<Expiring>> {
    vec((TRIGGERS, SECONDS).prop_map(|(trigger, seconds)| Expiring { trigger, seconds }), 0..4)
}

pub fn creations() -> impl Strategy<Value = Command> {
    (TASKS, 0..3_u8, aims(), triggers(), SECONDS).prop_map(|(task, kind, targets, triggers, now)| {
        Command::Create { task, kind, targets, triggers, now }
    })
}

pub fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => creations(),
        2 => (TASKS, aims(), SECONDS)
            .prop_map(|(task, targets, now)| Command::SetTargets { task, targets, now }),
        2 => (TASKS, triggers(), SECONDS)
            .prop_map(|(task, triggers, now)| Command::SetTriggers { task, triggers, now }),
        1 => (TASKS, SECONDS).prop_map(|(task, now)| Command::Delete { task, now }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Create { task, kind, targets, triggers, now } => {
            bench.last_fresh += 1;
            let template = TemplateId(Uuid::from_u128(bench.last_fresh));
            let new = new_task(task, kind, &targets, &triggers, now);
            agree!(bench.task_create(new.clone(), template)?);
        }
        Command::SetTargets { task: number, targets, now } => {
            agree!(bench.task_set_targets(task(number), targets.targets(), at(now)));
        }
        Command::SetTriggers { task: number, triggers, now } => {
            let records = || triggers.iter().map(Expiring::record).collect();
            agree!(bench.task_set_triggers(task(number), records(), at(now))?);
        }
        Command::Delete { task: number, now } => {
            agree!(bench.task_delete(task(number), at(now)));
        }
    }
    Ok(())
}
