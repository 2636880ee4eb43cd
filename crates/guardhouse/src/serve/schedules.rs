//! Starts scans without an agent whose schedules are due.

use std::time::Duration;

use guardhouse_dispatch::Dispatcher;
use guardhouse_services::{prepare_scheduled_scan, wake_scanned_devices};
use guardhouse_store::{ScheduleRan, Store};
use tracing::{info, warn};

use super::duty::Duty;

/// How often schedules are looked at.
const PERIOD: Duration = Duration::from_secs(10);

/// Most schedules of one look.
const STEP: usize = 100;

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "agentless schedules";

/// How long a replica has the duty to itself: several rounds, so that mostly the same one has it.
pub const LEASE: Duration = Duration::from_secs(60);

/// What starting scans needs.
#[derive(Debug, Clone)]
pub struct Schedules {
    /// Where schedules and scans are.
    pub store: Store,
    /// The way to the devices that are scanned.
    pub dispatcher: Dispatcher,
    /// This server keeps snapshots of devices, so that these can be scanned.
    pub keeps_snapshots: bool,
    /// The lease under which it is done.
    pub duty: Duty,
}

impl Schedules {
    /// Starts what is due, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            ticks.tick().await;
            if let Err(error) = self.start_due().await {
                warn!(%error, "schedules that are due were not started; the next round will");
            }
        }
    }

    /// Starts what is due now, unless another replica has that duty; answers how many schedules.
    async fn start_due(&self) -> anyhow::Result<usize> {
        let now = self.duty.environment.now();
        let due = self.store.agentless_schedules_due(now, STEP).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let Some(lease) = self.duty.take().await? else { return Ok(0) };
        let mut started = 0;
        for schedule in due {
            let (id, name) = (schedule.id, schedule.name.clone());
            // One that is damaged does not keep the others from starting.
            let (environment, keeps_snapshots) = (&self.duty.environment, self.keeps_snapshots);
            let run = prepare_scheduled_scan(&self.store, environment, keeps_snapshots, schedule, now).await;
            let run = match run {
                Ok(run) => run,
                Err(error) => {
                    warn!(%error, schedule = %id, "a schedule was not started");
                    continue;
                }
            };
            let targets = run.task.as_ref().map_or_else(Vec::new, |task| task.targets.clone());
            if let ScheduleRan::Started(task) = self.store.agentless_schedule_run(lease, run).await? {
                wake_scanned_devices(&self.dispatcher, &targets);
                let task = task.map(|task| task.to_string());
                info!(schedule = %id, name, task, "a schedule was due");
                started += 1;
            }
        }
        Ok(started)
    }
}

#[cfg(test)]
mod tests;
