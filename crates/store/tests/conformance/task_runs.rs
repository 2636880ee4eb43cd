use guardhouse_model::{DeviceId, RunId, device_runs::DEVICE_DELETED, groups::ALL, tasks::RunStatus};
use guardhouse_store::{Claim, Run, RunEnd, RunPosition, RunReport, Targets, Trigger, Work};

use crate::support::{Fixture, at};

fn over(device: DeviceId, epoch: u64) -> Claim {
    Claim { device, epoch }
}

async fn runs(f: &Fixture, task: guardhouse_model::TaskId) -> Vec<Run> {
    f.store.task_runs_list(task, None, false, None, 1_000).await.expect("reads").expect("was known")
}

fn end(run: RunId, device: DeviceId, status: RunStatus) -> RunReport {
    RunReport::Ended(RunEnd { run, device, status, end_time: at(500_000), result: Some(vec![4]), code: None })
}

fn started(run: RunId, device: DeviceId) -> RunReport {
    RunReport::Started { run, device, time: at(7) }
}

pub async fn each_trigger_runs_once_per_device(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[ALL]).await;
    let first = f.claim(device).await;
    assert_eq!(first.len(), 1, "listed twice, run once");
    assert_eq!((first[0].action.as_slice(), first[0].withdrawn), (b"action".as_slice(), false));
    assert_eq!(f.claim(device).await, first, "the same again until it is over");

    f.report(end(first[0].id, device, RunStatus::Finished)).await;
    assert_eq!(f.claim(device).await, []);
    f.store.task_set_triggers(task, vec![f.trigger()], at(1)).await.expect("writes");
    let second = f.claim(device).await;
    assert_eq!(second.len(), 1, "a new trigger is a new run");
    assert_ne!(second[0].id, first[0].id);
}

pub async fn group_targets_are_live_and_reach_subgroups(f: &Fixture) {
    let upper = f.group(ALL).await;
    let lower = f.group(upper).await;
    let (inside, outside) = (f.member(lower).await, f.member(ALL).await);
    f.task(&[], &[upper]).await;
    assert_eq!(f.claim(inside).await.len(), 1);
    assert_eq!(f.claim(outside).await, []);

    f.store.device_move(outside, upper, at(0)).await.expect("writes");
    assert_eq!(f.claim(outside).await.len(), 1, "who joins gets the tasks of the group");
    let late = f.member(lower).await;
    f.store.device_move(late, ALL, at(0)).await.expect("writes");
    assert_eq!(f.claim(late).await, [], "who leaves before the hand-out does not");
}

pub async fn expired_triggers_start_nothing(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let expired = Trigger { expire_time: at(-1), ..f.trigger() };
    f.store.task_set_triggers(task, vec![expired], at(1)).await.expect("writes");
    assert_eq!(f.claim(device).await, []);
    assert_eq!(runs(f, task).await, []);
}

pub async fn the_first_end_counts(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    assert!(f.report(started(run, device)).await);
    assert_eq!(runs(f, task).await[0].status, RunStatus::Running);
    assert!(f.report(end(run, device, RunStatus::Finished)).await);
    let kept = runs(f, task).await;
    assert_eq!((kept[0].status, kept[0].end_time), (RunStatus::Finished, Some(at(500_000))));

    assert!(f.report(end(run, device, RunStatus::Failed)).await);
    assert!(f.report(started(run, device)).await);
    assert_eq!(runs(f, task).await, kept, "a repetition changes nothing");
}

pub async fn runs_that_left_the_targets_are_withdrawn(f: &Fixture) {
    let group = f.group(ALL).await;
    let (a, b) = (f.member(group).await, f.member(ALL).await);
    let task = f.task(&[a, b], &[]).await;
    let (run_a, run_b) = (f.claim(a).await[0].id, f.claim(b).await[0].id);

    let only_group = Targets { devices: vec![], groups: vec![group] };
    f.store.task_set_targets(task, only_group, at(1)).await.expect("writes");
    assert!(!f.claim(a).await[0].withdrawn, "a is still a target, through its group");
    assert!(f.claim(b).await[0].withdrawn);
    let listed: Vec<_> = runs(f, task).await.iter().map(|run| run.id).collect();
    assert_eq!(listed, [run_a], "a withdrawn run is lost at once");

    f.store.task_run_withdrawn(run_b, over(b, 0)).await.expect("writes");
    assert_eq!(f.claim(b).await, []);
    f.store
        .task_set_targets(task, Targets { devices: vec![b], groups: vec![group] }, at(2))
        .await
        .expect("writes");
    let again = f.claim(b).await;
    assert_eq!((again[0].id, again[0].withdrawn), (run_b, false), "wanted again, it is the same run");

    f.store.task_run_withdrawn(run_a, over(a, 0)).await.expect("works");
    assert_eq!(f.claim(a).await.len(), 1, "only what was withdrawn can be forgotten");
}

pub async fn runs_of_replaced_triggers_are_withdrawn_unless_they_began(f: &Fixture) {
    let (a, b) = (f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[a, b], &[]).await;
    let (begun, waiting) = (f.claim(a).await[0].id, f.claim(b).await[0].id);
    f.report(started(begun, a)).await;
    f.store.task_set_triggers(task, vec![f.trigger()], at(1)).await.expect("writes");
    let open = f.claim(a).await;
    let of = |id| open.iter().find(|run| run.id == id).expect("is open");
    assert!(open.len() == 2 && !of(begun).withdrawn, "what began goes on, beside the new run");
    let open = f.claim(b).await;
    let (old, new): (Vec<_>, Vec<_>) = open.iter().partition(|run| run.id == waiting);
    assert!(old[0].withdrawn && !new[0].withdrawn, "{open:?}");
}

pub async fn a_withdrawal_counts_only_over_the_latest_connection(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    for _ in 0..2 {
        f.store.device_connected(device, String::new(), at(1)).await.expect("writes");
    }
    f.store.task_delete(task, at(1)).await.expect("writes");
    let open = async || f.work(device).await;
    f.store.task_run_withdrawn(run, over(device, 1)).await.expect("works");
    assert!(matches!(open().await, Work::Runs(runs) if runs.len() == 1 && runs[0].withdrawn));
    f.store.task_run_withdrawn(run, over(device, 2)).await.expect("writes");
    assert_eq!(open().await, Work::Runs(Vec::new()));
}

pub async fn withdrawn_runs_that_had_begun_stay(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    f.store.task_delete(task, at(1)).await.expect("writes");
    assert_eq!(runs(f, task).await, []);

    f.report(started(run, device)).await;
    f.store.task_run_withdrawn(run, over(device, 0)).await.expect("works");
    assert_eq!(runs(f, task).await[0].status, RunStatus::Running, "it had begun after all");
}

pub async fn devices_speak_only_for_their_own_runs(f: &Fixture) {
    let (device, other) = (f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    assert!(!f.report(started(run, other)).await);
    assert!(!f.report(end(run, other, RunStatus::Failed)).await);
    assert_eq!(runs(f, task).await[0].status, RunStatus::Queued);
}

pub async fn lists_are_newest_first_and_can_show_only_the_last(f: &Fixture) {
    let (a, b) = (f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[a, b], &[]).await;
    let a_first = f.claim(a).await[0].id;
    let b_first = f.claim(b).await[0].id;
    f.report(started(b_first, b)).await;
    f.report(end(a_first, a, RunStatus::Finished)).await;
    f.store.task_set_triggers(task, vec![f.trigger()], at(1)).await.expect("writes");
    let a_second = f.claim(a).await[0].id;

    let list = async |device, only_last, after: Option<&Run>, limit| {
        let after = after.map(|run| RunPosition { start_time: run.start_time, id: run.id });
        let runs = f.store.task_runs_list(task, device, only_last, after, limit).await.expect("reads");
        runs.expect("was known")
    };
    let ids = |runs: &[Run]| runs.iter().map(|run| run.id).collect::<Vec<_>>();
    let first = list(None, false, None, 2).await;
    assert_eq!(ids(&first), [a_second, b_first]);
    assert_eq!(ids(&list(None, false, first.last(), 2).await), [a_first]);
    assert_eq!(ids(&list(Some(a), false, None, 9).await), [a_second, a_first]);
    assert_eq!(ids(&list(None, true, None, 9).await), [a_second, b_first]);
    assert_eq!(ids(&list(Some(b), true, None, 9).await), [b_first]);
}

pub async fn many_runs_are_handed_out_in_portions(f: &Fixture) {
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[]).await;
    let triggers: Vec<_> = (0..450).map(|_| f.trigger()).collect();
    f.store.task_set_triggers(task, triggers, at(1)).await.expect("writes");
    let mut counts = Vec::new();
    for _ in 0..4 {
        counts.push(f.claim(device).await.len());
    }
    assert_eq!(counts, [200, 400, 450, 450]);
}

pub async fn open_runs_end_with_their_device(f: &Fixture) {
    let group = f.group(ALL).await;
    let (device, other) = (f.member(group).await, f.member(ALL).await);
    let done = f.task(&[device], &[]).await;
    let finished = f.claim(device).await[0].id;
    f.report(end(finished, device, RunStatus::Finished)).await;
    let withdrawn = f.task(&[device], &[]).await;
    f.claim(device).await;
    f.store
        .task_set_targets(withdrawn, Targets { devices: vec![other], groups: vec![] }, at(1))
        .await
        .expect("writes");
    let task = f.task(&[device, other], &[]).await;
    f.claim(device).await;
    let run = runs(f, task).await[0].id;
    f.report(started(run, device)).await;
    f.claim(other).await;

    f.store.group_delete(group, at(400_000)).await.expect("writes").expect("is there");
    let kept = runs(f, task).await;
    let of = |device| kept.iter().find(|run| run.device == device).expect("has a run");
    let closure = of(device).closure.as_ref().expect("the server ended it");
    assert_eq!((of(device).status, of(device).end_time), (RunStatus::Failed, Some(at(400_000))));
    assert_eq!(closure.code, DEVICE_DELETED);
    assert_eq!((of(other).status, &of(other).closure), (RunStatus::Queued, &None), "another device");
    assert_eq!(runs(f, done).await[0].status, RunStatus::Finished, "it was over");
    assert!(runs(f, withdrawn).await.iter().all(|run| run.device == other), "nobody wanted it any more");

    assert!(f.report(end(run, device, RunStatus::Finished)).await);
    assert_eq!(runs(f, task).await, kept, "what it says later does not count");
}

pub async fn unknown_devices_are_not_managed(f: &Fixture) {
    assert_eq!(f.work(DeviceId(f.id())).await, Work::NotManaged);
}

pub async fn a_superseded_connection_gets_nothing(f: &Fixture) {
    let device = f.member(ALL).await;
    let connect = async || {
        let epoch = f.store.device_connected(device, String::new(), at(0)).await.expect("writes");
        epoch.expect("is managed")
    };
    let (old, new) = (connect().await, connect().await);
    f.task(&[device], &[]).await;
    let work =
        async |epoch| f.store.task_runs_claim(vec![Claim { device, epoch }], at(1)).await.expect("works");
    assert_eq!(work(old).await, [Work::Superseded]);
    assert!(matches!(&work(new).await[..], [Work::Runs(runs)] if runs.len() == 1));
    assert_eq!(work(old).await, [Work::Superseded], "nor does it hear of what is open");
}

pub async fn batches_answer_each_claim_in_its_place(f: &Fixture) {
    let (busy, idle) = (f.member(ALL).await, f.member(ALL).await);
    let unknown = DeviceId(f.id());
    f.store.device_connected(idle, String::new(), at(0)).await.expect("writes");
    f.task(&[busy], &[]).await;
    let claim = |device, epoch| Claim { device, epoch };
    let claims = vec![claim(idle, 1), claim(unknown, 1), claim(busy, 0), claim(idle, 0)];
    let work = f.store.task_runs_claim(claims, at(1)).await.expect("works");
    assert_eq!(work.len(), 4);
    assert_eq!((&work[0], &work[1], &work[3]), (&Work::Runs(vec![]), &Work::NotManaged, &Work::Superseded));
    assert!(matches!(&work[2], Work::Runs(runs) if runs.len() == 1), "{:?}", work[2]);
    let twice = f.store.task_runs_claim(vec![claim(busy, 0), claim(busy, 0)], at(1)).await.expect("works");
    assert_eq!(twice, [work[2].clone(), work[2].clone()], "asked twice, answered twice");
    assert_eq!(f.store.task_runs_claim(vec![], at(1)).await.expect("works"), []);
}

pub async fn batches_of_reports_are_kept_in_their_order(f: &Fixture) {
    let (a, b, c) = (f.member(ALL).await, f.member(ALL).await, f.member(ALL).await);
    let task = f.task(&[a, b, c], &[]).await;
    let mut open = Vec::new();
    for device in [a, b, c] {
        open.push(f.claim(device).await[0].id);
    }
    let reports = vec![
        end(open[1], b, RunStatus::Failed),
        started(open[0], a),
        started(open[1], b),
        end(open[1], b, RunStatus::Finished),
        // Neither is b's.
        started(open[2], b),
        end(open[0], b, RunStatus::Finished),
        started(RunId(f.id()), a),
        end(open[0], a, RunStatus::Finished),
    ];
    let known = f.store.task_runs_report(reports).await.expect("writes");
    assert_eq!(known, [true, true, true, true, false, false, false, true]);
    let mut kept: Vec<_> = runs(f, task).await.iter().map(|run| (run.device, run.status)).collect();
    kept.sort_by_key(|(device, _)| *device);
    assert_eq!(kept, [(a, RunStatus::Finished), (b, RunStatus::Failed), (c, RunStatus::Queued)]);
    assert_eq!(f.store.task_runs_report(vec![]).await.expect("works"), [] as [bool; 0]);
}

pub async fn a_run_that_has_not_begun_can_be_suppressed(f: &Fixture) {
    let device = f.member(ALL).await;
    f.task(&[device], &[]).await;
    f.task(&[device], &[]).await;
    let runs = f.claim(device).await;
    let end = |run| RunEnd {
        run,
        device,
        status: RunStatus::Suppressed,
        end_time: at(9),
        result: Some(vec![7]),
        code: None,
    };
    f.report(RunReport::Started { run: runs[0].id, device, time: at(3) }).await;
    assert!(!f.store.task_run_suppress(end(runs[0].id)).await.expect("writes"), "it has begun");
    assert!(f.store.task_run_suppress(end(runs[1].id)).await.expect("writes"));
    assert!(!f.store.task_run_suppress(end(runs[1].id)).await.expect("writes"), "it is over");
    let open: Vec<_> = f.claim(device).await.into_iter().map(|run| run.id).collect();
    assert_eq!(open, [runs[0].id]);
}
