use std::collections::BTreeSet;

use guardhouse_model::{DeviceId, RunId, TaskId, device_runs::DeviceRunState, groups::ALL, tasks::RunStatus};
use guardhouse_store::{Claim, Device, Overdue, RunEnd, RunProgress, RunReport, Targets, Work};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

pub async fn double_claims_hand_out_one_run_per_trigger(a: &Arena) {
    for _ in 0..ROUNDS / 2 {
        let mut devices = Vec::new();
        for _ in 0..4 {
            devices.push(a.member(ALL).await);
        }
        let task = a.task(&devices, &[]).await;
        let triggers = (0..3).map(|_| a.trigger()).collect();
        a.store.task_set_triggers(task, triggers, at(1)).await.expect("writes");
        let work = at_once((0..8).map(|n| {
            let (store, mut devices) = (a.replica(n), devices.clone());
            devices.rotate_left(n % 4);
            let claims = devices.into_iter().map(|device| Claim { device, epoch: 0 }).collect();
            async move { store.task_runs_claim(claims, at(2)).await.expect("writes") }
        }));
        let mut told = BTreeSet::new();
        for work in work.await.into_iter().flatten() {
            let Work::Runs(runs) = work else { panic!("{work:?}") };
            assert_eq!(runs.len(), 3);
            told.extend(runs.into_iter().map(|run| run.id));
        }
        let runs = a.store.task_runs_list(task, None, false, None, 1_000).await.expect("reads");
        let kept: BTreeSet<_> = runs.expect("is known").into_iter().map(|run| run.id).collect();
        assert_eq!((kept.len(), &told), (12, &kept), "three triggers on four devices");
    }
}

/// Runs of one task on many devices.
async fn many_runs(a: &Arena) -> (TaskId, Vec<(RunId, DeviceId)>) {
    let group = a.group(ALL).await;
    // Enough to take a moment.
    let devices: Vec<_> = (0..150).map(|_| Device { group, ..a.device("busy") }).collect();
    let claims: Vec<_> = devices.iter().map(|device| Claim { device: device.id, epoch: 0 }).collect();
    a.store.devices_import(group, devices).await.expect("writes").expect("is there");
    let task = a.task(&[], &[group]).await;
    let work = a.store.task_runs_claim(claims.clone(), at(1)).await.expect("writes");
    let runs = std::iter::zip(claims, work).map(|(claim, work)| match work {
        Work::Runs(runs) => (runs[0].id, claim.device),
        other => panic!("{other:?}"),
    });
    (task, runs.collect())
}

/// Batch `number` of reports about all the runs, in an order of its own.
fn reports(runs: &[(RunId, DeviceId)], number: usize) -> Vec<RunReport> {
    let mut runs = runs.to_vec();
    runs.rotate_left(25 * number);
    if number.is_multiple_of(2) {
        runs.reverse();
    }
    let status = RunStatus::Finished;
    let ended = |(run, device)| {
        RunReport::Ended(RunEnd { run, device, status, end_time: at(9), result: None, code: None })
    };
    let started = |(run, device)| RunReport::Started { run, device, time: at(7) };
    runs.into_iter().map(|run| if number < 2 { started(run) } else { ended(run) }).collect()
}

pub async fn batches_in_opposite_orders_do_not_wait_for_each_other(a: &Arena) {
    for _ in 0..ROUNDS / 2 {
        let (task, runs) = many_runs(a).await;
        let known = at_once((0..6).map(|n| {
            let (store, reports) = (a.replica(n), reports(&runs, n));
            async move { store.task_runs_report(reports).await.expect("writes") }
        }));
        assert!(known.await.into_iter().flatten().all(|known| known));
        let kept = a.store.task_runs_list(task, None, false, None, 1_000).await.expect("reads");
        let kept = kept.expect("is known");
        assert_eq!(kept.len(), runs.len());
        assert!(kept.iter().all(|run| run.status == RunStatus::Finished), "{kept:?}");
    }
}

pub async fn nothing_is_handed_out_behind_a_cancellation(a: &Arena) {
    for round in 0..ROUNDS {
        let group = a.group(ALL).await;
        let devices: Vec<_> = (0..40).map(|_| Device { group, ..a.device("busy") }).collect();
        let ids: Vec<DeviceId> = devices.iter().map(|device| device.id).collect();
        a.store.devices_import(group, devices).await.expect("writes").expect("is there");
        let task = a.task(&[], &[group]).await;
        let claims: Vec<_> = ids.iter().map(|&device| Claim { device, epoch: 0 }).collect();
        let only = (round % 2 == 0).then(|| ids.iter().rev().copied().collect());
        let (claiming, cancelling) = (a.replica(round), a.replica(round + 1));
        let (claimed, cancelled) = tokio::join!(
            claiming.task_runs_claim(claims.clone(), at(1)),
            cancelling.task_runs_cancel(task, only, at(1)),
        );
        claimed.expect("writes");
        cancelled.expect("writes").expect("is known");
        // Whoever was first: what was handed out is cancelled, and nothing is handed out any more.
        let work = a.store.task_runs_claim(claims, at(2)).await.expect("works");
        let is_stopped =
            |work: &Work| matches!(work, Work::Runs(runs) if runs.iter().all(|run| run.cancelled));
        assert!(work.iter().all(is_stopped), "{work:?}");
        let page = a.store.device_runs_list(task, vec![], None, 100, at(2)).await.expect("reads");
        for row in page.expect("is known").rows {
            let state = row.state().expect("has a state");
            assert!(matches!(state, DeviceRunState::Delivered | DeviceRunState::Cancelled), "{row:?}");
        }
    }
}

pub async fn ends_that_are_supposed_give_way_whoever_comes_first(a: &Arena) {
    let lease = a.lease().await;
    let overdue = Overdue { expired_before: at(2_000_000), silent_since: at(2_000_000), now: at(8) };
    for round in 0..ROUNDS / 2 {
        let (task, runs) = many_runs(a).await;
        let progress = runs.iter().rev().map(|&(run, device)| RunProgress {
            run,
            device,
            time: at(3),
            progress: vec![1],
        });
        let progress: Vec<_> = progress.collect();
        let (starting, ending, supposing, saying) =
            (a.replica(round), a.replica(round + 1), a.replica(round), a.replica(round + 1));
        let outcomes = tokio::join!(
            starting.task_runs_report(reports(&runs, 1)),
            ending.task_runs_report(reports(&runs, 2)),
            supposing.task_runs_time_out(lease, overdue, 1_000),
            saying.task_runs_progress(progress),
        );
        outcomes.0.expect("writes");
        outcomes.1.expect("writes");
        outcomes.2.expect("writes");
        outcomes.3.expect("writes");
        let page = a.store.device_runs_list(task, vec![], None, 1_000, at(9)).await.expect("reads");
        for row in page.expect("is known").rows {
            let last = row.last.expect("has a run");
            let kept = (last.run.status, last.supposed, last.code, last.progress);
            assert_eq!(kept, (RunStatus::Finished, false, None, None));
        }
    }
}

pub async fn reports_beside_a_withdrawal_do_not_wait_for_each_other(a: &Arena) {
    let lease = a.lease().await;
    for round in 0..ROUNDS / 2 {
        let (task, runs) = many_runs(a).await;
        let (starting, ending, withdrawing, expiring) =
            (a.replica(0), a.replica(1), a.replica(0), a.replica(1));
        let gone = async {
            if round % 2 == 0 {
                withdrawing.task_delete(task, at(2)).await.map(drop)
            } else {
                let targets = Targets { devices: vec![], groups: vec![] };
                withdrawing.task_set_targets(task, targets, at(2)).await.map(drop)
            }
        };
        let outcomes = tokio::join!(
            starting.task_runs_report(reports(&runs, 0)),
            ending.task_runs_report(reports(&runs, 3)),
            gone,
            expiring.task_runs_expire(lease, at(2_000_000), None, 1_000),
        );
        outcomes.0.expect("writes");
        outcomes.1.expect("writes");
        outcomes.2.expect("writes");
        outcomes.3.expect("writes");
    }
}
