use guardhouse_model::agentless::{ReportStatus, TaskStatus};
use guardhouse_store::{AgentlessTotals, ReportFormat, ReportWanted, ReportWriter, StoreError, SubtaskLease};
use uuid::Uuid;

use crate::{
    agentless_support::{failed, found, found_until},
    support::{Fixture, at},
};

const JSON: ReportFormat = ReportFormat::Json;
const HTML: ReportFormat = ReportFormat::Html;

async fn write(f: &Fixture, writer: ReportWriter, format: ReportFormat, position: u32, text: &[u8]) -> bool {
    f.store.agentless_report_write(writer, format, position, text.to_vec()).await.expect("writes")
}

async fn part(f: &Fixture, owner: Uuid, format: ReportFormat, position: u32) -> Option<Vec<u8>> {
    f.store.agentless_report_part(owner, format, position).await.expect("reads")
}

async fn totals(f: &Fixture, second: i64) -> AgentlessTotals {
    f.store.agentless_results_count(None, None, at(second)).await.expect("reads")
}

/// Scans an asset; answers its subtask and its task.
async fn scanned(f: &Fixture, asset: &str, second: i64) -> (Uuid, Uuid) {
    let task = f.scan(&[asset], second).await;
    let lease = f.take_one(second).await.lease;
    assert!(write(f, ReportWriter::Worker(lease), JSON, 0, asset.as_bytes()).await);
    assert!(f.end(lease, found_until(at(second + 1_000)), second + 1).await);
    (lease.subtask, task)
}

pub async fn the_newest_result_of_an_asset_is_kept(f: &Fixture) {
    let (older, _) = scanned(f, "s-1", 0).await;
    assert_eq!(part(f, older, JSON, 0).await.as_deref(), Some(b"s-1".as_slice()));
    let (newer, _) = scanned(f, "s-1", 10).await;
    assert_eq!(part(f, older, JSON, 0).await, None);
    assert!(part(f, newer, JSON, 0).await.is_some());
    let shown = f.store.agentless_subtask_get(older).await.expect("reads").expect("is there");
    assert_eq!((shown.status, shown.report_status), (TaskStatus::Done, ReportStatus::None));
    scanned(f, "s-2", 20).await;
    let of = async |target_type, asset: Option<&str>| {
        f.store.agentless_results_count(target_type, asset.map(str::to_owned), at(30)).await.expect("reads")
    };
    let all = AgentlessTotals { scanned: 2, risky: 2, cve: 2, scan_time: Some(at(21)), ..Default::default() };
    assert_eq!((of(None, None).await, of(Some(3), None).await), (all, all));
    assert_eq!(of(Some(4), None).await, AgentlessTotals::default());
    let one = AgentlessTotals { scanned: 1, risky: 1, cve: 1, scan_time: Some(at(11)), ..Default::default() };
    assert_eq!((of(None, Some("s-1")).await, of(Some(3), Some("s-1")).await), (one, one));

    // What failed leaves the result of the last time that did not.
    f.scan(&["s-1"], 40).await;
    let lease = f.take_one(40).await.lease;
    assert!(write(f, ReportWriter::Worker(lease), JSON, 0, b"half").await);
    assert!(f.end(lease, failed(), 41).await);
    assert_eq!(of(None, Some("s-1")).await, one);
    assert_eq!(part(f, lease.subtask, JSON, 0).await, None);
}

pub async fn results_and_tasks_go_when_they_are_old(f: &Fixture) {
    let lease = f.lease().await;
    let (first, first_task) = scanned(f, "s-1", 0).await;
    scanned(f, "s-2", 10).await;
    let (third, third_task) = scanned(f, "s-3", 20).await;
    let running = f.scan(&["s-4"], 0).await;
    let expire = async |second| f.store.agentless_results_expire(lease, at(second), 1).await.expect("writes");
    assert_eq!((expire(999).await, totals(f, 999).await.scanned), (0, 3));
    assert_eq!(totals(f, 1_000).await.scanned, 2, "what has expired does not count");
    assert_eq!((expire(1_010).await, expire(1_010).await, expire(1_010).await), (1, 1, 0));
    assert_eq!((part(f, first, JSON, 0).await, totals(f, 0).await.scanned), (None, 1));
    let shown = f.store.agentless_subtask_get(first).await.expect("reads").expect("is there");
    assert_eq!(shown.report_status, ReportStatus::None);

    let expire = async |second| f.store.agentless_tasks_expire(lease, at(second), 2).await.expect("writes");
    assert_eq!(expire(1).await, 0);
    assert_eq!(expire(2).await, 1);
    assert_eq!(f.store.agentless_task_get(first_task).await.expect("reads"), None);
    assert_eq!((expire(1_000).await, expire(1_000).await), (2, 0));
    assert_eq!(f.store.agentless_task_get(third_task).await.expect("reads"), None);
    assert_eq!((part(f, third, JSON, 0).await, totals(f, 0).await), (None, AgentlessTotals::default()));
    assert_eq!(f.root_status(running).await, TaskStatus::Running, "what is not over stays");
    let lost = guardhouse_store::Lease { fence: lease.fence - 1, ..lease };
    scanned(f, "s-9", 30).await;
    for refused in [
        f.store.agentless_results_expire(lost, at(9_999), 1).await,
        f.store.agentless_tasks_expire(lost, at(9_999), 1).await,
    ] {
        assert!(matches!(refused, Err(StoreError::LeaseLost(_))));
    }
}

pub async fn who_has_a_subtask_writes_its_report(f: &Fixture) {
    f.scan(&["s-1"], 0).await;
    let lease = f.take_one(0).await.lease;
    let worker = ReportWriter::Worker(lease);
    let owner = worker.owner();
    assert!(!write(f, ReportWriter::Worker(SubtaskLease { fence: 2, ..lease }), JSON, 0, b"x").await);
    for (position, text) in [(0, b"a"), (1, b"b"), (1, b"c")] {
        assert!(write(f, worker, JSON, position, text).await);
    }
    assert_eq!(part(f, owner, JSON, 1).await.as_deref(), Some(b"c".as_slice()), "said again");
    assert!(write(f, worker, JSON, 0, b"d").await);
    assert_eq!(part(f, owner, JSON, 1).await, None, "it begins anew");
    assert!(f.end(lease, found(), 1).await);
    assert!(!write(f, worker, JSON, 1, b"e").await, "it is over");
    assert_eq!(part(f, owner, JSON, 0).await.as_deref(), Some(b"d".as_slice()));
}

pub async fn reports_are_made_in_the_background(f: &Fixture) {
    let wanted = async |second| f.store.agentless_reports_wanted(at(second), 9).await.expect("writes");
    assert_eq!(wanted(0).await, []);
    let (subtask, task) = scanned(f, "s-1", 0).await;
    let (of_subtask, of_task) = (ReportWanted::Subtask(subtask), ReportWanted::Task(task));
    let maker = ReportWriter::Maker(of_task);
    assert!(!write(f, maker, HTML, 0, b"x").await, "nobody was given it");
    assert_eq!(wanted(1).await, [of_subtask, of_task]);
    assert_eq!(f.root(task).await.report_status, ReportStatus::Running);
    assert_eq!(wanted(600).await, []);
    assert_eq!(wanted(601).await, [of_subtask, of_task], "who had them is gone");
    assert!(write(f, maker, HTML, 0, b"page").await);
    let settle =
        async |report, status| f.store.agentless_report_settle(report, status).await.expect("writes");
    assert!(settle(of_task, ReportStatus::Success).await);
    assert!(!settle(of_task, ReportStatus::Failed).await, "once");
    assert!(settle(of_subtask, ReportStatus::Failed).await);
    assert!(!write(f, maker, HTML, 1, b"x").await);
    assert_eq!(part(f, task, HTML, 0).await.as_deref(), Some(b"page".as_slice()));
    assert_eq!(f.root(task).await.report_status, ReportStatus::Success);
    let shown = f.store.agentless_subtask_get(subtask).await.expect("reads").expect("is there");
    assert_eq!(shown.report_status, ReportStatus::Failed);
    assert_eq!(wanted(9_999).await, []);
}
