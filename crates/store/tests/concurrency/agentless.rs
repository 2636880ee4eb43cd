use std::collections::BTreeSet;

use guardhouse_model::agentless::TaskStatus;
use guardhouse_store::{
    AgentlessTaskAdded, LeasedSubtask, NewAgentlessTask, ReportFormat, ReportWriter, Retried, SubtaskEnd,
    SubtaskOutcome, SubtaskProgress, TakeSubtasks,
};
use uuid::Uuid;

use crate::{
    agentless_support::{failed, found},
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("s-{number:03}")).collect()
}

/// Queues a scan of that many assets.
async fn scan(a: &Arena, count: usize) -> Uuid {
    let names = names(count);
    a.scan(&names.iter().map(String::as_str).collect::<Vec<_>>(), 0).await
}

fn end(one: &LeasedSubtask, outcome: SubtaskOutcome) -> SubtaskEnd {
    SubtaskEnd { lease: one.lease, now: at(50), outcome, measure_bytes: 1 }
}

/// What is counted in a root task is what there is below it.
async fn counts_are_true(a: &Arena, task: Uuid) {
    let (root, subtasks) = (a.root(task).await, a.subtasks(task).await);
    let count = |status| subtasks.iter().filter(|one| one.status == status).count();
    let tally = root.tally;
    assert_eq!(tally.subtasks as usize, subtasks.len());
    for (counted, status) in [
        (tally.done, TaskStatus::Done),
        (tally.failed, TaskStatus::Failed),
        (tally.timed_out, TaskStatus::TimedOut),
        (tally.cancelled, TaskStatus::Cancelled),
    ] {
        assert_eq!(counted as usize, count(status), "{status:?}");
    }
    assert_eq!(tally.progress_sum, subtasks.iter().map(|one| u64::from(one.progress)).sum::<u64>());
    assert_eq!(root.measure_bytes, subtasks.iter().map(|one| one.measure_bytes).sum::<u64>());
    assert_eq!((root.status, root.end_time.is_some()), (tally.status(), tally.is_over()));
}

pub async fn a_subtask_goes_to_one_worker(a: &Arena) {
    for _ in 0..ROUNDS / 2 {
        let task = scan(a, 60).await;
        let taken = at_once((0..8).map(|n| {
            let store = a.replica(n);
            let take = TakeSubtasks {
                worker: format!("worker {n}"),
                limit: 10,
                now: at(1),
                until: at(60),
                time_limit: Default::default(),
            };
            async move { store.agentless_subtasks_take(take).await.expect("writes") }
        }));
        let taken: Vec<_> = taken.await.into_iter().flatten().collect();
        let different: BTreeSet<_> = taken.iter().map(|one| one.lease.subtask).collect();
        assert_eq!(different.len(), taken.len(), "nobody has what somebody else has");
        assert!(taken.iter().all(|one| one.lease.fence == 1));
        assert_eq!(taken.len() + a.take(60, 2).await.len(), 60, "nothing is lost");
        assert!(a.store.agentless_task_delete(task).await.expect("writes"));
    }
}

pub async fn of_an_end_and_an_expiry_one_counts(a: &Arena) {
    let lease = a.lease().await;
    for round in 0..ROUNDS {
        let task = scan(a, 30).await;
        let taken = a.take(30, 0).await;
        let ends = taken.iter().rev().map(|one| {
            let (store, end) = (a.replica(round), end(one, found()));
            async move { store.agentless_subtask_end(end).await.expect("writes") }
        });
        let (ending, expiring) = (tokio::spawn(at_once(ends.collect::<Vec<_>>())), a.replica(round + 1));
        let expired = expiring.agentless_leases_expire(lease, at(61), 100).await.expect("writes");
        let ended = ending.await.expect("does not panic").into_iter().filter(|ended| *ended).count();
        assert_eq!(ended + expired, 30);
        assert_eq!(a.root(task).await.tally.done as usize, ended);
        assert_eq!(a.take(100, 62).await.len(), expired, "what ran out is queued again, and nothing else");
        counts_are_true(a, task).await;
        assert!(a.store.agentless_task_delete(task).await.expect("writes"));
    }
}

pub async fn counts_stay_true_whoever_ends_and_cancels(a: &Arena) {
    for round in 0..ROUNDS {
        let task = scan(a, 40).await;
        let taken = a.take(30, 0).await;
        let mut words: Vec<_> = taken
            .iter()
            .map(|one| SubtaskProgress { lease: one.lease, progress: 10, progress_by_project: String::new() })
            .collect();
        words.reverse();
        let ends: Vec<_> = taken
            .iter()
            .enumerate()
            .map(|(place, one)| end(one, if place % 2 == 0 { found() } else { failed() }))
            .collect();
        let ending = at_once(ends.into_iter().enumerate().map(|(place, end)| {
            let store = a.replica(place);
            async move { store.agentless_subtask_end(end).await.expect("writes") }
        }));
        let (cancelling, saying, taking) = (a.replica(round), a.replica(round + 1), a.replica(round));
        let take = TakeSubtasks {
            worker: "late".to_owned(),
            limit: 5,
            now: at(1),
            until: at(60),
            time_limit: Default::default(),
        };
        let outcomes = tokio::join!(
            ending,
            cancelling.agentless_task_cancel(task, at(50)),
            saying.agentless_subtasks_progress(words, at(90)),
            taking.agentless_subtasks_take(take),
        );
        assert!(
            outcomes.0.into_iter().all(|ended| ended),
            "a worker that is asked to stop still has the lease"
        );
        outcomes.1.expect("writes").expect("is known");
        outcomes.2.expect("writes");
        for one in outcomes.3.expect("writes") {
            assert!(a.end(one.lease, SubtaskOutcome::Cancelled, 60).await);
        }
        assert_eq!(a.take(100, 61).await, [], "nothing is handed out behind a cancellation");
        counts_are_true(a, task).await;
        assert!(a.root(task).await.tally.is_over());
    }
}

pub async fn an_asset_is_in_one_task(a: &Arena) {
    for round in 0..ROUNDS {
        let earlier = scan(a, 20).await;
        for one in a.take(20, 0).await {
            assert!(a.end(one.lease, failed(), 1).await);
        }
        let names = names(20);
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        let new: Vec<NewAgentlessTask> = (0..4)
            .map(|_| {
                names.reverse();
                a.new_scan(&names, 2)
            })
            .collect();
        let ids: Vec<Uuid> = new.iter().map(|task| task.id).collect();
        let retrying = a.replica(round);
        let adding = at_once(new.into_iter().enumerate().map(|(n, task)| {
            let store = a.replica(n);
            async move { store.agentless_task_add(task).await.expect("writes") }
        }));
        let (added, retried, taken) =
            tokio::join!(adding, retrying.agentless_task_retry(earlier, at(3), None), a.take(9, 4));
        let added = added.iter().filter(|added| **added == AgentlessTaskAdded::Added).count();
        let retried = retried.expect("writes");
        assert!(matches!(retried, Retried::Queued | Retried::Running), "{retried:?}");
        assert_eq!(added + usize::from(retried == Retried::Queued), 1, "the assets are in one task");
        assert_eq!(taken.len() + a.take(100, 5).await.len(), 20);
        for task in ids.into_iter().chain([earlier]) {
            if a.store.agentless_task_get(task).await.expect("reads").is_some() {
                counts_are_true(a, task).await;
                a.store.agentless_task_delete(task).await.expect("writes");
            }
        }
    }
}

pub async fn nobody_waits_for_ever_when_results_take_each_others_places(a: &Arena) {
    let duty = a.lease().await;
    for round in 0..ROUNDS {
        // Older results of all assets, and then half of them failed in a task that is tried again.
        let older = scan(a, 20).await;
        for one in a.take(20, 0).await {
            assert!(a.end(one.lease, found(), 1).await);
        }
        let newer = scan(a, 20).await;
        let taken = a.take(20, 2).await;
        let ends = taken.iter().rev().map(|one| {
            let (store, end) = (a.replica(round), end(one, found()));
            let writer = ReportWriter::Worker(one.lease);
            async move {
                let written = store.agentless_report_write(writer, ReportFormat::Json, 0, vec![1]).await;
                assert!(written.expect("writes"));
                store.agentless_subtask_end(end).await.expect("writes")
            }
        });
        let ending = at_once(ends.collect::<Vec<_>>());
        let (removing, retrying, making) = (a.replica(round + 1), a.replica(round), a.replica(round + 1));
        let removal = async {
            if round % 2 == 0 {
                removing.agentless_task_delete(older).await.map(drop)
            } else {
                removing.agentless_results_expire(duty, at(2_000_000), 100).await.map(drop)
            }
        };
        let (ended, removed, retried, made) = tokio::join!(
            ending,
            removal,
            retrying.agentless_task_retry(newer, at(3), None),
            making.agentless_reports_wanted(at(60), 100),
        );
        assert!(ended.into_iter().all(|ended| ended));
        removed.expect("writes");
        let retried = retried.expect("writes");
        assert!(matches!(retried, Retried::Running | Retried::NothingToRetry), "{retried:?}");
        made.expect("writes");
        counts_are_true(a, newer).await;
        a.store.agentless_task_delete(newer).await.expect("writes");
        a.store.agentless_task_delete(older).await.expect("writes");
    }
}
