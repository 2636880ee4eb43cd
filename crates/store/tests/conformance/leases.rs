use guardhouse_model::{DeviceId, TaskId, groups::ALL, tasks::RunStatus};
use guardhouse_store::{Lease, RunEnd, RunReport, StoreError};
use uuid::Uuid;

use crate::support::{Fixture, at};

const DUTY: &str = "retention";
const ADA: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);

/// The fence that a holder gets at one second until another, if it gets the lease.
async fn take(f: &Fixture, holder: Uuid, now: i64, until: i64) -> Option<u64> {
    let lease = f.store.lease_take(DUTY, holder, at(now), at(until)).await.expect("writes");
    lease.map(|lease| lease.fence)
}

pub async fn one_holder_has_a_lease_and_renews_it(f: &Fixture) {
    assert_eq!(take(f, ADA, 0, 10).await, Some(1));
    assert_eq!(take(f, BOB, 5, 15).await, None, "it is taken");
    assert_eq!(take(f, ADA, 5, 15).await, Some(1), "renewed, it is the same lease");
    assert_eq!(take(f, BOB, 11, 21).await, None, "the renewal counts");
    let other_duty = f.store.lease_take("other", BOB, at(5), at(15)).await.expect("writes");
    assert_eq!(other_duty, Some(Lease { duty: "other", fence: 1 }), "duties are apart");
}

pub async fn a_lease_that_ran_out_goes_to_the_next_with_a_higher_fence(f: &Fixture) {
    assert_eq!(take(f, ADA, 0, 10).await, Some(1));
    assert_eq!(take(f, BOB, 10, 20).await, None, "its last moment");
    assert_eq!(take(f, BOB, 11, 20).await, Some(2));
    assert_eq!(take(f, ADA, 12, 30).await, None, "who was late has lost it");
    assert_eq!(take(f, ADA, 21, 30).await, Some(3), "and is a new holder when it comes back");
    assert_eq!(take(f, ADA, 31, 40).await, Some(3), "who takes its own lease up again missed nobody");
}

pub async fn a_lease_that_is_given_up_waits_for_nobody(f: &Fixture) {
    assert_eq!(take(f, ADA, 0, 10).await, Some(1));
    f.store.lease_release(DUTY, BOB).await.expect("works");
    assert_eq!(take(f, BOB, 1, 11).await, None, "only its holder gives it up");
    f.store.lease_release(DUTY, ADA).await.expect("writes");
    assert_eq!(take(f, BOB, 1, 11).await, Some(2));
    f.store.lease_release("never taken", BOB).await.expect("works");
}

/// A task that was deleted, with a run that ended: both may go.
async fn leave_something_old(f: &Fixture) -> (DeviceId, TaskId) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    let end = RunEnd { run, device, status: RunStatus::Finished, end_time: at(1), result: None, code: None };
    assert!(f.report(RunReport::Ended(end)).await);
    assert!(f.store.task_delete(task, at(2)).await.expect("writes"));
    (device, task)
}

pub async fn retention_is_refused_in_the_name_of_a_lost_lease(f: &Fixture) {
    /// The triggers of the fixtures have expired by then.
    const LATE: i64 = 2_000_000;
    let (_, task) = leave_something_old(f).await;
    let lost = f.lease().await;
    f.store.lease_release(lost.duty, ADA).await.expect("writes");
    let held = f.store.lease_take(lost.duty, BOB, at(0), at(10)).await.expect("writes").expect("is free");

    let runs = async || f.store.task_runs_list(task, None, false, None, 10).await.expect("reads");
    let refused = f.store.task_runs_expire(lost, at(LATE), None, 10).await.expect_err("is another's");
    assert!(matches!(refused, StoreError::LeaseLost(duty) if duty == lost.duty), "{refused}");
    assert_eq!(runs().await.map(|runs| runs.len()), Some(1), "nothing was done");
    f.store.task_runs_expire(held, at(LATE), None, 10).await.expect("writes");

    let refused = f.store.tasks_expire(lost, at(LATE), 10).await.expect_err("is another's");
    assert!(matches!(refused, StoreError::LeaseLost(_)), "{refused}");
    assert_eq!(runs().await.map(|runs| runs.len()), Some(0), "its runs are gone, the task is still known");
    assert_eq!(f.store.tasks_expire(held, at(LATE), 10).await.expect("writes"), 1);
}
