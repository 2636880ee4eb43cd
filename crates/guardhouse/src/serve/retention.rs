//! Removes what is older than the administrator wants it kept, in steps that nobody waits for.

use std::time::Duration;

use guardhouse_model::Timestamp;
use guardhouse_store::{Lease, Store, StoreError};
use tracing::{info, warn};

use super::duty::Duty;

/// How often old rows are looked for. The first look is at the start.
const PERIOD: Duration = Duration::from_secs(3_600);

/// Most rows that one transaction looks at.
const STEP: usize = 500;

/// Rest between two steps: the writer belongs to the devices and the API.
const REST: Duration = Duration::from_millis(20);

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "retention";

/// How long a replica has the duty to itself: several rounds, so that mostly the same one has it.
pub const LEASE: Duration = Duration::from_secs(3 * 3_600);

/// What the removal of old rows needs.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Where they are.
    pub store: Store,
    /// The lease under which it is done.
    pub duty: Duty,
    /// How long runs are kept that are over.
    pub keep: Duration,
}

impl Retention {
    /// Removes what is older, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        let mut was_ours = None;
        loop {
            ticks.tick().await;
            // A time that reaches back beyond the calendar keeps everything.
            let Ok(before) = self.duty.environment.now().checked_sub(self.keep) else { continue };
            match self.remove_older(before).await {
                Ok(ours) if was_ours == Some(ours) => {}
                Ok(ours) => {
                    let who = if ours { "this process" } else { "another process" };
                    info!(duty = DUTY, "{who} removes old runs");
                    was_ours = Some(ours);
                }
                Err(error) => warn!(%error, "old runs were not removed; the next round will"),
            }
        }
    }

    /// Removes what is older; false: another replica has that duty.
    async fn remove_older(&self, before: Timestamp) -> Result<bool, StoreError> {
        match self.duty.take().await? {
            Some(lease) => remove_older(&self.store, lease, before).await.map(|()| true),
            None => Ok(false),
        }
    }
}

/// Removes what is older, in the name of a lease.
async fn remove_older(store: &Store, lease: Lease, before: Timestamp) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        after = store.task_runs_expire(lease, before, after, STEP).await?;
        if after.is_none() {
            break;
        }
        tokio::time::sleep(REST).await;
    }
    while store.tasks_expire(lease, before, STEP).await? == STEP {
        tokio::time::sleep(REST).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use guardhouse_model::{TaskId, TemplateId, groups::ALL};
    use guardhouse_store::{NewTask, Targets, TaskChange};
    use tokio::task::JoinSet;
    use uuid::Uuid;

    use super::*;

    /// Creates a task for everybody and deletes it.
    async fn create_and_delete(store: Store, number: u128, now: Timestamp) {
        let task = NewTask {
            id: TaskId(Uuid::from_u128(number)),
            template_digest: [1; 32],
            display_name: "task".to_owned(),
            description: String::new(),
            action: Vec::new(),
            asset_group: String::new(),
            source: 0,
            targets: Targets { devices: Vec::new(), groups: vec![ALL] },
            triggers: Vec::new(),
            now,
        };
        let id = task.id;
        let created = store.task_create(task, TemplateId(Uuid::from_u128(number))).await.expect("writes");
        assert_eq!(created, TaskChange::Changed);
        assert!(store.task_delete(id, now).await.expect("writes"));
    }

    #[tokio::test]
    async fn a_round_takes_as_many_steps_as_it_needs() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let count = 2 * STEP as u128 + 1;
        let deleted = Timestamp::UNIX_EPOCH;
        // All at once: they share commits.
        let mut writes = JoinSet::new();
        for number in 1..=count {
            writes.spawn(create_and_delete(store.clone(), number, deleted));
        }
        writes.join_all().await;

        let known = async |number: u128| {
            let task = TaskId(Uuid::from_u128(number));
            let runs = store.task_runs_list(task, None, false, None, 1).await.expect("reads");
            runs.is_some()
        };
        let lease = store.lease_take(DUTY, Uuid::nil(), deleted, Timestamp::MAX).await.expect("writes");
        let lease = lease.expect("nobody else has it");
        remove_older(&store, lease, deleted).await.expect("works");
        assert!(known(1).await && known(count).await, "not older");
        remove_older(&store, lease, deleted + Duration::from_micros(1)).await.expect("works");
        for number in 1..=count {
            assert!(!known(number).await, "task {number}");
        }
    }
}
