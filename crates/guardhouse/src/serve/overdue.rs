//! Ends runs of which nothing was heard for too long, so that none stays open for ever: those that a device received and
//! did not begin in time, and those that began and never said how they ended.

use std::time::Duration;

use guardhouse_model::Timestamp;
use guardhouse_store::{Overdue as Limits, Store, StoreError};
use tracing::{info, warn};

use super::duty::Duty;

/// How often they are looked for. The first look is at the start.
const PERIOD: Duration = Duration::from_secs(60);

/// How long the server waits behind the expiry of a trigger: a device that is connected says itself that a run expired.
const GRACE: Duration = Duration::from_secs(60);

/// Most runs of each kind that one transaction ends.
const STEP: usize = 500;

/// Rest between two steps: the writer belongs to the devices and the API.
const REST: Duration = Duration::from_millis(20);

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "overdue runs";

/// How long a replica has the duty to itself: several rounds, so that mostly the same one has it.
pub const LEASE: Duration = Duration::from_secs(5 * 60);

/// What ending overdue runs needs.
#[derive(Debug, Clone)]
pub struct Overdue {
    /// Where they are.
    pub store: Store,
    /// The lease under which it is done.
    pub duty: Duty,
    /// How long a device may say nothing of a run that began.
    pub execution_limit: Duration,
}

impl Overdue {
    /// Ends overdue runs, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            ticks.tick().await;
            match self.end_overdue().await {
                Ok(0) => {}
                Ok(runs) => {
                    info!(duty = DUTY, runs, "runs of which nothing was heard for too long have ended")
                }
                Err(error) => warn!(%error, "overdue runs were not ended; the next round will"),
            }
        }
    }

    /// Ends what is overdue now, unless another replica has that duty; answers how many runs.
    async fn end_overdue(&self) -> Result<usize, StoreError> {
        let Some(lease) = self.duty.take().await? else { return Ok(0) };
        let now = self.duty.environment.now();
        // A limit that reaches back beyond the calendar ends nothing.
        let before = |limit: Duration| now.checked_sub(limit).unwrap_or(Timestamp::MIN);
        let limits =
            Limits { expired_before: before(GRACE), silent_since: before(self.execution_limit), now };
        let mut ended = 0;
        loop {
            let step = self.store.task_runs_time_out(lease, limits, STEP).await?;
            ended += step;
            if step < STEP {
                return Ok(ended);
            }
            tokio::time::sleep(REST).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use guardhouse_model::{
        DeviceId, Environment, RunId, TaskId, TemplateId, TriggerId,
        device_runs::DeviceRunState as State,
        environment::{ManualClock, SeededEntropy},
        groups::ALL,
    };
    use guardhouse_store::{Claim, Device, NewTask, RunReport, Targets, Trigger, Work};
    use uuid::Uuid;

    use super::*;

    const TASK: TaskId = TaskId(Uuid::from_u128(9));
    /// In seconds.
    const HOUR: i64 = 3_600;

    struct House {
        overdue: Overdue,
        clock: Arc<ManualClock>,
        devices: [DeviceId; 3],
    }

    /// Three devices with a task that expires within an hour: one stays silent, one receives it, one begins it.
    async fn house() -> House {
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_700_000_000).expect("in range")));
        let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(7)));
        let store = Store::in_memory().expect("opens");
        let devices = [1, 2, 3].map(|number| DeviceId(Uuid::from_u128(number)));
        let placeholder = |device| Device::placeholder(device, ALL, "device".to_owned());
        let placeholders = devices.map(placeholder).to_vec();
        store.devices_import(ALL, placeholders).await.expect("writes").expect("is there");
        let now = environment.now();
        let trigger = Trigger {
            id: TriggerId(Uuid::from_u128(8)),
            create_time: now,
            expire_time: now + Duration::from_secs(3_600),
        };
        let task = NewTask {
            id: TASK,
            template_digest: [1; 32],
            display_name: "task".to_owned(),
            description: String::new(),
            action: Vec::new(),
            asset_group: String::new(),
            source: 0,
            targets: Targets { devices: devices.to_vec(), groups: vec![] },
            triggers: vec![trigger],
            now,
        };
        store.task_create(task, TemplateId(Uuid::from_u128(7))).await.expect("writes");
        receive(&store, devices[1], now).await;
        let run = receive(&store, devices[2], now).await;
        let begun = RunReport::Started { run, device: devices[2], time: now };
        store.task_runs_report(vec![begun]).await.expect("writes");
        let duty =
            Duty { name: DUTY, term: LEASE, store: store.clone(), holder: environment.uuid(), environment };
        House {
            overdue: Overdue { store, duty, execution_limit: Duration::from_secs(48 * 3_600) },
            clock,
            devices,
        }
    }

    async fn receive(store: &Store, device: DeviceId, now: Timestamp) -> RunId {
        let work = store.task_runs_claim(vec![Claim { device, epoch: 0 }], now).await.expect("works");
        match &work[..] {
            [Work::Runs(runs)] => runs[0].id,
            other => panic!("{other:?}"),
        }
    }

    impl House {
        /// Lets time pass, then ends what is overdue; answers the states of the devices.
        async fn later(&self, seconds: i64) -> Vec<State> {
            self.clock.advance(seconds);
            self.overdue.end_overdue().await.expect("works");
            let now = self.overdue.duty.environment.now();
            let page = self.overdue.store.device_runs_list(TASK, vec![], None, 10, now).await.expect("reads");
            let rows = page.expect("is known").rows;
            assert_eq!(rows.iter().map(|row| row.device).collect::<Vec<_>>(), self.devices);
            rows.iter().map(|row| row.state().expect("has a state")).collect()
        }
    }

    #[tokio::test]
    async fn no_run_stays_open_for_ever() {
        let house = house().await;
        assert_eq!(house.later(HOUR).await, [State::Waiting, State::Delivered, State::Running]);
        // The device may be about to say so itself.
        let expired = house.later(60).await;
        assert_eq!(expired, [State::DeliveryTimedOut, State::Delivered, State::Running]);
        let given_up = house.later(1).await;
        assert_eq!(given_up, [State::DeliveryTimedOut, State::DeliveryTimedOut, State::Running]);
        assert_eq!(house.later(46 * HOUR).await[2], State::Running);
        assert_eq!(
            house.later(HOUR).await,
            [State::DeliveryTimedOut, State::DeliveryTimedOut, State::ExecutionTimedOut]
        );
    }

    #[tokio::test]
    async fn one_process_has_the_duty() {
        let house = house().await;
        let other = Duty { holder: Uuid::from_u128(99), ..house.overdue.duty.clone() };
        house.clock.advance(100 * HOUR);
        other.take().await.expect("writes").expect("is free");
        assert_eq!(house.overdue.end_overdue().await.expect("works"), 0);
        other.give_up().await;
        assert_eq!(house.overdue.end_overdue().await.expect("works"), 2);
    }
}
