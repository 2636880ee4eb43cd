use guardhouse_model::agentless::{ReportStatus, TaskStatus};
use guardhouse_store::{AgentlessTaskAdded, NewAgentlessTask, Retried, SubtaskOutcome, SubtaskProgress};
use uuid::Uuid;

use crate::{
    agentless_support::{failed, found},
    support::{Fixture, at},
};

pub async fn a_task_has_a_subtask_for_each_asset(f: &Fixture) {
    let task = f.scan(&["s-2", "s-1", "s-2"], 7).await;
    let root = f.root(task).await;
    assert_eq!(
        (root.name.as_str(), root.target_type, root.options.as_slice()),
        ("scan", 3, [1, 2].as_slice())
    );
    assert_eq!((root.status, root.start_time, root.end_time), (TaskStatus::Running, at(7), None));
    assert_eq!((root.tally.subtasks, root.tally.progress()), (2, 0), "named twice, scanned once");
    let subtasks = f.subtasks(task).await;
    let assets: Vec<_> = subtasks.iter().map(|subtask| subtask.instance_id.as_str()).collect();
    assert_eq!(assets, ["s-2", "s-1"], "in the order asked for");
    let first = &subtasks[0];
    assert_eq!((first.task, first.task_name.as_str(), first.status), (task, "scan", TaskStatus::Running));
    assert_eq!(
        (first.target_name.as_str(), first.size_bytes, first.start_time),
        ("s-2.qcow2", 1 << 30, at(7))
    );
    assert_eq!(f.store.agentless_subtask_get(first.id).await.expect("reads").as_ref(), Some(first));
    assert_eq!(f.store.agentless_task_get(first.id).await.expect("reads"), None, "that is no root");
    let empty = f.scan(&[], 8).await;
    assert_eq!((f.root(empty).await.status, f.root(empty).await.end_time), (TaskStatus::Done, Some(at(8))));
}

pub async fn the_same_token_of_an_account_is_the_same_task(f: &Fixture) {
    let token = |account: u128, token: &str, asset: &str| NewAgentlessTask {
        account: Some(Uuid::from_u128(account)),
        client_token: token.to_owned(),
        ..f.new_scan(&[asset], 0)
    };
    let add = async |task: NewAgentlessTask| f.store.agentless_task_add(task).await.expect("writes");
    let first = token(1, "a", "s-1");
    let id = first.id;
    assert_eq!(add(first).await, AgentlessTaskAdded::Added);
    assert_eq!(add(token(1, "a", "s-1")).await, AgentlessTaskAdded::Repeated(id));
    assert_eq!(add(token(1, "a", "s-9")).await, AgentlessTaskAdded::Repeated(id), "whatever it names");
    for (task, what) in [
        (token(1, "b", "s-2"), "another token"),
        (token(2, "a", "s-3"), "another account"),
        (token(1, "", "s-4"), "no token"),
        (token(1, "", "s-5"), "no token again"),
    ] {
        assert_eq!(add(task).await, AgentlessTaskAdded::Added, "{what}");
    }
}

pub async fn busy_assets_are_refused_as_a_whole(f: &Fixture) {
    f.scan(&["s-1", "s-2"], 0).await;
    let add = async |assets: &[&str]| {
        let task = f.new_scan(assets, 1);
        let id = task.id;
        let added = f.store.agentless_task_add(task).await.expect("writes");
        (added, f.store.agentless_task_get(id).await.expect("reads").is_some())
    };
    let busy = AgentlessTaskAdded::Busy(vec!["s-1".to_owned(), "s-2".to_owned()]);
    assert_eq!(add(&["s-3", "s-2", "s-1"]).await, (busy, false));
    assert_eq!(add(&["s-3"]).await, (AgentlessTaskAdded::Added, true), "nothing of the other was queued");
    let first = f.take_one(2).await;
    assert_eq!(first.instance_id, "s-1");
    assert_eq!(add(&["s-1"]).await.0, AgentlessTaskAdded::Busy(vec!["s-1".to_owned()]), "a worker has it");
    assert!(f.end(first.lease, failed(), 3).await);
    assert_eq!(add(&["s-1"]).await, (AgentlessTaskAdded::Added, true), "over, and free");
}

pub async fn a_task_is_what_its_subtasks_make_of_it(f: &Fixture) {
    let task = f.scan(&["s-1", "s-2", "s-3", "s-4"], 0).await;
    let taken = f.take(4, 10).await;
    let said = |place: usize, progress| SubtaskProgress {
        lease: taken[place].lease,
        progress,
        progress_by_project: r#"{"vul":50}"#.to_owned(),
    };
    f.store.agentless_subtasks_progress(vec![said(0, 50), said(1, 30)], at(80)).await.expect("writes");
    assert_eq!(f.root(task).await.tally.progress(), 20, "the mean of four");
    assert!(f.end(taken[0].lease, found(), 11).await);
    assert!(f.end(taken[1].lease, failed(), 12).await);
    assert!(f.end(taken[2].lease, SubtaskOutcome::TimedOut("slow".to_owned()), 13).await);
    let root = f.root(task).await;
    assert_eq!((root.status, root.tally.progress(), root.measure_bytes), (TaskStatus::Running, 32, 300));
    assert!(f.end(taken[3].lease, SubtaskOutcome::Cancelled, 14).await);
    let root = f.root(task).await;
    assert_eq!((root.status, root.end_time), (TaskStatus::Failed, Some(at(14))));
    assert_eq!((root.report_status, root.measure_bytes), (ReportStatus::Prepared, 400));
    let tally = root.tally;
    assert_eq!((tally.done, tally.failed, tally.timed_out, tally.cancelled), (1, 1, 1, 1));
    let subtasks = f.subtasks(task).await;
    let ends: Vec<_> = subtasks
        .iter()
        .map(|one| (one.status, one.progress, one.reason.as_str(), one.report_status))
        .collect();
    assert_eq!(
        ends,
        [
            (TaskStatus::Done, 100, "", ReportStatus::Prepared),
            (TaskStatus::Failed, 30, "no system", ReportStatus::None),
            (TaskStatus::TimedOut, 0, "slow", ReportStatus::None),
            (TaskStatus::Cancelled, 0, "cancelled", ReportStatus::None),
        ]
    );
    assert_eq!(subtasks[0].progress_by_project, r#"{"vul":50}"#);
    assert_eq!((subtasks[0].begin_time, subtasks[0].end_time), (Some(at(10)), Some(at(11))));
}

pub async fn what_has_no_result_is_tried_again(f: &Fixture) {
    let retry = async |id| f.store.agentless_task_retry(id, at(100), None).await.expect("writes");
    assert_eq!(retry(Uuid::from_u128(99)).await, Retried::NotFound);
    let task = f.scan(&["s-1", "s-2", "s-3"], 0).await;
    assert_eq!(retry(task).await, Retried::Running);
    let taken = f.take(3, 1).await;
    assert!(f.end(taken[0].lease, found(), 2).await);
    assert!(f.end(taken[1].lease, failed(), 3).await);
    assert_eq!(retry(taken[0].lease.subtask).await, Retried::NothingToRetry);
    assert_eq!(retry(taken[2].lease.subtask).await, Retried::Running);
    assert_eq!(retry(task).await, Retried::Running, "one is not over");
    assert!(f.end(taken[2].lease, failed(), 4).await);
    assert_eq!(f.root_status(task).await, TaskStatus::Failed);

    let other = f.scan(&["s-3"], 5).await;
    assert_eq!(retry(task).await, Retried::Running, "an asset is in another task, so none is queued");
    assert_eq!(f.store.agentless_task_cancel(other, at(6)).await.expect("writes"), Some(1));
    assert_eq!(retry(task).await, Retried::Queued);
    let root = f.root(task).await;
    assert_eq!(
        (root.status, root.end_time, root.report_status),
        (TaskStatus::Running, None, ReportStatus::None)
    );
    assert_eq!((root.tally.done, root.tally.failed, root.measure_bytes), (1, 0, 100));
    assert_eq!(retry(task).await, Retried::Running);
    let again = f.take(9, 200).await;
    let assets: Vec<_> = again.iter().map(|subtask| subtask.instance_id.as_str()).collect();
    assert_eq!(assets, ["s-2", "s-3"]);
    let subtask = f.store.agentless_subtask_get(again[0].lease.subtask).await.expect("reads");
    let subtask = subtask.expect("is there");
    assert_eq!((subtask.begin_time, subtask.reason.as_str()), (Some(at(200)), ""));
    assert!(!f.end(taken[1].lease, found(), 201).await, "the lease of the first time is an old one");
    for subtask in again {
        assert!(f.end(subtask.lease, found(), 202).await);
    }
    assert_eq!(f.root_status(task).await, TaskStatus::Done);
    assert_eq!(retry(task).await, Retried::NothingToRetry);
}

pub async fn what_is_queued_is_cancelled_at_once_and_what_is_leased_by_its_worker(f: &Fixture) {
    let cancel = async |id| f.store.agentless_task_cancel(id, at(50)).await.expect("writes");
    assert_eq!(cancel(Uuid::from_u128(99)).await, None);
    let task = f.scan(&["s-1", "s-2", "s-3", "s-4"], 0).await;
    let taken = f.take(2, 1).await;
    let queued = f.subtasks(task).await[3].id;
    assert_eq!(cancel(queued).await, Some(1), "a subtask alone");
    assert_eq!((cancel(queued).await, f.root(task).await.tally.cancelled), (Some(0), 1), "once is enough");
    assert_eq!(cancel(task).await, Some(3));
    let subtasks = f.subtasks(task).await;
    let shown: Vec<_> = subtasks.iter().map(|one| (one.status, one.is_cancelled)).collect();
    let (running, cancelled) = (TaskStatus::Running, TaskStatus::Cancelled);
    assert_eq!(shown, [(running, true), (running, true), (cancelled, false), (cancelled, false)]);
    assert_eq!(f.take(9, 51).await, []);
    assert!(f.end(taken[0].lease, found(), 52).await, "it was done before its worker heard of it");
    assert!(f.end(taken[1].lease, failed(), 53).await);
    let root = f.root(task).await;
    assert_eq!((root.status, root.tally.done, root.tally.cancelled), (TaskStatus::Done, 1, 3));

    let task = f.scan(&["s-1"], 60).await;
    assert_eq!(cancel(task).await, Some(1));
    assert_eq!(f.root_status(task).await, cancelled);
    assert_eq!(f.store.agentless_task_retry(task, at(61), None).await.expect("writes"), Retried::Queued);
    assert_eq!(f.take(9, 62).await.len(), 1, "it can be tried again");
}

pub async fn a_deleted_task_takes_everything_along(f: &Fixture) {
    let (task, other) = (f.scan(&["s-1", "s-2"], 0).await, f.scan(&["s-3"], 1).await);
    let taken = f.take(1, 2).await;
    let delete = async |task| f.store.agentless_task_delete(task).await.expect("writes");
    assert!(!delete(taken[0].lease.subtask).await, "that is no root");
    assert!(delete(task).await);
    assert!(!delete(task).await);
    assert_eq!(f.subtasks(task).await, []);
    assert!(!f.end(taken[0].lease, found(), 3).await);
    assert_eq!(f.take(9, 4).await.len(), 1);
    assert_eq!(f.root_status(other).await, TaskStatus::Running);
    f.scan(&["s-1"], 5).await;
}
