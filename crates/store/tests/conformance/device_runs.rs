use std::collections::BTreeMap;

use guardhouse_model::{
    DeviceId, RunId, TaskId, Timestamp,
    device_runs::{CANCELLED, DELIVERY_TIMED_OUT, DeviceRunState as State, EXECUTION_TIMED_OUT, Missed},
    groups::ALL,
    tasks::RunStatus,
};
use guardhouse_store::{
    Cancelled, DeviceRun, Overdue, RunEnd, RunProgress, RunReport, StoreError, Targets, Trigger,
};

use crate::support::{Fixture, at};

/// The triggers of the fixtures expire at second 1,000,000.
const EXPIRED: i64 = 1_000_001;

/// All rows of a task, page by page; counting has to come to the same.
async fn rows(f: &Fixture, task: TaskId, now: Timestamp) -> Vec<DeviceRun> {
    let (mut rows, mut after): (Vec<DeviceRun>, _) = (Vec::new(), None);
    loop {
        let page = f.store.device_runs_list(task, vec![], after, 2, now).await.expect("reads");
        let page = page.expect("was known");
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for state in State::ALL {
        let only = f.store.device_runs_list(task, vec![state], None, 100, now).await.expect("reads");
        let expected: Vec<_> = rows.iter().filter(|row| row.state() == Some(state)).cloned().collect();
        assert_eq!(only.expect("was known").rows, expected, "{state:?}");
    }
    let mut counts: BTreeMap<State, u64> = BTreeMap::new();
    for row in &rows {
        *counts.entry(row.state().expect("every row has a state")).or_default() += 1;
    }
    assert_eq!(f.store.device_runs_count(task, now).await.expect("reads"), Some(counts));
    rows
}

async fn states(f: &Fixture, task: TaskId, now: Timestamp) -> Vec<(DeviceId, State)> {
    let rows = rows(f, task, now).await;
    rows.iter().map(|row| (row.device, row.state().expect("every row has a state"))).collect()
}

async fn state(f: &Fixture, task: TaskId, now: Timestamp) -> State {
    let [(_, state)] = <[_; 1]>::try_from(states(f, task, now).await).expect("one device");
    state
}

async fn start(f: &Fixture, run: RunId, device: DeviceId, second: i64) {
    assert!(f.report(RunReport::Started { run, device, time: at(second) }).await);
}

async fn end(f: &Fixture, run: RunId, device: DeviceId, status: RunStatus, code: &str) {
    let code = Some(code.to_owned()).filter(|code| !code.is_empty());
    let end = RunEnd { run, device, status, end_time: at(20), result: Some(vec![4]), code };
    assert!(f.report(RunReport::Ended(end)).await);
}

async fn time_out(f: &Fixture, expired: i64, silent: i64) -> usize {
    let overdue = Overdue { expired_before: at(expired), silent_since: at(silent), now: at(EXPIRED + 100) };
    f.store.task_runs_time_out(f.lease().await, overdue, 10).await.expect("works")
}

pub async fn every_target_has_a_row_and_silent_ones_wait(f: &Fixture) {
    let (upper, dynamic_base) = (f.group(ALL).await, f.group(ALL).await);
    let lower = f.group(upper).await;
    let rule = guardhouse_model::dynamic_groups::Rule::All(vec![]);
    let dynamic = f.dynamic_group(dynamic_base, rule).await;
    let direct = f.member(ALL).await;
    let (above, below, picked) = (f.member(upper).await, f.member(lower).await, f.member(dynamic_base).await);
    f.member(ALL).await;
    // One of them is a target twice.
    let task = f.task(&[direct, below], &[upper, dynamic]).await;
    f.claim(above).await;
    let found = states(f, task, at(5)).await;
    let waiting = [direct, below, picked].map(|device| (device, State::Waiting));
    let mut expected = [&waiting[..], &[(above, State::Delivered)]].concat();
    expected.sort();
    assert_eq!(found, expected);
    let rows = rows(f, task, at(5)).await;
    let silent = rows.iter().find(|row| row.device == direct).expect("has a row");
    assert_eq!((silent.attempts, silent.is_target, silent.last.as_ref()), (0, true, None));
    assert!(matches!(silent.missed, Some((Missed::Due, trigger)) if trigger.expire_time == at(1_000_000)));
    assert_eq!(silent.contact.as_ref().map(|contact| contact.display_name.as_str()), Some("member"));
}

pub async fn devices_that_are_no_longer_targets_keep_their_row(f: &Fixture) {
    let group = f.group(ALL).await;
    let (gone, left, stays) = (f.member(group).await, f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[gone, left, stays], &[]).await;
    for device in [gone, left, stays] {
        let run = f.claim(device).await[0].id;
        end(f, run, device, RunStatus::Finished, "").await;
    }
    f.store.group_delete(group, at(9)).await.expect("writes");
    let only = Targets { devices: vec![stays], groups: vec![] };
    f.store.task_set_targets(task, only, at(1)).await.expect("writes");
    let rows = rows(f, task, at(30)).await;
    let seen: Vec<_> =
        rows.iter().map(|row| (row.device, row.is_target, row.contact.is_some(), row.state())).collect();
    let finished = Some(State::Finished);
    assert_eq!(
        seen,
        [(gone, false, false, finished), (left, false, true, finished), (stays, true, true, finished)]
    );
}

pub async fn the_newest_run_is_shown_and_all_are_counted(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let first = f.claim(device).await[0].id;
    end(f, first, device, RunStatus::Failed, "EXIT_CODE").await;
    assert_eq!(state(f, task, at(5)).await, State::Failed);
    f.store.task_set_triggers(task, vec![f.trigger()], at(1)).await.expect("writes");
    assert_eq!(state(f, task, at(5)).await, State::Waiting, "it is to be done again");
    let second = f.claim(device).await[0].id;
    start(f, second, device, 6).await;
    let rows = rows(f, task, at(5)).await;
    let last = rows[0].last.as_ref().expect("has a run");
    assert_eq!((rows[0].attempts, last.run.id, last.begin_time), (2, second, Some(at(6))));
    assert_eq!(rows[0].state(), Some(State::Running));
    end(f, second, device, RunStatus::Finished, "").await;
    let rows = self::rows(f, task, at(EXPIRED)).await;
    assert_eq!(rows[0].state(), Some(State::Finished), "its trigger is over, but led to a run");
    assert_eq!(rows[0].last.as_ref().and_then(|last| last.run.result.clone()), Some(vec![4]));
}

pub async fn a_trigger_that_expires_unheard_is_a_delivery_that_timed_out(f: &Fixture) {
    let (silent, busy) = (f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[silent, busy], &[]).await;
    let run = f.claim(busy).await[0].id;
    start(f, run, busy, 6).await;
    assert_eq!(states(f, task, at(1_000_000)).await, [(silent, State::Waiting), (busy, State::Running)]);
    let later = states(f, task, at(EXPIRED)).await;
    assert_eq!(later, [(silent, State::DeliveryTimedOut), (busy, State::Running)], "nobody delays another");
    assert_eq!(f.claim(silent).await.len(), 1, "the clock of the fixture is earlier");
}

pub async fn a_device_that_joins_a_group_gets_a_row(f: &Fixture) {
    let group = f.group(ALL).await;
    let task = f.task(&[], &[group]).await;
    assert_eq!(rows(f, task, at(1)).await, []);
    let device = f.member(ALL).await;
    f.store.device_move(device, group, at(1)).await.expect("writes");
    assert_eq!(state(f, task, at(1)).await, State::Waiting);
    f.store.device_move(device, ALL, at(1)).await.expect("writes");
    assert_eq!(rows(f, task, at(1)).await, [], "it left before the hand-out");
}

pub async fn what_was_handed_out_stays_with_a_device_that_leaves(f: &Fixture) {
    let group = f.group(ALL).await;
    let device = f.member(group).await;
    let task = f.task(&[], &[group]).await;
    let run = f.claim(device).await[0].id;
    f.store.device_move(device, ALL, at(1)).await.expect("writes");
    let open = f.claim(device).await;
    assert!(open.len() == 1 && open[0].id == run && !open[0].withdrawn);
    let rows = rows(f, task, at(1)).await;
    assert_eq!((rows[0].is_target, rows[0].state()), (false, Some(State::Delivered)));
}

pub async fn what_a_task_cancels_is_not_handed_out(f: &Fixture) {
    let (silent, queued, begun, done) =
        (f.member(ALL).await, f.member(ALL).await, f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[silent, queued, begun, done], &[]).await;
    let mut open = Vec::new();
    for device in [queued, begun, done] {
        open.push(f.claim(device).await[0].id);
    }
    start(f, open[1], begun, 6).await;
    end(f, open[2], done, RunStatus::Finished, "").await;
    let now = f.environment.now();
    let cancelled = f.store.task_runs_cancel(task, None, now).await.expect("writes");
    assert_eq!(cancelled, Some(Cancelled { asked: vec![queued, begun], open_runs: 2 }));
    assert_eq!(f.claim(silent).await, []);
    assert!(f.claim(begun).await[0].cancelled && f.claim(queued).await[0].cancelled);
    assert_eq!(
        states(f, task, now).await,
        [
            (silent, State::Cancelled),
            (queued, State::Delivered),
            (begun, State::Running),
            (done, State::Finished),
        ]
    );
    end(f, open[0], queued, RunStatus::Failed, CANCELLED).await;
    end(f, open[1], begun, RunStatus::Finished, "").await;
    let rows = rows(f, task, now).await;
    assert_eq!(rows[1].state(), Some(State::Cancelled));
    assert_eq!(rows[2].state(), Some(State::Finished), "it was faster");
    let cancel_times: Vec<_> =
        rows.iter().map(|row| row.last.as_ref().and_then(|last| last.cancel_time)).collect();
    assert_eq!(cancel_times, [None, Some(now), Some(now), None]);
    assert_eq!(f.store.task_get(task).await.expect("reads").map(|task| task.version), Some(2));

    let again = f.store.task_runs_cancel(task, None, f.environment.now()).await.expect("writes");
    assert_eq!(again, Some(Cancelled { asked: vec![], open_runs: 0 }));
    assert_eq!(f.store.task_get(task).await.expect("reads").map(|task| task.version), Some(2));
}

pub async fn cancelling_on_some_devices_leaves_the_others(f: &Fixture) {
    let group = f.group(ALL).await;
    let (silent, queued, other, stranger) =
        (f.member(group).await, f.member(group).await, f.member(group).await, f.member(ALL).await);
    let task = f.task(&[], &[group]).await;
    f.claim(queued).await;
    let only = vec![silent, queued, stranger, DeviceId(f.id())];
    let cancelled = f.store.task_runs_cancel(task, Some(only), at(10_000)).await.expect("writes");
    assert_eq!(cancelled, Some(Cancelled { asked: vec![queued], open_runs: 1 }));
    assert_eq!(f.claim(silent).await, []);
    assert!(f.claim(queued).await[0].cancelled);
    assert!(!f.claim(other).await[0].cancelled);
    let found = states(f, task, at(10_000)).await;
    assert_eq!(found, [(silent, State::Cancelled), (queued, State::Delivered), (other, State::Delivered)]);

    f.store.task_set_triggers(task, vec![f.trigger()], at(1)).await.expect("writes");
    assert_eq!(f.claim(silent).await.len(), 1, "the next trigger is another matter");
}

pub async fn runs_of_a_deleted_task_can_be_cancelled(f: &Fixture) {
    let (begun, silent) = (f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[begun, silent], &[]).await;
    let run = f.claim(begun).await[0].id;
    start(f, run, begun, 6).await;
    f.store.task_delete(task, at(9)).await.expect("writes");
    assert_eq!(states(f, task, at(9)).await, [(begun, State::Running)], "what began goes on");
    let only = Some(vec![begun, silent]);
    let cancelled = f.store.task_runs_cancel(task, only, at(10)).await.expect("writes");
    assert_eq!(cancelled, Some(Cancelled { asked: vec![begun], open_runs: 1 }));
    assert!(f.claim(begun).await[0].cancelled);
}

pub async fn silence_ends_runs_until_the_device_knows_better(f: &Fixture) {
    let (queued, begun, fresh) = (f.member(ALL).await, f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[queued, begun, fresh], &[]).await;
    let mut open = Vec::new();
    for device in [queued, begun, fresh] {
        open.push(f.claim(device).await[0].id);
    }
    start(f, open[1], begun, 100).await;
    start(f, open[2], fresh, 200).await;
    assert_eq!(time_out(f, 1_000_000, 100).await, 0, "at the moment itself it is not too late");
    assert_eq!(time_out(f, EXPIRED, 101).await, 2);
    let rows = rows(f, task, at(EXPIRED)).await;
    let seen: Vec<_> = rows.iter().map(|row| row.last.as_ref().expect("has a run")).collect();
    let code = |place: usize| seen[place].code.as_deref();
    assert_eq!((code(0), code(1), code(2)), (Some(DELIVERY_TIMED_OUT), Some(EXECUTION_TIMED_OUT), None));
    assert_eq!(
        seen.iter().map(|last| (last.run.status, last.supposed)).collect::<Vec<_>>(),
        [(RunStatus::Failed, true), (RunStatus::Failed, true), (RunStatus::Running, false)]
    );
    assert_eq!(seen[0].run.end_time, Some(at(EXPIRED + 100)));
    assert_eq!(f.claim(queued).await, [], "it is not handed out again");

    start(f, open[0], queued, 300).await;
    assert_eq!(states(f, task, at(EXPIRED)).await[0].1, State::DeliveryTimedOut, "over until its end");
    end(f, open[0], queued, RunStatus::Finished, "").await;
    end(f, open[1], begun, RunStatus::Failed, "EXIT_CODE").await;
    let after = states(f, task, at(EXPIRED)).await;
    assert_eq!(after, [(queued, State::Finished), (begun, State::Failed), (fresh, State::Running)]);
    end(f, open[0], queued, RunStatus::Failed, "").await;
    let kept = self::rows(f, task, at(EXPIRED)).await.remove(0).last.expect("has a run");
    assert_eq!((kept.run.status, kept.supposed), (RunStatus::Finished, false), "what it said stays");
    assert_eq!((kept.run.closure, kept.run.result), (None, Some(vec![4])));
}

pub async fn a_cancelled_run_of_a_silent_device_ends_as_such(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    f.store.task_runs_cancel(task, None, at(10_000)).await.expect("writes");
    assert_eq!(time_out(f, EXPIRED, 0).await, 1);
    assert_eq!(state(f, task, at(EXPIRED)).await, State::Cancelled);
    end(f, run, device, RunStatus::Finished, "").await;
    assert_eq!(state(f, task, at(EXPIRED)).await, State::Finished, "it had been faster");
}

pub async fn time_outs_take_steps_and_need_the_lease(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let triggers: Vec<Trigger> = (0..5).map(|_| f.trigger()).collect();
    f.store.task_set_triggers(task, triggers, at(1)).await.expect("writes");
    f.claim(device).await;
    let lost = f.lease().await;
    f.store.lease_release("retention", uuid::Uuid::from_u128(1)).await.expect("writes");
    let holder = uuid::Uuid::from_u128(2);
    let lease =
        f.store.lease_take("retention", holder, at(1), at(9)).await.expect("writes").expect("is free");
    let overdue = Overdue { expired_before: at(EXPIRED), silent_since: at(0), now: at(EXPIRED) };
    let refused = f.store.task_runs_time_out(lost, overdue, 2).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost(_))), "{refused:?}");
    assert_eq!(f.claim(device).await.len(), 5);
    let mut steps = Vec::new();
    for _ in 0..4 {
        steps.push(f.store.task_runs_time_out(lease, overdue, 2).await.expect("works"));
    }
    assert_eq!(steps, [2, 2, 1, 0]);
}

pub async fn progress_is_kept_while_a_run_is_open(f: &Fixture) {
    let (device, other) = (f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    let say = async |device, second, byte| {
        let progress = RunProgress { run, device, time: at(second), progress: vec![byte] };
        f.store.task_runs_progress(vec![progress]).await.expect("writes");
    };
    let kept = async || rows(f, task, at(5)).await.remove(0).last.expect("has a run").progress;
    say(device, 5, 1).await;
    assert_eq!(kept().await, None, "it has not begun");
    start(f, run, device, 6).await;
    say(other, 7, 2).await;
    assert_eq!(kept().await, None, "of another device");
    let said = |byte| RunProgress { run, device, time: at(8), progress: vec![byte] };
    f.store.task_runs_progress(vec![said(3), said(4)]).await.expect("writes");
    assert_eq!(kept().await, Some(vec![4]));
    say(device, 500, 5).await;
    assert_eq!(time_out(f, 0, 500).await, 0, "progress is a sign of life");
    end(f, run, device, RunStatus::Finished, "").await;
    assert_eq!(kept().await, None);
    say(device, 9, 6).await;
    assert_eq!(kept().await, None, "nothing comes behind the end");
    f.store.task_runs_progress(vec![]).await.expect("works");
}

pub async fn one_run_can_be_read(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let first = f.claim(device).await[0].id;
    end(f, first, device, RunStatus::Failed, "EXIT_CODE").await;
    f.store.task_set_triggers(task, vec![f.trigger()], at(1)).await.expect("writes");
    let second = f.claim(device).await[0].id;
    for (run, attempt, expected) in [(first, 1, State::Failed), (second, 2, State::Delivered)] {
        let (of, row) = f.store.device_run_get(run).await.expect("reads").expect("is there");
        let last = row.last.as_ref().expect("has a run");
        assert_eq!((of, last.run.id, row.attempts, row.state()), (task, run, attempt, Some(expected)));
    }
}

pub async fn unknown_tasks_and_runs_are_none(f: &Fixture) {
    let task = TaskId(f.id());
    assert_eq!(f.store.device_runs_list(task, vec![], None, 10, at(0)).await.expect("reads"), None);
    assert_eq!(f.store.device_runs_count(task, at(0)).await.expect("reads"), None);
    assert_eq!(f.store.task_runs_cancel(task, None, at(0)).await.expect("works"), None);
    assert_eq!(f.store.device_run_get(RunId(f.id())).await.expect("reads"), None);
}
