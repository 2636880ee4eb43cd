//! Takes agentless scans away from workers that say nothing any more, so that none runs for ever.

use std::time::Duration;

use guardhouse_store::{Store, StoreError};
use tracing::{info, warn};

use super::duty::Duty;

/// Most scans that one transaction takes away.
const STEP: usize = 200;

/// Rest between two steps: the writer belongs to the workers and the API.
const REST: Duration = Duration::from_millis(20);

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "leases of agentless scans";

/// What taking scans away needs.
#[derive(Debug, Clone)]
pub struct Lapses {
    /// Where they are.
    pub store: Store,
    /// The lease under which it is done.
    pub duty: Duty,
    /// How often it is looked. The first look is at the start.
    pub period: Duration,
}

impl Lapses {
    /// How often it is looked where workers may say nothing for `lease`, and how long a replica has that duty to itself.
    pub fn terms(lease: Duration) -> (Duration, Duration) {
        let period = (lease / 4).clamp(Duration::from_secs(1), Duration::from_secs(30));
        (period, period * 3)
    }

    /// Takes scans away, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(self.period);
        loop {
            ticks.tick().await;
            match self.take_away().await {
                Ok(0) => {}
                Ok(scans) => info!(duty = DUTY, scans, "scans of workers that are silent were taken away"),
                Err(error) => {
                    warn!(%error, "scans of silent workers were not taken away; the next look will")
                }
            }
        }
    }

    /// Takes away what has lapsed now, unless another replica has that duty; answers how many scans.
    async fn take_away(&self) -> Result<usize, StoreError> {
        let Some(lease) = self.duty.take().await? else { return Ok(0) };
        let now = self.duty.environment.now();
        let mut taken = 0;
        loop {
            let step = self.store.agentless_leases_expire(lease, now, STEP).await?;
            taken += step;
            if step < STEP {
                return Ok(taken);
            }
            tokio::time::sleep(REST).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use guardhouse_model::{
        Environment, Timestamp,
        agentless::TaskStatus,
        environment::{ManualClock, SeededEntropy},
    };
    use guardhouse_store::{NewAgentlessSubtask, NewAgentlessTask, TakeSubtasks};
    use uuid::Uuid;

    use super::*;

    const TASK: Uuid = Uuid::from_u128(9);

    struct House {
        lapses: Lapses,
        clock: Arc<ManualClock>,
    }

    /// A task with more subtasks than a step has.
    async fn house() -> House {
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_700_000_000).expect("in range")));
        let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(7)));
        let store = Store::in_memory().expect("opens");
        let target = |number: usize| NewAgentlessSubtask {
            id: Uuid::from_u128(100 + number as u128),
            instance_id: format!("s-{number}"),
            target_type: 3,
            ..NewAgentlessSubtask::default()
        };
        let task = NewAgentlessTask {
            id: TASK,
            target_type: 3,
            start_time: environment.now(),
            targets: (0..STEP + 1).map(target).collect(),
            ..NewAgentlessTask::default()
        };
        store.agentless_task_add(task).await.expect("writes");
        let duty = Duty {
            name: DUTY,
            term: Duration::from_secs(60),
            store: store.clone(),
            holder: environment.uuid(),
            environment,
        };
        House { lapses: Lapses { store, duty, period: Duration::from_secs(10) }, clock }
    }

    impl House {
        /// Workers take everything for a minute and are never heard of again; answers how many subtasks are taken from
        /// them after `seconds`.
        async fn lose_all_for(&self, seconds: i64) -> usize {
            let now = self.lapses.duty.environment.now();
            let until = now + Duration::from_secs(60);
            let take = TakeSubtasks {
                worker: "gone".to_owned(),
                limit: STEP + 1,
                now,
                until,
                time_limit: Default::default(),
            };
            self.lapses.store.agentless_subtasks_take(take).await.expect("writes");
            self.clock.advance(seconds);
            self.lapses.take_away().await.expect("works")
        }

        async fn status(&self) -> TaskStatus {
            self.lapses.store.agentless_task_get(TASK).await.expect("reads").expect("is there").status
        }
    }

    #[tokio::test]
    async fn no_subtask_is_worked_on_for_ever() {
        let house = house().await;
        assert_eq!(house.lose_all_for(60).await, 0, "the lease is good until then");
        assert_eq!(house.lose_all_for(1).await, STEP + 1);
        assert_eq!(house.lose_all_for(61).await, STEP + 1);
        assert_eq!(house.status().await, TaskStatus::Running);
        assert_eq!(house.lose_all_for(61).await, STEP + 1);
        assert_eq!(house.status().await, TaskStatus::Failed);
        assert_eq!(house.lose_all_for(1_000_000).await, 0);
    }

    #[tokio::test]
    async fn one_process_has_the_duty() {
        let house = house().await;
        let other = Duty { holder: Uuid::from_u128(99), ..house.lapses.duty.clone() };
        assert_eq!(house.lose_all_for(59).await, 0);
        house.lapses.duty.give_up().await;
        other.take().await.expect("writes").expect("is free");
        house.clock.advance(2);
        assert_eq!(house.lapses.take_away().await.expect("works"), 0);
        other.give_up().await;
        assert_eq!(house.lapses.take_away().await.expect("works"), STEP + 1);
    }

    #[test]
    fn it_is_looked_often_enough() {
        let seconds = Duration::from_secs;
        for (lease, period, term) in [(2, 1, 3), (5, 1, 3), (120, 30, 90), (3_600, 30, 90)] {
            let (found, duty) = Lapses::terms(seconds(lease));
            assert_eq!((found.as_secs(), duty.as_secs()), (period, term), "{lease}");
        }
    }
}
