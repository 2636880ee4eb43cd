use std::collections::BTreeMap;

use guardhouse_model::{
    DeviceId, RunId, TaskId, TemplateId, TriggerId,
    agentless::{
        TaskStatus,
        snapshots::{DEVICES, Keeping, instance_id},
    },
    groups::ALL,
    tasks::run_id,
};
use guardhouse_store::{
    AgentlessTaskAdded, NewAgentlessTask, NewSnapshotOrder, Retried, SnapshotState, Trigger, Work,
};
use uuid::Uuid;

use crate::{
    agentless_support::failed,
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

const DEVICES_AT_ONCE: usize = 12;

/// Snapshots that are kept for a day.
const KEEPING: Keeping = Keeping { days: 1, release_clean: false };

fn order(a: &Arena) -> NewSnapshotOrder {
    NewSnapshotOrder {
        task: TaskId(a.environment.uuid()),
        template: TemplateId(a.environment.uuid()),
        template_digest: [7; 32],
        display_name: "snapshots".to_owned(),
        action: vec![9],
        trigger: Trigger { id: TriggerId(a.environment.uuid()), create_time: at(0), expire_time: at(1_000) },
        keeping: KEEPING,
    }
}

async fn devices(a: &Arena) -> Vec<DeviceId> {
    let mut devices = Vec::new();
    for _ in 0..DEVICES_AT_ONCE {
        devices.push(a.member(ALL).await);
    }
    devices
}

/// Queues a scan of devices; answers the task, and the run of each.
async fn scan(a: &Arena, devices: &[DeviceId]) -> (Uuid, Vec<(DeviceId, RunId)>) {
    let ids: Vec<String> = devices.iter().copied().map(instance_id).collect();
    let mut task = a.new_scan(&ids.iter().map(String::as_str).collect::<Vec<_>>(), 0);
    for target in &mut task.targets {
        target.location = DEVICES;
    }
    let order = order(a);
    let runs = devices.iter().map(|&device| (device, run_id(order.trigger.id, device))).collect();
    let task = NewAgentlessTask { order: Some(order), ..task };
    let root = task.id;
    assert_eq!(a.store.agentless_task_add(task).await.expect("writes"), AgentlessTaskAdded::Added);
    (root, runs)
}

/// What arrives of these runs, each at once with the others; answers which of them were wanted.
async fn arrive(a: &Arena, runs: &[(DeviceId, RunId)]) -> Vec<RunId> {
    let arrivals = runs.iter().enumerate().map(|(number, &(device, run))| {
        let store = a.replica(number);
        async move { store.agentless_snapshot_kept(device, run, 7).await.expect("writes").then_some(run) }
    });
    at_once(arrivals.collect::<Vec<_>>()).await.into_iter().flatten().collect()
}

/// Each snapshot is as its subtask says: nothing is queued without its archive, and nothing waits for what nobody wants.
async fn snapshots_fit(a: &Arena, root: Uuid, runs: &[(DeviceId, RunId)], kept: &[RunId]) {
    let subtasks: BTreeMap<Uuid, _> =
        a.subtasks(root).await.into_iter().map(|subtask| (subtask.id, subtask.status)).collect();
    for &(device, run) in runs {
        let snapshot = a.store.agentless_snapshot_get(device, run).await.expect("reads").expect("is there");
        let expected = match (subtasks[&snapshot.subtask], kept.contains(&run)) {
            (TaskStatus::Running, true) => SnapshotState::Kept,
            (TaskStatus::Running, false) => SnapshotState::Wanted,
            _ => SnapshotState::Unwanted,
        };
        assert_eq!(snapshot.state, expected);
    }
    let over = subtasks.values().filter(|status| **status != TaskStatus::Running).count();
    let tally = a.root(root).await.tally;
    assert_eq!((tally.failed + tally.cancelled) as usize, over);
}

pub async fn a_snapshot_arrives_or_is_cancelled(a: &Arena) {
    let devices = devices(a).await;
    for round in 0..ROUNDS {
        let (root, mut runs) = scan(a, &devices).await;
        runs.reverse();
        let (cancelling, claiming) = (a.replica(round), a.replica(round + 1));
        let claims: Vec<_> =
            devices.iter().map(|&device| guardhouse_store::Claim { device, epoch: 0 }).collect();
        let one = a.subtasks(root).await[0].id;
        // One of them, or all.
        let which = if round % 2 == 0 { root } else { one };
        let (kept, cancelled, claimed) = tokio::join!(
            arrive(a, &runs),
            cancelling.agentless_task_cancel(which, at(5)),
            claiming.task_runs_claim(claims, at(5)),
        );
        let count = if round % 2 == 0 { DEVICES_AT_ONCE } else { 1 };
        assert_eq!(cancelled.expect("writes"), Some(count as u64));
        assert!(claimed.expect("works").iter().all(|work| matches!(work, Work::Runs(_))));
        snapshots_fit(a, root, &runs, &kept).await;
        a.store.agentless_task_delete(root).await.expect("writes");
    }
}

pub async fn a_snapshot_arrives_or_is_lost(a: &Arena) {
    let devices = devices(a).await;
    let lease = a.lease().await;
    for round in 0..ROUNDS {
        let (root, mut runs) = scan(a, &devices).await;
        runs.reverse();
        let lost: BTreeMap<RunId, String> = runs.iter().map(|(_, run)| (*run, "lost".to_owned())).collect();
        let (failing, again) = (a.replica(round), a.replica(round + 1));
        let (kept, failed, failed_again) = tokio::join!(
            arrive(a, &runs),
            failing.agentless_snapshots_fail(lease, lost.clone(), at(5)),
            again.agentless_snapshots_fail(lease, lost, at(5)),
        );
        let failed = failed.expect("writes") + failed_again.expect("writes");
        assert_eq!(kept.len() + failed, DEVICES_AT_ONCE, "of each, one counts");
        snapshots_fit(a, root, &runs, &kept).await;
        a.store.agentless_task_delete(root).await.expect("writes");
    }
}

pub async fn a_snapshot_is_scanned_again_or_goes(a: &Arena) {
    let devices = devices(a).await;
    let lease = a.lease().await;
    for round in 0..ROUNDS {
        let (root, runs) = scan(a, &devices).await;
        assert_eq!(arrive(a, &runs).await.len(), DEVICES_AT_ONCE);
        for taken in a.take(DEVICES_AT_ONCE, 1).await {
            assert!(a.end(taken.lease, failed(), 2).await);
        }
        let (retrying, removing) = (a.replica(round), a.replica(round + 1));
        let (retried, unneeded) = tokio::join!(
            retrying.agentless_task_retry(root, at(3), Some(order(a))),
            removing.agentless_snapshots_unneeded(lease, at(200_000), 100),
        );
        assert_eq!(retried.expect("writes"), Retried::Queued);
        let gone: Vec<RunId> = unneeded.expect("works").into_iter().map(|snapshot| snapshot.run).collect();
        let taken = a.take(100, 4).await;
        for (device, run) in &runs {
            let is_taken = taken.iter().any(|taken| taken.instance_id == instance_id(*device));
            assert_ne!(is_taken, gone.contains(run), "nothing is scanned whose archive goes");
        }
        a.store.agentless_task_delete(root).await.expect("writes");
        let gone = a.store.agentless_snapshots_unneeded(lease, at(0), 1_000).await.expect("works");
        let gone = gone.into_iter().map(|snapshot| snapshot.run).collect();
        a.store.agentless_snapshots_forget(gone, at(5)).await.expect("writes");
    }
}
