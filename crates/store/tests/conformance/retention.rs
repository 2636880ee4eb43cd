use guardhouse_model::{DeviceId, RunId, TaskId, TemplateId, Timestamp, groups::ALL, tasks::RunStatus};
use guardhouse_store::{Claim, RunEnd, RunReport, Targets, Work};

use crate::support::{Fixture, at};

/// The triggers of the fixtures expire at second 1,000,000.
const EXPIRED: i64 = 1_000_001;

/// Goes through all runs in steps of `limit`; answers how many steps it took.
async fn expire(f: &Fixture, before: Timestamp, limit: usize) -> usize {
    let (lease, mut steps, mut after) = (f.lease().await, 1, None);
    while let Some(next) = f.store.task_runs_expire(lease, before, after, limit).await.expect("works") {
        (steps, after) = (steps + 1, Some(next));
    }
    steps
}

async fn finish(f: &Fixture, device: DeviceId, run: RunId, second: i64) {
    let status = RunStatus::Finished;
    let end = RunEnd { run, device, status, end_time: at(second), result: None, code: None };
    assert!(f.report(RunReport::Ended(end)).await);
}

async fn runs(f: &Fixture, task: TaskId) -> Option<usize> {
    let runs = f.store.task_runs_list(task, None, false, None, 100).await.expect("reads");
    runs.map(|runs| runs.len())
}

pub async fn runs_go_after_their_end_and_the_expiry_of_their_trigger(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    finish(f, device, run, EXPIRED + 5).await;
    for (before, left) in [(EXPIRED - 1, 1), (EXPIRED + 5, 1), (EXPIRED + 6, 0)] {
        expire(f, at(before), 10).await;
        assert_eq!(runs(f, task).await, Some(left), "before second {before}");
    }
    let claims = vec![Claim { device, epoch: 0 }];
    let work = f.store.task_runs_claim(claims, at(EXPIRED)).await.expect("works");
    assert_eq!(work, [Work::Runs(vec![])], "it is not run again");

    let early = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    finish(f, device, run, 10).await;
    expire(f, at(20), 10).await;
    assert_eq!(runs(f, early).await, Some(1), "its trigger would start another");
}

pub async fn open_runs_stay_while_their_device_does(f: &Fixture) {
    let group = f.group(ALL).await;
    let device = f.member(group).await;
    let task = f.task(&[device], &[]).await;
    f.claim(device).await;
    expire(f, at(EXPIRED), 10).await;
    assert_eq!(runs(f, task).await, Some(1));
    f.store.group_delete(group, at(9)).await.expect("writes").expect("is there");
    expire(f, at(EXPIRED), 10).await;
    assert_eq!(runs(f, task).await, Some(0));
}

pub async fn runs_go_in_steps(f: &Fixture) {
    let (device, other) = (f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[device, other], &[]).await;
    let triggers = (0..4).map(|_| f.trigger()).collect();
    f.store.task_set_triggers(task, triggers, at(1)).await.expect("writes");
    for run in f.claim(device).await {
        finish(f, device, run.id, 10).await;
    }
    assert_eq!(f.claim(other).await.len(), 4, "these stay open, in between");
    assert_eq!(expire(f, at(EXPIRED), 3).await, 3, "eight runs, three at a time");
    assert_eq!(runs(f, task).await, Some(4));
    assert_eq!(f.claim(other).await.len(), 4);
}

pub async fn deleted_tasks_go_after_their_runs_and_templates_with_the_last(f: &Fixture) {
    let device = f.member(ALL).await;
    let (first, second) = (f.task(&[device], &[]).await, f.task(&[], &[]).await);
    let run = f.claim(device).await[0].id;
    finish(f, device, run, 10).await;
    assert!(f.store.task_delete(first, at(20)).await.expect("writes"));
    let lease = f.lease().await;
    let expire_tasks = async |second| f.store.tasks_expire(lease, at(second), 10).await.expect("works");

    assert_eq!(expire_tasks(30).await, 0, "it has a run");
    expire(f, at(EXPIRED), 10).await;
    assert_eq!((expire_tasks(20).await, runs(f, first).await), (0, Some(0)), "it was deleted later");
    assert_eq!((expire_tasks(21).await, runs(f, first).await), (1, None), "nobody knows it any more");
    assert_eq!(f.store.task_templates_count().await.expect("reads"), 1, "the second task has it");
    assert!(f.store.task_get(second).await.expect("reads").is_some());

    // While the run is open, the template outlives the task; then nobody needs it.
    let mut third = f.new_task(Targets { devices: vec![device], groups: vec![] });
    (third.id, third.template_digest) = (TaskId(f.id()), [2; 32]);
    let id = third.id;
    f.store.task_create(third, TemplateId(f.id())).await.expect("writes");
    let run = f.claim(device).await[0].id;
    assert!(f.store.task_delete(id, at(20)).await.expect("writes"));
    finish(f, device, run, 30).await;
    assert_eq!(f.store.task_templates_count().await.expect("reads"), 2);
    expire(f, at(EXPIRED), 10).await;
    assert_eq!(expire_tasks(21).await, 1);
    assert_eq!(f.store.task_templates_count().await.expect("reads"), 1);
}
