use std::time::Duration;

use guardhouse_model::agentless::{TaskStatus, queue::TimeLimit};
use guardhouse_store::{
    LeaseAnswer, LeasedSubtask, StoreError, SubtaskLease, SubtaskOutcome, SubtaskProgress, TakeSubtasks,
};
use uuid::Uuid;

use crate::{
    agentless_support::{failed, found},
    support::{Fixture, at},
};

fn assets(taken: &[LeasedSubtask]) -> Vec<&str> {
    taken.iter().map(|subtask| subtask.instance_id.as_str()).collect()
}

fn said(lease: SubtaskLease, progress: u8) -> SubtaskProgress {
    SubtaskProgress { lease, progress, progress_by_project: format!(r#"{{"vul":{progress}}}"#) }
}

pub async fn a_large_task_lets_later_ones_pass(f: &Fixture) {
    f.scan(&["s-1", "s-2", "s-3", "s-4"], 0).await;
    f.scan(&["s-5"], 90).await;
    f.scan(&["s-6", "s-7"], 100).await;
    let first = f.take(3, 200).await;
    assert_eq!(assets(&first), ["s-1", "s-2", "s-5"]);
    let rest = f.take(9, 200).await;
    assert_eq!(assets(&rest), ["s-6", "s-3", "s-7", "s-4"]);
    assert_eq!(f.take(9, 200).await, []);
}

pub async fn a_worker_is_told_what_it_needs(f: &Fixture) {
    let task = f.scan(&["s-1"], 0).await;
    let taken = f.take_one(10).await;
    let subtask = &f.subtasks(task).await[0];
    assert_eq!((taken.task, taken.lease), (task, SubtaskLease { subtask: subtask.id, fence: 1 }));
    assert_eq!((taken.location, taken.target_type), (Uuid::from_u128(5), 3));
    assert_eq!((taken.target_name.as_str(), taken.size_bytes), ("s-1.qcow2", 1 << 30));
    assert_eq!(
        (taken.options.as_slice(), taken.deadline),
        ([1, 2].as_slice(), TimeLimit::BySize.deadline(at(10), 1 << 30))
    );
    assert_eq!((taken.address, taken.sealed_credentials), (None, None), "nobody registered the place");
    assert_eq!((subtask.worker.as_str(), subtask.begin_time), ("worker", Some(at(10))));
}

pub async fn progress_is_kept_and_renews_the_lease(f: &Fixture) {
    let lease = f.lease().await;
    let task = f.scan(&["s-1", "s-2", "s-3"], 0).await;
    let taken = f.take(3, 0).await;
    let lost = SubtaskLease { fence: 9, ..taken[0].lease };
    f.store.agentless_task_cancel(taken[2].lease.subtask, at(1)).await.expect("writes");
    let words = vec![
        said(taken[0].lease, 20),
        said(lost, 90),
        said(taken[1].lease, 200),
        said(taken[2].lease, 30),
        said(taken[0].lease, 10),
        said(SubtaskLease { subtask: Uuid::from_u128(99), fence: 1 }, 5),
    ];
    let answers = f.store.agentless_subtasks_progress(words, at(500)).await.expect("writes");
    let (renewed, lost) = (LeaseAnswer::Renewed, LeaseAnswer::Lost);
    assert_eq!(answers, [renewed, lost, renewed, LeaseAnswer::Cancelled, renewed, lost]);
    let shown: Vec<_> =
        f.subtasks(task).await.into_iter().map(|one| (one.progress, one.progress_by_project)).collect();
    assert_eq!(shown[0], (10, r#"{"vul":10}"#.to_owned()), "of several words the last counts");
    assert_eq!((shown[1].0, shown[2].0), (100, 0));
    f.store.agentless_subtasks_progress(vec![said(taken[0].lease, 5)], at(500)).await.expect("writes");
    assert_eq!(f.subtasks(task).await[0].progress, 10, "it does not go back");
    let expired = f.store.agentless_leases_expire(lease, at(499), 9).await.expect("writes");
    assert_eq!(expired, 1, "the cancelled one alone");
    assert_eq!(f.subtasks(task).await[2].status, TaskStatus::Cancelled);
    assert_eq!(f.store.agentless_subtasks_progress(vec![], at(500)).await.expect("works"), []);
}

pub async fn a_subtask_whose_worker_is_lost_is_queued_again_and_fails_in_the_end(f: &Fixture) {
    let lease = f.lease().await;
    let expire = async |second| f.store.agentless_leases_expire(lease, at(second), 9).await.expect("writes");
    let task = f.scan(&["s-1", "s-2"], 0).await;
    for attempt in 0..3 {
        let start = 1_000 * (attempt + 1);
        let taken = f.take_one(start).await;
        assert_eq!((taken.instance_id.as_str(), taken.lease.fence), ("s-1", attempt + 1), "where it stood");
        f.store
            .agentless_subtasks_progress(vec![said(taken.lease, 40)], at(start + 60))
            .await
            .expect("writes");
        assert_eq!(expire(start + 60).await, 0, "it is good until then");
        assert_eq!(expire(start + 61).await, 1);
        let answer = f.store.agentless_subtasks_progress(vec![said(taken.lease, 50)], at(9_000)).await;
        assert_eq!(answer.expect("writes"), [LeaseAnswer::Lost]);
        assert!(!f.end(taken.lease, found(), 9_000).await);
    }
    let subtask = &f.subtasks(task).await[0];
    assert_eq!((subtask.status, subtask.end_time), (TaskStatus::Failed, Some(at(3_061))));
    assert_eq!(subtask.reason, "the worker died while scanning it, three times");
    assert_eq!(f.root_status(task).await, TaskStatus::Running);
    assert!(f.end(f.take_one(4_000).await.lease, found(), 4_001).await);
    assert_eq!(f.root_status(task).await, TaskStatus::Failed);
}

pub async fn a_subtask_that_takes_too_long_is_over(f: &Fixture) {
    let lease = f.lease().await;
    let task = f.scan(&["s-1"], 0).await;
    let taken = f.take_one(0).await;
    let deadline = 6 * 3_600 + 120;
    assert_eq!(taken.deadline, at(deadline));
    let words = vec![said(taken.lease, 7)];
    assert_eq!(
        f.store.agentless_subtasks_progress(words, at(1_000_000)).await.expect("writes"),
        [LeaseAnswer::Renewed]
    );
    let expire = async |second| f.store.agentless_leases_expire(lease, at(second), 9).await.expect("writes");
    assert_eq!(expire(deadline + 60).await, 0, "the worker may be about to say so itself");
    assert_eq!(expire(deadline + 61).await, 1);
    let subtask = &f.subtasks(task).await[0];
    assert_eq!((subtask.status, subtask.progress), (TaskStatus::TimedOut, 7));
    assert_eq!(f.root_status(task).await, TaskStatus::TimedOut);
}

pub async fn a_limit_that_somebody_set_counts(f: &Fixture) {
    f.scan(&["s-1"], 0).await;
    let time_limit = TimeLimit::Fixed(Duration::from_secs(30));
    let take =
        TakeSubtasks { worker: "worker".to_owned(), limit: 1, now: at(5), until: at(1_000), time_limit };
    let taken = f.store.agentless_subtasks_take(take).await.expect("writes");
    assert_eq!(taken[0].deadline, at(35));
    let lease = f.lease().await;
    let expire = async |second| f.store.agentless_leases_expire(lease, at(second), 9).await.expect("writes");
    assert_eq!((expire(95).await, expire(96).await), (0, 1), "a lease ends a minute behind its deadline");
}

pub async fn what_a_worker_gives_back_was_no_attempt(f: &Fixture) {
    let task = f.scan(&["s-1", "s-2"], 0).await;
    for fence in 1..=9 {
        let taken = f.take_one(fence).await;
        assert_eq!((taken.instance_id.as_str(), taken.lease.fence), ("s-1", fence));
        assert!(f.end(taken.lease, SubtaskOutcome::GivenBack, fence).await);
        assert!(!f.end(taken.lease, SubtaskOutcome::GivenBack, fence).await, "once");
    }
    let subtask = &f.subtasks(task).await[0];
    assert_eq!((subtask.attempts, subtask.status, subtask.begin_time), (0, TaskStatus::Running, Some(at(1))));
    let taken = f.take_one(20).await;
    f.store.agentless_task_cancel(task, at(21)).await.expect("writes");
    assert!(f.end(taken.lease, SubtaskOutcome::GivenBack, 22).await);
    assert_eq!(f.root_status(task).await, TaskStatus::Cancelled, "nobody begins it anew");
}

pub async fn leases_expire_in_steps_and_in_the_name_of_a_lease(f: &Fixture) {
    let lease = f.lease().await;
    let task = f.scan(&["s-1", "s-2", "s-3"], 0).await;
    let taken = f.take(3, 0).await;
    let expire = async |lease| f.store.agentless_leases_expire(lease, at(100), 2).await;
    let lost = guardhouse_store::Lease { fence: lease.fence - 1, ..lease };
    assert!(matches!(expire(lost).await, Err(StoreError::LeaseLost(_))));
    assert!(f.end(taken[0].lease, failed(), 90).await, "late, but nobody took it away");
    assert_eq!(expire(lease).await.expect("writes"), 2);
    assert_eq!(expire(lease).await.expect("writes"), 0);
    let shown: Vec<_> = f.subtasks(task).await.iter().map(|one| (one.status, one.attempts)).collect();
    assert_eq!(shown, [(TaskStatus::Failed, 0), (TaskStatus::Running, 1), (TaskStatus::Running, 1)]);
}
