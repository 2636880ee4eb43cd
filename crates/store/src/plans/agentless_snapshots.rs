//! The verbs of snapshots of devices.

use std::collections::BTreeMap;

use guardhouse_model::{
    DeviceId, RunId, TaskId, TemplateId, TriggerId,
    agentless::snapshots::{DEVICES, Keeping, instance_id},
    groups::ALL,
    tasks::run_id,
};

use super::{
    Plans,
    agentless::task,
    support::{Fixture, at},
};
use crate::{
    Claim, DeviceStateReport, NewAgentlessTask, NewSnapshotOrder, SubtaskEnd, SubtaskOutcome, TakeSubtasks,
    Trigger,
};

/// Carries all of them out.
pub async fn all(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let devices = [f.member(ALL).await, f.member(ALL).await];
    assets(plans, f, devices[0]).await;

    let (new, runs) = scan(f, &devices);
    let subtasks: Vec<_> = new.targets.iter().map(|target| target.id).collect();
    let root = new.id;
    plans.of("agentless_task_add, of devices", store.agentless_task_add(new)).await;
    plans.of("agentless_snapshot_get", store.agentless_snapshot_get(devices[0], runs[0])).await;
    plans.of("agentless_snapshots_of", store.agentless_snapshots_of(subtasks.clone())).await;
    plans.of("agentless_snapshot_kept", store.agentless_snapshot_kept(devices[0], runs[0], 1)).await;
    let end = failed(f, devices[0]).await;
    plans.forget();
    plans.of("agentless_subtask_end, of a device", store.agentless_subtask_end(end)).await;
    plans.of("agentless_snapshots_lost", store.agentless_snapshots_lost(at(9), 10)).await;
    let lease = f.lease().await;
    let lost = BTreeMap::from([(runs[1], "lost".to_owned())]);
    plans.forget();
    plans.of("agentless_snapshots_fail", store.agentless_snapshots_fail(lease, lost, at(9))).await;
    let (order, _) = scan(f, &devices);
    let retry = store.agentless_task_retry(root, at(9), order.order);
    plans.of("agentless_task_retry, of devices", retry).await;
    plans.of("agentless_task_cancel, of devices", store.agentless_task_cancel(root, at(9))).await;

    let (new, runs) = scan(f, &devices[..1]);
    store.agentless_task_add(new).await.expect("writes");
    assert!(store.agentless_snapshot_kept(devices[0], runs[0], 1).await.expect("writes"));
    let end = failed(f, devices[0]).await;
    assert!(store.agentless_subtask_end(end).await.expect("writes"));
    plans.forget();
    let unneeded = store.agentless_snapshots_unneeded(lease, at(900_000), 10);
    let unneeded = plans.of("agentless_snapshots_unneeded", unneeded).await;
    let unneeded = unneeded.into_iter().map(|snapshot| snapshot.run).collect();
    plans.of("agentless_snapshots_forget", store.agentless_snapshots_forget(unneeded, at(13))).await;
    let set = store.agentless_snapshot_folder_set(vec![1]);
    plans.of("agentless_snapshot_folder_set", set).await;
}

async fn assets(plans: &mut Plans, f: &Fixture, device: DeviceId) {
    let store = &f.store;
    let epoch = store.device_connected(device, String::new(), at(0)).await.expect("writes").expect("exists");
    plans.forget();
    let by = Claim { device, epoch };
    let report = |snapshot_bytes| DeviceStateReport { report_time: at(1), state: vec![1], snapshot_bytes };
    plans.of("device_state_report, of an asset", store.device_state_report(by, report(Some(7)))).await;
    plans.of("device_state_report, of none any more", store.device_state_report(by, report(None))).await;
}

/// The end of the scan of a device that is queued.
async fn failed(f: &Fixture, device: DeviceId) -> SubtaskEnd {
    let take = TakeSubtasks {
        worker: "w".to_owned(),
        limit: 100,
        now: at(1),
        until: at(2),
        time_limit: Default::default(),
    };
    let taken = f.store.agentless_subtasks_take(take).await.expect("writes");
    let taken = taken.into_iter().find(|taken| taken.instance_id == instance_id(device));
    let outcome = SubtaskOutcome::Failed("damaged".to_owned());
    SubtaskEnd { lease: taken.expect("is queued").lease, now: at(2), outcome, measure_bytes: 1 }
}

/// A scan of devices, and the runs that take the snapshots.
fn scan(f: &Fixture, devices: &[DeviceId]) -> (NewAgentlessTask, Vec<RunId>) {
    let ids: Vec<String> = devices.iter().copied().map(instance_id).collect();
    let mut new = task(f, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    for target in &mut new.targets {
        target.location = DEVICES;
    }
    let trigger = Trigger { id: TriggerId(f.id()), create_time: at(0), expire_time: at(5) };
    let runs = devices.iter().map(|&device| run_id(trigger.id, device)).collect();
    let order = NewSnapshotOrder {
        task: TaskId(f.id()),
        template: TemplateId(f.id()),
        template_digest: [9; 32],
        display_name: String::new(),
        action: Vec::new(),
        trigger,
        keeping: Keeping { days: 5, release_clean: true },
    };
    (NewAgentlessTask { order: Some(order), ..new }, runs)
}
