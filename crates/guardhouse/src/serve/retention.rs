//! Removes what is older than the administrator wants it kept, and what is of no more use, in steps that nobody waits
//! for.

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

/// How long a temporary access key is known after it has expired: whoever still uses it is told what is wrong.
const EXPIRED_KEYS: Duration = Duration::from_secs(24 * 3_600);

/// How long a selection of assets is kept that was made for one scan, and how the business types of such begin.
const ONE_TIME_SELECTIONS: (&str, Duration) =
    ("AGENTLESS_SCAN_ONCE_TASK", Duration::from_secs(30 * 24 * 3_600));

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
    /// How long tasks of agentless scans are kept that are over.
    pub keep_results: Duration,
}

impl Retention {
    /// Removes what is older, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        let mut was_ours = None;
        loop {
            ticks.tick().await;
            match self.remove_old(self.duty.environment.now()).await {
                Ok(ours) if was_ours == Some(ours) => {}
                Ok(ours) => {
                    let who = if ours { "this process" } else { "another process" };
                    info!(duty = DUTY, "{who} removes what is old");
                    was_ours = Some(ours);
                }
                Err(error) => warn!(%error, "not everything old was removed; the next round will"),
            }
        }
    }

    /// Removes what is old at `now`; false: another replica has that duty.
    async fn remove_old(&self, now: Timestamp) -> Result<bool, StoreError> {
        let Some(lease) = self.duty.take().await? else { return Ok(false) };
        remove_expired(&self.store, lease, now).await?;
        // A time that reaches back beyond the calendar keeps everything.
        if let Ok(before) = now.checked_sub(self.keep) {
            remove_older(&self.store, lease, before).await?;
        }
        if let Ok(before) = now.checked_sub(self.keep_results) {
            remove_scans(&self.store, lease, before).await?;
        }
        Ok(true)
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

/// Removes the tasks of agentless scans that are older, in the name of a lease.
async fn remove_scans(store: &Store, lease: Lease, before: Timestamp) -> Result<(), StoreError> {
    while store.agentless_tasks_expire(lease, before, STEP).await? > 0 {
        tokio::time::sleep(REST).await;
    }
    Ok(())
}

/// Removes what is of no use any more at `now`, in the name of a lease: nonces of requests, temporary access keys, what
/// agentless scans found, selections for one scan.
async fn remove_expired(store: &Store, lease: Lease, now: Timestamp) -> Result<(), StoreError> {
    while store.request_nonces_expire(lease, now, STEP).await? == STEP {
        tokio::time::sleep(REST).await;
    }
    while store.agentless_results_expire(lease, now, STEP).await? == STEP {
        tokio::time::sleep(REST).await;
    }
    let before = now.checked_sub(EXPIRED_KEYS).unwrap_or(Timestamp::MIN);
    while store.access_keys_expire(lease, before, STEP).await? == STEP {
        tokio::time::sleep(REST).await;
    }
    let (prefix, keep) = ONE_TIME_SELECTIONS;
    let before = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
    while store.agentless_selections_expire(lease, prefix, before, STEP).await? == STEP {
        tokio::time::sleep(REST).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use guardhouse_model::{
        Environment, TaskId, TemplateId,
        environment::{ManualClock, SeededEntropy},
        groups::ALL,
    };
    use guardhouse_store::{
        AccountRecord, AgentlessResult, NewAccessKey, NewAgentlessSubtask, NewAgentlessTask, NewTask,
        SignedRequest, SubtaskEnd, SubtaskOutcome, TakeSubtasks, Targets, TaskChange, Temporary,
    };
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

    #[tokio::test]
    async fn nonces_and_temporary_keys_go_when_they_are_of_no_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let now = Timestamp::from_second(1_700_000_000).expect("in range");
        let uuid = Uuid::from_u128(1);
        let (name, password_hash) = ("ada".to_owned(), String::new());
        let account = AccountRecord { uuid, name, password_hash, access: 2, actions: None };
        assert!(store.account_add(account, now).await.expect("writes"));
        let key = NewAccessKey {
            id: "STS.key".to_owned(),
            account: uuid,
            sealed_secret: Vec::new(),
            description: String::new(),
            temporary: Some(Temporary { token_digest: [0; 32], expire_time: now }),
        };
        assert!(store.access_key_add(key, now).await.expect("writes"));
        let is_new = async || {
            let (access_key, nonce_digest) = ("STS.key".to_owned(), [1; 32]);
            let request = SignedRequest { access_key, nonce_digest, expire_time: now, now };
            store.signed_request_accept(request).await.expect("writes")
        };
        let has_key = async || store.access_key_find("STS.key".to_owned()).await.expect("reads").is_some();
        let lease = store.lease_take(DUTY, Uuid::nil(), now, Timestamp::MAX).await.expect("writes");
        let lease = lease.expect("nobody else has it");
        let moment = Duration::from_micros(1);
        assert!(is_new().await);
        for (time, nonce_went, key_left) in [
            (now, false, true),
            (now + moment, true, true),
            (now + EXPIRED_KEYS, true, true),
            (now + EXPIRED_KEYS + moment, true, false),
        ] {
            remove_expired(&store, lease, time).await.expect("works");
            assert_eq!((is_new().await, has_key().await), (nonce_went, key_left), "{time}");
        }
    }

    #[tokio::test]
    async fn what_scans_found_goes_when_it_is_old_and_their_tasks_with_it() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_700_000_000).expect("in range")));
        let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(7)));
        let store = Store::in_memory().expect("opens");
        let (now, day) = (environment.now(), Duration::from_secs(24 * 3_600));
        let target = NewAgentlessSubtask {
            id: Uuid::from_u128(2),
            instance_id: "s-1".to_owned(),
            target_type: 3,
            ..NewAgentlessSubtask::default()
        };
        let task = NewAgentlessTask {
            id: Uuid::from_u128(1),
            target_type: 3,
            start_time: now,
            targets: vec![target],
            ..NewAgentlessTask::default()
        };
        store.agentless_task_add(task).await.expect("writes");
        let take = TakeSubtasks {
            worker: "worker".to_owned(),
            limit: 1,
            now,
            until: now + day,
            time_limit: Default::default(),
        };
        let lease = store.agentless_subtasks_take(take).await.expect("writes")[0].lease;
        let outcome =
            SubtaskOutcome::Done(AgentlessResult { expire_time: now + 2 * day, ..Default::default() });
        let end = SubtaskEnd { lease, now, outcome, measure_bytes: 0 };
        assert!(store.agentless_subtask_end(end).await.expect("writes"));
        let duty =
            Duty { name: DUTY, term: LEASE, store: store.clone(), holder: environment.uuid(), environment };
        let retention = Retention { store: store.clone(), duty, keep: 30 * day, keep_results: 30 * day };
        for (days, has_result, has_task) in
            [(1, true, true), (1, false, true), (28, false, true), (1, false, false)]
        {
            clock.advance(days * 24 * 3_600);
            let later = retention.duty.environment.now();
            assert!(retention.remove_old(later).await.expect("works"));
            let totals = store.agentless_results_count(None, None, now).await.expect("reads");
            let task = store.agentless_task_get(Uuid::from_u128(1)).await.expect("reads");
            assert_eq!((totals.scanned > 0, task.is_some()), (has_result, has_task), "{later}");
        }
    }
}
