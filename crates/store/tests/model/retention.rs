//! What is removed when it has become old, and the leases in whose name that is done.

use std::ops::Range;

use guardhouse_model::{RunId, TaskId, Timestamp};
use guardhouse_store::Lease;
use proptest::{
    prelude::*,
    sample::{Select, select},
};
use uuid::Uuid;

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    pools::{SECONDS, at, spread},
};

pub const DUTIES: [&str; 2] = ["retention", "another"];
const HOLDERS: Range<u8> = 0..2;

/// A lease.
#[derive(Debug)]
pub struct KeptLease {
    holder: Uuid,
    pub fence: u64,
    expire_time: Timestamp,
}

impl Model {
    pub fn lease_take(
        &mut self,
        duty: &'static str,
        holder: Uuid,
        now: Timestamp,
        expire_time: Timestamp,
    ) -> Option<Lease> {
        let fence = match self.leases.get(duty) {
            None => 1,
            Some(lease) if lease.holder == holder => lease.fence,
            Some(lease) if lease.expire_time < now => lease.fence + 1,
            Some(_) => return None,
        };
        self.leases.insert(duty, KeptLease { holder, fence, expire_time });
        Some(Lease { duty, fence })
    }

    pub fn lease_release(&mut self, duty: &'static str, holder: Uuid) {
        if let Some(lease) = self.leases.get_mut(duty).filter(|lease| lease.holder == holder) {
            lease.expire_time = Timestamp::UNIX_EPOCH;
        }
    }

    /// The newest lease of a duty counts, even if it has run out.
    pub fn holds(&self, lease: Lease) -> Result<(), Refusal> {
        let newest = self.leases.get(lease.duty).map(|kept| kept.fence);
        if newest == Some(lease.fence) { Ok(()) } else { Err(Refusal::LeaseLost) }
    }

    /// A lost lease is noticed where there is something to remove. A run of a device that is gone will never end.
    pub fn task_runs_expire(
        &mut self,
        lease: Lease,
        before: Timestamp,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Option<RunId>, Refusal> {
        let old = self.runs.values().filter(|kept| kept.trigger.create_time < before);
        let looked_at: Vec<RunId> =
            old.map(|kept| kept.run.id).filter(|run| Some(*run) > after).take(limit).collect();
        let is_removable = |run: &RunId| {
            let kept = &self.runs[run];
            let is_over = match kept.run.end_time {
                Some(end_time) => end_time < before,
                None => false,
            };
            kept.trigger.expire_time < before && (is_over || !self.devices.contains_key(&kept.run.device))
        };
        let removable: Vec<RunId> = looked_at.iter().copied().filter(is_removable).collect();
        if !removable.is_empty() {
            self.holds(lease)?;
            self.runs.retain(|run, _| !removable.contains(run));
        }
        Ok(if looked_at.len() < limit { None } else { looked_at.last().copied() })
    }

    /// Which of them go first is nobody's business.
    pub fn tasks_expire(&mut self, lease: Lease, before: Timestamp, limit: usize) -> Result<usize, Refusal> {
        let deleted = self.tasks.values().filter(|kept| kept.delete_time.is_some_and(|time| time < before));
        let without_runs = deleted.filter(|kept| self.runs.values().all(|run| run.run.task != kept.task.id));
        let removable: Vec<TaskId> = without_runs.map(|kept| kept.task.id).take(limit).collect();
        if !removable.is_empty() {
            self.holds(lease)?;
        }
        for task in &removable {
            if let Some(kept) = self.tasks.remove(task) {
                self.delete_unused_template(kept.digest);
            }
        }
        Ok(removable.len())
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    TakeLease { duty: &'static str, holder: u8, now: u8, expire: u8 },
    ReleaseLease { duty: &'static str, holder: u8 },
    ExpireRuns { lease: Fence, before: u8, limit: usize },
    ExpireTasks { lease: Fence, before: u8, limit: usize },
}

/// The newest lease of a duty, or one that was lost to another holder.
#[derive(Debug, Clone)]
pub struct Fence {
    duty: &'static str,
    lost: bool,
}

fn duties() -> Select<&'static str> {
    select(&DUTIES[..])
}

pub fn creations() -> impl Strategy<Value = Command> {
    (duties(), HOLDERS, SECONDS, SECONDS).prop_map(|(duty, holder, now, expire)| Command::TakeLease {
        duty,
        holder,
        now,
        expire,
    })
}

pub fn fences() -> impl Strategy<Value = Fence> {
    (duties(), prop::bool::weighted(0.2)).prop_map(|(duty, lost)| Fence { duty, lost })
}

pub fn commands() -> impl Strategy<Value = Command> {
    // Later than most triggers expire.
    let moments = || 10..80_u8;
    prop_oneof![
        4 => creations(),
        1 => (duties(), HOLDERS).prop_map(|(duty, holder)| Command::ReleaseLease { duty, holder }),
        3 => (fences(), moments(), 1..6_usize)
            .prop_map(|(lease, before, limit)| Command::ExpireRuns { lease, before, limit }),
        3 => (fences(), moments(), 1..3_usize)
            .prop_map(|(lease, before, limit)| Command::ExpireTasks { lease, before, limit }),
    ]
}

pub fn record(model: &Model, lease: &Fence) -> Lease {
    let newest = model.leases.get(lease.duty).map_or(0, |kept| kept.fence);
    Lease { duty: lease.duty, fence: newest.saturating_sub(lease.lost.into()) }
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::TakeLease { duty, holder, now, expire } => {
            agree!(bench.lease_take(duty, spread(holder), at(now), at(expire)));
        }
        Command::ReleaseLease { duty, holder } => {
            agree!(bench.lease_release(duty, spread(holder)));
        }
        Command::ExpireRuns { lease, before, limit } => {
            let lease = record(&bench.model, &lease);
            let mut after = None;
            while let Some(Some(next)) = agree!(bench.task_runs_expire(lease, at(before), after, limit)?) {
                after = Some(next);
            }
        }
        Command::ExpireTasks { lease, before, limit } => {
            let lease = record(&bench.model, &lease);
            while let Some(1..) = agree!(bench.tasks_expire(lease, at(before), limit)?) {}
        }
    }
    Ok(())
}
