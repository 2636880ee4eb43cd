//! Starts scans without an agent whose schedules are due.

use std::time::Duration;

use guardhouse_services::prepare_scheduled_scan;
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
            let run = match prepare_scheduled_scan(&self.store, &self.duty.environment, schedule, now).await {
                Ok(run) => run,
                Err(error) => {
                    warn!(%error, schedule = %id, "a schedule was not started");
                    continue;
                }
            };
            if let ScheduleRan::Started(task) = self.store.agentless_schedule_run(lease, run).await? {
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
