use guardhouse_model::{DeviceId, TaskId, TemplateId, groups::ALL};
use guardhouse_store::{Claim, Store, StoreError, Targets, TaskChange};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

pub async fn a_template_outlives_the_task_whose_successor_shares_it(a: &Arena) {
    let device = a.member(ALL).await;
    let mut last = a.task(&[device], &[]).await;
    for _ in 0..ROUNDS {
        let next = a.new_task(Targets { devices: vec![device], groups: vec![] });
        let (id, template) = (next.id, TemplateId(a.id()));
        let (creating, deleting) = (a.replica(0), a.replica(1));
        let (created, deleted) =
            tokio::join!(creating.task_create(next, template), deleting.task_delete(last, at(1)));
        assert_eq!(created.expect("writes"), TaskChange::Changed);
        assert!(deleted.expect("writes"));
        let task = a.store.task_get(id).await.expect("reads").expect("it has its template");
        assert_eq!(task.action, b"action");
        assert_eq!(a.store.task_templates_count().await.expect("reads"), 1);
        last = id;
    }
    a.store.task_delete(last, at(1)).await.expect("writes");
    assert_eq!(a.store.task_templates_count().await.expect("reads"), 0);
}

/// Claims beside `change`, and looks at what is left when both are done.
async fn claims_beside<F>(a: &Arena, change: impl Fn(Store, TaskId) -> F)
where
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let mut devices: Vec<DeviceId> = Vec::new();
    for _ in 0..4 {
        devices.push(a.member(ALL).await);
    }
    let mut early = 0;
    for round in 0..2 * ROUNDS {
        let task = a.task(&devices, &[]).await;
        let claims = (0..6).map(|n| {
            let (store, device) = (a.replica(n), devices[(n + round) % devices.len()]);
            let claims = vec![Claim { device, epoch: 0 }];
            async move { store.task_runs_claim(claims, at(1)).await.expect("writes") }
        });
        let changing = change(a.replica(round), task);
        let (_, changed) = tokio::join!(at_once(claims), changing);
        changed.expect("writes");
        for &device in &devices {
            for run in a.claim(device).await {
                assert!(run.withdrawn, "{run:?} is still to be carried out");
                a.store.task_run_withdrawn(run.id, Claim { device, epoch: 0 }).await.expect("writes");
                early += 1;
            }
        }
        let left = a.store.task_runs_list(task, None, false, None, 10).await.expect("reads");
        assert_eq!(left.expect("is known"), []);
    }
    eprintln!("{early} runs were handed out before the change, and withdrawn");
}

pub async fn no_run_outlives_the_deletion_of_its_task_unwithdrawn(a: &Arena) {
    claims_beside(a, |store, task| async move { store.task_delete(task, at(2)).await.map(drop) }).await;
}

pub async fn no_run_outlives_its_target_unwithdrawn(a: &Arena) {
    let other = a.member(ALL).await;
    let targets = Targets { devices: vec![other], groups: vec![] };
    claims_beside(a, |store, task| {
        let targets = targets.clone();
        async move { store.task_set_targets(task, targets, at(2)).await.map(drop) }
    })
    .await;
}
