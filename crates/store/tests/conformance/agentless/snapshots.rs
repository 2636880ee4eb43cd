use std::collections::BTreeMap;

use guardhouse_model::{
    DeviceId, RunId, TaskId, TemplateId, TriggerId,
    agentless::{
        TaskStatus, queue,
        snapshots::{DEVICES, Keeping, archive, instance_id},
    },
    groups::ALL,
    tasks::{RunStatus, run_id},
};
use guardhouse_store::{
    AgentlessSubtask, AgentlessTaskAdded, Claim, DeviceSnapshot, Lease, LostSnapshot, NewAgentlessSubtask,
    NewAgentlessTask, NewSnapshotOrder, Retried, RunEnd, RunReport, SnapshotLoss, SnapshotState, StoreError,
    SubtaskOutcome, Trigger, Work,
};
use uuid::Uuid;

use crate::{
    agentless_support::{failed, found, found_until, found_vulnerabilities},
    support::{Fixture, at},
};

/// Nothing is kept behind a scan.
const AT_ONCE: Keeping = Keeping { days: 0, release_clean: false };

const DAY: i64 = 86_400;

fn order_of(task: &NewAgentlessTask) -> &NewSnapshotOrder {
    task.order.as_ref().expect("is ordered")
}

impl Fixture {
    fn order(&self, second: i64, keeping: Keeping) -> NewSnapshotOrder {
        let trigger =
            Trigger { id: TriggerId(self.id()), create_time: at(second), expire_time: at(second + 1_000) };
        NewSnapshotOrder {
            task: TaskId(self.id()),
            template: TemplateId(self.id()),
            template_digest: [7; 32],
            display_name: "snapshots".to_owned(),
            action: vec![9],
            trigger,
            keeping,
        }
    }

    fn new_device_scan(&self, devices: &[DeviceId], second: i64, keeping: Keeping) -> NewAgentlessTask {
        let ids: Vec<String> = devices.iter().copied().map(instance_id).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut task = self.new_scan(&ids, second);
        for target in &mut task.targets {
            (target.location, target.target_type) = (DEVICES, 1);
        }
        NewAgentlessTask { target_type: 1, order: Some(self.order(second, keeping)), ..task }
    }

    /// Adds a scan of one device: the task, its subtask and the run.
    async fn scan_device(&self, device: DeviceId, second: i64, keeping: Keeping) -> (Uuid, Uuid, RunId) {
        let task = self.new_device_scan(&[device], second, keeping);
        let (root, subtask) = (task.id, task.targets[0].id);
        let run = run_id(order_of(&task).trigger.id, device);
        let added = self.store.agentless_task_add(task).await.expect("writes");
        assert_eq!(added, AgentlessTaskAdded::Added);
        (root, subtask, run)
    }

    async fn snapshot(&self, device: DeviceId, run: RunId) -> Option<DeviceSnapshot> {
        self.store.agentless_snapshot_get(device, run).await.expect("reads")
    }

    async fn snapshot_state(&self, device: DeviceId, run: RunId) -> Option<SnapshotState> {
        self.snapshot(device, run).await.map(|snapshot| snapshot.state)
    }

    async fn kept(&self, device: DeviceId, run: RunId, size_bytes: u64) -> bool {
        self.store.agentless_snapshot_kept(device, run, size_bytes).await.expect("writes")
    }

    async fn subtask(&self, subtask: Uuid) -> AgentlessSubtask {
        self.store.agentless_subtask_get(subtask).await.expect("reads").expect("is there")
    }

    /// What there is to do for a device at a time: which runs, and whether they are cancelled.
    async fn runs_at(&self, device: DeviceId, second: i64) -> Vec<(RunId, bool)> {
        let claim = Claim { device, epoch: 0 };
        match &self.store.task_runs_claim(vec![claim], at(second)).await.expect("works")[..] {
            [Work::Runs(runs)] => runs.iter().map(|run| (run.id, run.cancelled)).collect(),
            _ => Vec::new(),
        }
    }

    async fn end_run(&self, device: DeviceId, run: RunId, status: RunStatus, code: Option<&str>) {
        let result = code.map(|_| vec![5]);
        let code = code.map(str::to_owned);
        let end = RunReport::Ended(RunEnd { run, device, status, end_time: at(50), result, code });
        assert_eq!(self.store.task_runs_report(vec![end]).await.expect("writes"), [true]);
    }

    async fn lost(&self, second: i64) -> Vec<LostSnapshot> {
        self.store.agentless_snapshots_lost(at(second), 10).await.expect("reads")
    }

    async fn snapshot_lease(&self) -> Lease {
        let taken = self.store.lease_take("snapshots", Uuid::from_u128(77), at(0), at(9_000)).await;
        taken.expect("writes").expect("is free")
    }

    async fn fail(&self, runs: &[RunId], second: i64) -> usize {
        let lost: BTreeMap<RunId, String> = runs.iter().map(|run| (*run, "it is lost".to_owned())).collect();
        let lease = self.snapshot_lease().await;
        self.store.agentless_snapshots_fail(lease, lost, at(second)).await.expect("writes")
    }

    /// The runs whose archives are to be removed.
    async fn unneeded(&self, second: i64) -> Vec<RunId> {
        let lease = self.snapshot_lease().await;
        let found = self.store.agentless_snapshots_unneeded(lease, at(second), 10).await.expect("works");
        assert!(found.iter().all(|snapshot| snapshot.state == SnapshotState::Unwanted));
        found.into_iter().map(|snapshot| snapshot.run).collect()
    }
}

pub async fn a_scan_of_a_device_waits_for_its_snapshot(f: &Fixture) {
    let (one, other) = (f.member(ALL).await, f.member(ALL).await);
    let mut task = f.new_device_scan(&[one, other], 10, AT_ONCE);
    let image =
        NewAgentlessSubtask { instance_id: "m-1".to_owned(), ..f.new_scan(&["m-1"], 10).targets[0].clone() };
    task.targets.push(image);
    let (root, order) = (task.id, order_of(&task).clone());
    let run = run_id(order.trigger.id, one);
    assert_eq!(f.store.agentless_task_add(task.clone()).await.expect("writes"), AgentlessTaskAdded::Added);

    let subtasks = f.subtasks(root).await;
    let names: Vec<&str> = subtasks.iter().map(|subtask| subtask.target_name.as_str()).collect();
    let archives = [one, other].map(|device| archive(device, run_id(order.trigger.id, device)));
    assert_eq!(names, [archives[0].as_str(), archives[1].as_str(), "m-1.qcow2"]);
    assert!(subtasks.iter().all(|subtask| subtask.status == TaskStatus::Running));
    let device_task = f.store.task_get(order.task).await.expect("reads").expect("is there");
    assert_eq!((device_task.targets.devices, device_task.action), (vec![one, other], vec![9]));
    assert_eq!(device_task.triggers, [order.trigger]);
    assert_eq!(f.runs_at(one, 11).await, [(run, false)], "the run that was foreseen");

    let again = f.new_device_scan(&[one], 12, AT_ONCE);
    let again = f.store.agentless_task_add(again).await.expect("writes");
    assert_eq!(again, AgentlessTaskAdded::Busy(vec![instance_id(one)]), "it is busy while it waits");
    let taken = f.take(9, 12).await;
    assert_eq!(taken.iter().map(|taken| taken.instance_id.as_str()).collect::<Vec<_>>(), ["m-1"]);

    let wanted = f.snapshot(one, run).await.expect("is wanted");
    let (state, size_bytes) = (SnapshotState::Wanted, 0);
    let subtask = subtasks[0].id;
    let create_time = at(10);
    let expected =
        DeviceSnapshot { run, device: one, subtask, state, size_bytes, create_time, keep_until: None };
    assert_eq!(wanted, expected);
    assert_eq!(f.snapshot(other, run).await, None, "the run of another device");
    assert!(!f.kept(other, run, 5).await);
    assert!(f.kept(one, run, 5).await);
    assert!(f.kept(one, run, 5).await, "said again");
    assert!(!f.kept(one, run, 6).await, "another archive");
    let of = f.store.agentless_snapshots_of(subtasks.iter().rev().map(|subtask| subtask.id).collect()).await;
    let of: Vec<_> =
        of.expect("reads").into_iter().map(|kept| (kept.device, kept.state, kept.size_bytes)).collect();
    assert_eq!(of, [(one, SnapshotState::Kept, 5), (other, SnapshotState::Wanted, 0)]);

    let taken = f.take_one(13).await;
    assert_eq!((&taken.target_name, taken.size_bytes, taken.location), (&archives[0], 5, DEVICES));
    assert_eq!(taken.address, Some(vec![0x22, 0]));
    assert!(f.end(taken.lease, found(), 14).await);
    assert_eq!(f.unneeded(14).await, [run]);
    assert_eq!(f.root(root).await.tally.done, 1);

    let unordered = NewAgentlessTask { order: None, ..f.new_device_scan(&[one], 15, AT_ONCE) };
    let refused = f.store.agentless_task_add(unordered.clone()).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent(_))), "{refused:?}");
    assert_eq!(f.store.agentless_task_get(unordered.id).await.expect("reads"), None);
}

pub async fn devices_that_are_idle_are_scanned(f: &Fixture) {
    let (busy, idle) = (f.member(ALL).await, f.member(ALL).await);
    let (_, _, run) = f.scan_device(busy, 1, AT_ONCE).await;
    let task = f.new_device_scan(&[busy, idle], 2, AT_ONCE);
    let (root, order) = (task.id, order_of(&task).clone());
    let added = f.store.agentless_task_add_idle(task).await.expect("writes");
    assert_eq!((added, f.subtasks(root).await.len()), (AgentlessTaskAdded::Added, 1));
    let device_task = f.store.task_get(order.task).await.expect("reads").expect("is there");
    assert_eq!(device_task.targets.devices, [idle]);
    assert_eq!(f.runs_at(busy, 3).await, [(run, false)]);
}

pub async fn a_snapshot_is_kept_as_long_as_was_asked_for(f: &Fixture) {
    let two_days = |release_clean| Keeping { days: 2, release_clean };
    let table = [
        (AT_ONCE, found_until(at(9_999)), None),
        (two_days(false), found_until(at(9_999)), Some(2)),
        (two_days(true), found_until(at(9_999)), Some(2)),
        (two_days(true), found_vulnerabilities(&[]), None),
        (two_days(true), failed(), Some(2)),
    ];
    for (keeping, outcome, days) in table {
        let device = f.member(ALL).await;
        let (_, _, run) = f.scan_device(device, 1, keeping).await;
        assert!(f.kept(device, run, 5).await);
        let taken = f.take_one(2).await;
        assert_eq!(f.unneeded(10 * DAY).await, [], "not while it is scanned");
        assert!(f.end(taken.lease, outcome, 3).await);
        let Some(days) = days else {
            assert_eq!(f.unneeded(3).await, [run], "{keeping:?}");
            f.store.agentless_snapshots_forget(vec![run], at(4)).await.expect("writes");
            continue;
        };
        let end = 3 + days * DAY;
        assert_eq!(f.snapshot(device, run).await.and_then(|kept| kept.keep_until), Some(at(end)));
        assert_eq!(f.unneeded(end - 1).await, []);
        assert_eq!(f.unneeded(end).await, [run]);
        f.store.agentless_snapshots_forget(vec![run], at(4)).await.expect("writes");
        assert_eq!(f.snapshot(device, run).await, None);
    }
}

pub async fn a_scan_does_not_wait_for_ever(f: &Fixture) {
    let group = f.group(ALL).await;
    let code = Some("SNAPSHOT_FAILED");
    // Over in each way, and a device that may still come.
    let devices = [f.member(ALL).await, f.member(ALL).await, f.member(ALL).await, f.member(group).await];
    let [ended, changed, waits, deleted] = devices;
    let (root, subtask, ended_run) = f.scan_device(ended, 1, AT_ONCE).await;
    f.runs_at(ended, 2).await;
    let task = f.new_device_scan(&[changed], 1, AT_ONCE);
    let (changed_run, order) = (run_id(order_of(&task).trigger.id, changed), order_of(&task).task);
    f.store.agentless_task_add(task).await.expect("writes");
    f.runs_at(changed, 2).await;
    let (late_root, _, waiting_run) = f.scan_device(waits, 1, AT_ONCE).await;
    let (_, _, deleted_run) = f.scan_device(deleted, 1, AT_ONCE).await;
    assert_eq!(f.lost(1_001).await, []);

    f.end_run(ended, ended_run, RunStatus::Failed, code).await;
    f.store.task_delete(order, at(3)).await.expect("writes");
    f.store.group_delete(group, at(3)).await.expect("writes").expect("was there");
    let mut expected = BTreeMap::from([
        (
            ended_run,
            SnapshotLoss::RunEnded {
                status: RunStatus::Failed,
                code: code.map(str::to_owned),
                reason: None,
                result: Some(vec![5]),
            },
        ),
        (changed_run, SnapshotLoss::OrderGone),
        (deleted_run, SnapshotLoss::DeviceGone),
    ]);
    let by_run = |lost: Vec<LostSnapshot>| -> BTreeMap<RunId, SnapshotLoss> {
        lost.into_iter().map(|lost| (lost.run, lost.loss)).collect()
    };
    assert_eq!(by_run(f.lost(1_001).await), expected);
    expected.insert(waiting_run, SnapshotLoss::Expired);
    assert_eq!(by_run(f.lost(1_002).await), expected);
    assert_eq!(f.store.agentless_snapshots_lost(at(1_002), 1).await.expect("reads").len(), 1);

    let lease = f.snapshot_lease().await;
    let stale = Lease { fence: lease.fence + 1, ..lease };
    let reasons = BTreeMap::from([(ended_run, String::new())]);
    let refused = f.store.agentless_snapshots_fail(stale, reasons, at(4)).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost(_))), "{refused:?}");
    assert_eq!(f.fail(&[], 4).await, 0);
    assert_eq!(f.fail(&[ended_run, changed_run, deleted_run, RunId(f.id())], 4).await, 3);
    let failed = f.subtask(subtask).await;
    assert_eq!((failed.status, failed.reason.as_str()), (TaskStatus::Failed, "it is lost"));
    assert_eq!(f.root_status(root).await, TaskStatus::Failed);
    assert_eq!(f.snapshot_state(ended, ended_run).await, Some(SnapshotState::Unwanted));
    assert!(!f.kept(ended, ended_run, 5).await, "it comes too late");
    assert_eq!(f.fail(&[ended_run], 5).await, 0, "it is over already");
    assert_eq!(f.root_status(late_root).await, TaskStatus::Running);

    assert!(f.kept(waits, waiting_run, 5).await);
    assert_eq!(f.fail(&[waiting_run], 6).await, 0, "it is there");
    assert_eq!(f.lost(9_999).await, []);
}

pub async fn what_waits_is_cancelled_with_its_run(f: &Fixture) {
    let [one, other, third] = [f.member(ALL).await, f.member(ALL).await, f.member(ALL).await];
    let task = f.new_device_scan(&[one, other, third], 1, Keeping { days: 5, release_clean: false });
    let (root, trigger) = (task.id, order_of(&task).trigger.id);
    let [first, second, last] = [one, other, third].map(|device| run_id(trigger, device));
    f.store.agentless_task_add(task.clone()).await.expect("writes");
    assert_eq!(f.runs_at(one, 2).await, [(first, false)]);
    assert!(f.kept(third, last, 5).await);

    let cancel = async |id| f.store.agentless_task_cancel(id, at(3)).await.expect("writes");
    assert_eq!(cancel(task.targets[0].id).await, Some(1));
    let over = f.subtask(task.targets[0].id).await;
    assert_eq!((over.status, over.reason.as_str()), (TaskStatus::Cancelled, queue::CANCELLED));
    assert_eq!(f.runs_at(one, 4).await, [(first, true)], "its device is to stop");
    assert_eq!(f.snapshot_state(one, first).await, Some(SnapshotState::Unwanted));
    assert_eq!(f.snapshot_state(other, second).await, Some(SnapshotState::Wanted));
    assert!(!f.kept(one, first, 5).await);

    assert_eq!(cancel(root).await, Some(2));
    assert_eq!(f.root_status(root).await, TaskStatus::Cancelled);
    assert_eq!(f.runs_at(other, 4).await, [], "it is not handed out any more");
    assert_eq!(f.snapshot_state(third, last).await, Some(SnapshotState::Unwanted), "what is there goes, too");
    assert_eq!(f.take(9, 5).await, []);
    let mut unneeded = vec![first, second, last];
    unneeded.sort_unstable();
    assert_eq!(f.unneeded(5).await, unneeded);
}

pub async fn a_scan_that_is_cancelled_while_it_runs_keeps_no_snapshot(f: &Fixture) {
    let device = f.member(ALL).await;
    let (root, _, run) = f.scan_device(device, 1, Keeping { days: 5, release_clean: false }).await;
    f.kept(device, run, 5).await;
    let taken = f.take_one(2).await;
    f.store.agentless_task_cancel(root, at(3)).await.expect("writes");
    assert_eq!(f.unneeded(4).await, [], "its worker reads it still");
    assert!(f.end(taken.lease, SubtaskOutcome::Cancelled, 4).await);
    assert_eq!(f.unneeded(4).await, [run]);
}

pub async fn a_scan_that_was_lost_keeps_its_snapshot_as_others_do(f: &Fixture) {
    let device = f.member(ALL).await;
    let (_, subtask, run) = f.scan_device(device, 1, Keeping { days: 5, release_clean: true }).await;
    f.kept(device, run, 5).await;
    let lease = f.snapshot_lease().await;
    for attempt in 1..=3 {
        f.take_one(attempt * 100).await;
        f.store.agentless_leases_expire(lease, at(attempt * 100 + 90), 10).await.expect("writes");
        let keep_until = f.snapshot(device, run).await.and_then(|kept| kept.keep_until);
        assert_eq!(keep_until, (attempt == 3).then(|| at(390 + 5 * DAY)), "lost {attempt} times");
    }
    assert_eq!(f.subtask(subtask).await.status, TaskStatus::Failed);
}

pub async fn what_is_tried_again_uses_the_snapshot_that_is_kept(f: &Fixture) {
    let device = f.member(ALL).await;
    let (root, subtask, run) = f.scan_device(device, 1, Keeping { days: 5, release_clean: false }).await;
    f.kept(device, run, 5).await;
    let fail = async |second| {
        let taken = f.take_one(second).await;
        assert!(f.end(taken.lease, SubtaskOutcome::Failed("damaged".to_owned()), second).await);
        taken.target_name
    };
    let retry =
        async |second, order| f.store.agentless_task_retry(root, at(second), order).await.expect("writes");
    fail(2).await;
    let order = f.order(3, AT_ONCE);
    assert_eq!(retry(3, Some(order.clone())).await, Retried::Queued);
    assert_eq!(f.store.task_get(order.task).await.expect("reads"), None, "nothing new is ordered");
    assert_eq!(f.snapshot(device, run).await.and_then(|kept| kept.keep_until), None);
    assert_eq!(f.unneeded(100 * DAY).await, []);
    assert_eq!(fail(4).await, archive(device, run));
    assert_eq!(f.unneeded(4 + 5 * DAY).await, [run]);

    let refused = f.store.agentless_task_retry(root, at(5), None).await;
    assert!(matches!(refused, Err(StoreError::Inconsistent(_))), "{refused:?}");
    assert_eq!(f.root_status(root).await, TaskStatus::Failed);
    assert_eq!(retry(5, Some(order.clone())).await, Retried::Queued);
    let new = run_id(order.trigger.id, device);
    let waiting = f.subtask(subtask).await;
    assert_eq!((waiting.status, waiting.target_name), (TaskStatus::Running, archive(device, new)));
    assert_eq!(f.take(9, 6).await, []);
    assert!(f.runs_at(device, 6).await.contains(&(new, false)));
    let states: BTreeMap<RunId, SnapshotState> = f
        .store
        .agentless_snapshots_of(vec![subtask, subtask])
        .await
        .expect("reads")
        .into_iter()
        .map(|snapshot| (snapshot.run, snapshot.state))
        .collect();
    assert_eq!(states, BTreeMap::from([(run, SnapshotState::Unwanted), (new, SnapshotState::Wanted)]));
    assert!(!f.kept(device, run, 5).await);
    assert!(f.kept(device, new, 6).await);
    assert_eq!(fail(7).await, archive(device, new));
    assert!(f.unneeded(7).await.contains(&new), "the later order says how long it is kept");
}

pub async fn a_device_task_goes_with_its_last_snapshot(f: &Fixture) {
    let [one, other] = [f.member(ALL).await, f.member(ALL).await];
    let task = f.new_device_scan(&[one, other], 1, AT_ONCE);
    let (root, order) = (task.id, order_of(&task).clone());
    let [first, second] = [one, other].map(|device| run_id(order.trigger.id, device));
    f.store.agentless_task_add(task.clone()).await.expect("writes");
    f.store.agentless_task_cancel(task.targets[0].id, at(2)).await.expect("writes");
    let forget = async |runs: &[RunId]| {
        f.store.agentless_snapshots_forget(runs.to_vec(), at(3)).await.expect("writes");
    };
    let device_task = async || f.store.task_get(order.task).await.expect("reads");
    forget(&[first, second]).await;
    assert_eq!(f.snapshot(one, first).await, None);
    assert_eq!(f.snapshot_state(other, second).await, Some(SnapshotState::Wanted), "somebody wants it");
    assert!(device_task().await.is_some());

    assert!(f.store.agentless_task_delete(root).await.expect("writes"));
    assert_eq!(f.snapshot_state(other, second).await, Some(SnapshotState::Unwanted));
    assert!(!f.kept(other, second, 5).await);
    assert_eq!(f.unneeded(3).await, [second]);
    forget(&[second]).await;
    assert_eq!((f.snapshot(other, second).await, device_task().await), (None, None));
    forget(&[second]).await;
    assert_eq!(f.runs_at(other, 4).await, []);
}
