//! Workers of agentless scans, with real processes: whatever ends when, every scan has one result, and none runs for ever.

use std::collections::BTreeSet;

use guardhouse_model::agentless::TaskStatus;
use guardhouse_store::{AgentlessSubtask, Store};
use guardhouse_testing::postgres::Server as PostgresServer;
use rustix::process::{Pid, Signal};

use crate::support::{
    Server,
    scans::{Frozen, Scans, signal},
    wait_for,
};

const IMAGE: &str = "web.tar";

#[tokio::test]
async fn a_scan_survives_a_worker_that_is_killed() {
    let scans = Scans::new(&["--workers", "0"]).await;
    scans.make_image(IMAGE);
    let first = scans.worker("first");
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let scanner = Frozen::of(first.id()).await;
    first.kill().await;
    scanner.is_gone().await;
    assert_eq!(scans.scratch().len(), 1, "what it left");
    let mut second = scans.worker("second");
    let over = scans.over(subtasks[0]).await;
    scans.check(&over, IMAGE, 1).await;
    second.ask_to_end();
    assert!(second.ended().await.success());
    assert!(scans.scratch().is_empty(), "{:?} is left", scans.scratch());
}

#[tokio::test]
async fn a_worker_that_ends_gives_back_what_it_has() {
    let scans = Scans::new(&["--workers", "0"]).await;
    scans.make_image(IMAGE);
    let mut first = scans.worker("first");
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let scanner = Frozen::of(first.id()).await;
    first.ask_to_end();
    assert!(first.ended().await.success());
    scanner.is_gone().await;
    let queued = scans.subtask(subtasks[0]).await;
    assert_eq!((queued.status, queued.attempts, queued.worker.as_str()), (TaskStatus::Running, 0, ""));
    let _second = scans.worker("second");
    let over = scans.over(subtasks[0]).await;
    scans.check(&over, IMAGE, 0).await;
}

#[tokio::test]
async fn a_worker_that_slept_hears_that_it_lost_its_scan() {
    let scans = Scans::new(&["--workers", "0"]).await;
    scans.make_image(IMAGE);
    let mut first = scans.worker("first");
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let scanner = Frozen::of(first.id()).await;
    let process = Pid::from_raw(first.id().cast_signed()).expect("it runs");
    signal(process, Signal::STOP);
    let _second = scans.worker("second");
    let over = scans.over(subtasks[0]).await;
    scans.check(&over, IMAGE, 1).await;
    signal(process, Signal::CONT);
    scanner.is_gone().await;
    wait_for("the first worker hears of it", async || {
        scans.has_logged("first", "stopped=Some(Lost)").then_some(())
    })
    .await;
    assert!(first.runs(), "it works on");
    // Its report may have been made meanwhile.
    let now = AgentlessSubtask { report_status: over.report_status, ..scans.subtask(subtasks[0]).await };
    assert_eq!(now, over, "what it says changes nothing");
}

#[tokio::test]
async fn a_scan_that_is_cancelled_stops_at_once() {
    let scans = Scans::new(&["--workers", "0"]).await;
    scans.make_image(IMAGE);
    let worker = scans.worker("worker");
    let (task, subtasks) = scans.ask(&[IMAGE]).await;
    let scanner = Frozen::of(worker.id()).await;
    scans.cancel(task).await;
    scanner.is_gone().await;
    assert_eq!(scans.over(subtasks[0]).await.status, TaskStatus::Cancelled);
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let over = scans.over(subtasks[0]).await;
    scans.check(&over, IMAGE, 0).await;
}

#[tokio::test]
async fn a_scan_survives_a_server_that_is_killed_with_its_worker() {
    let mut scans = Scans::new(&["--workers", "1"]).await;
    scans.make_image(IMAGE);
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let scanner = Frozen::of(scans.server.id()).await;
    scans.server.kill().await;
    scanner.is_gone().await;
    scans.server.restart().await;
    let over = scans.over(subtasks[0]).await;
    assert_eq!((over.status, over.attempts), (TaskStatus::Done, 1), "{over:?}");
}

#[tokio::test]
async fn what_cannot_be_scanned_fails_with_a_reason() {
    let scans = Scans::new(&["--workers", "0"]).await;
    std::fs::write(scans.path("images").join("broken.qcow2"), "no disk").expect("the folder is ours");
    let _worker = scans.worker("worker");
    let (_, subtasks) = scans.ask(&["broken.qcow2", "missing.qcow2"]).await;
    for subtask in subtasks {
        let over = scans.over(subtask).await;
        assert_eq!(over.status, TaskStatus::Failed, "{over:?}");
        assert!(over.reason.contains(' '), "{over:?}");
    }
}

#[tokio::test]
async fn a_scan_that_takes_too_long_is_over() {
    let scans = Scans::new(&["--workers", "0", "--scan-time-limit", "10s"]).await;
    scans.make_image(IMAGE);
    let mut worker = scans.worker("worker");
    let (task, subtasks) = scans.ask(&[IMAGE]).await;
    let scanner = Frozen::of(worker.id()).await;
    let over = scans.over(subtasks[0]).await;
    assert_eq!((over.status, over.attempts), (TaskStatus::TimedOut, 0), "{over:?}");
    assert_eq!(over.reason, "its time was over while it was scanned");
    scanner.is_gone().await;
    let root = scans.store.agentless_task_get(task).await.expect("reads").expect("is there");
    assert_eq!(root.status as i32, 4);
    let (code, shown, _) = scans.types(&["task", "wait", &task.to_string()]).await;
    assert!(code == 1 && shown.contains("TIMED_OUT"), "{code} {shown}");

    assert!(worker.runs(), "it goes on with the next");
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let over = scans.over(subtasks[0]).await;
    scans.check(&over, IMAGE, 0).await;
}

#[tokio::test]
async fn workers_on_a_database_share_the_scans() {
    let database = PostgresServer::shared().empty_database();
    let url = database.url();
    let store = Store::connect(&url).await.expect("is there");
    let server = Server::start_in(database, &["--worker-lease", "5s", "--workers", "0"]).await;
    let scans = Scans::of(server, store).await;
    scans.make_image(IMAGE);
    let names: Vec<String> = (0..6).map(|number| format!("copy-{number}.tar")).collect();
    for name in &names {
        std::fs::hard_link(scans.path("images").join(IMAGE), scans.path("images").join(name))
            .expect("the folder is ours");
    }
    let _workers = [scans.worker_on(&url, "first"), scans.worker_on(&url, "second")];
    let (_, subtasks) = scans.ask(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (mut workers, mut last) = (BTreeSet::new(), None);
    for subtask in subtasks {
        let over = scans.over(subtask).await;
        assert_eq!((over.status, over.attempts), (TaskStatus::Done, 0), "{over:?}");
        workers.insert(over.worker.clone());
        last = Some(over);
    }
    scans.check(&last.expect("there were some"), IMAGE, 0).await;
    assert_eq!(workers.len(), 2, "both had some");
}
