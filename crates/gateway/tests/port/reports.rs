//! Reports, which whoever has a link to them gets.

use std::io::Write as _;

use guardhouse_identity::report_links::{LIFETIME, Linked};
use guardhouse_model::{Environment, Timestamp, agentless::ReportStatus};
use guardhouse_store::{
    AgentlessResult, AgentlessTaskAdded, NewAgentlessSubtask, NewAgentlessTask, ReportFormat, ReportWanted,
    ReportWriter, Store, SubtaskEnd, SubtaskOutcome, TakeSubtasks,
};
use reqwest::Method;
use uuid::Uuid;

use crate::support::{Server, send};

const OWNER: Uuid = Uuid::from_u128(7);

/// A document that does not compress well, and is much longer than what is unpacked at a time.
fn document() -> Vec<u8> {
    (0..100_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn packed(document: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 0).expect("an encoder");
    encoder.write_all(document).expect("a vector takes everything");
    encoder.finish().expect("it ends")
}

/// A subtask that is over, whose report is kept in these parts and, if it is made, was made.
async fn keep(store: &Store, parts: &[&[u8]], is_made: bool) {
    let now = Environment::system().now();
    let target = NewAgentlessSubtask {
        id: OWNER,
        instance_id: "m-1".to_owned(),
        location: Uuid::from_u128(1),
        target_type: 4,
        target_name: "disk".to_owned(),
        size_bytes: 1,
        ..NewAgentlessSubtask::default()
    };
    let task = NewAgentlessTask {
        id: Uuid::from_u128(6),
        name: "task".to_owned(),
        target_type: 4,
        start_time: now,
        targets: vec![target],
        ..NewAgentlessTask::default()
    };
    assert_eq!(store.agentless_task_add(task).await.expect("writes"), AgentlessTaskAdded::Added);
    let take = TakeSubtasks {
        worker: "worker".to_owned(),
        limit: 1,
        now,
        until: Timestamp::MAX,
        time_limit: Default::default(),
    };
    let lease = store.agentless_subtasks_take(take).await.expect("writes")[0].lease;
    for (position, part) in (0..).zip(parts) {
        let writer = ReportWriter::Worker(lease);
        let written = store.agentless_report_write(writer, ReportFormat::Json, position, part.to_vec());
        assert!(written.await.expect("writes"));
    }
    let outcome = SubtaskOutcome::Done(AgentlessResult { expire_time: Timestamp::MAX, ..Default::default() });
    let end = SubtaskEnd { lease, now, outcome, measure_bytes: 1 };
    assert!(store.agentless_subtask_end(end).await.expect("writes"));
    if is_made {
        let wanted = store.agentless_reports_wanted(now, 9).await.expect("writes");
        assert!(wanted.contains(&ReportWanted::Subtask(OWNER)), "{wanted:?}");
        let settled = store.agentless_report_settle(ReportWanted::Subtask(OWNER), ReportStatus::Success);
        assert!(settled.await.expect("writes"));
    }
}

fn link(server: &Server, format: ReportFormat, now: Timestamp) -> String {
    server.report_links.link("", Linked { owner: OWNER, format }, now)
}

#[tokio::test]
async fn a_report_comes_as_a_whole() {
    let server = Server::new().await;
    let (document, now) = (document(), Environment::system().now());
    let packed = packed(&document);
    keep(&server.store, &packed.chunks(100_000).collect::<Vec<_>>(), true).await;
    let answer =
        server.plain(Method::GET, &link(&server, ReportFormat::Json, now)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().expect("a text").to_owned();
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(
        header("content-disposition"),
        format!("attachment; filename=\"report-{}.json\"", OWNER.simple())
    );
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").starts_with("default-src 'none';"));
    assert_eq!(header("cache-control"), "private, no-store");
    assert!(answer.headers().contains_key("request-id"));
    assert!(answer.bytes().await.expect("a body") == document, "it is another document");
}

#[tokio::test]
async fn what_is_not_whole_breaks_off() {
    let server = Server::new().await;
    let packed = packed(&document());
    let parts: Vec<_> = packed.chunks(100_000).collect();
    keep(&server.store, &parts[..parts.len() - 1], true).await;
    let link = link(&server, ReportFormat::Json, Environment::system().now());
    let answer = server.plain(Method::GET, &link).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.bytes().await.expect_err("its end is missing");
}

#[tokio::test]
async fn who_has_no_link_is_told_why() {
    let server = Server::new().await;
    keep(&server.store, &[&packed(b"{}")], true).await;
    let now = Environment::system().now();
    let good = link(&server, ReportFormat::Json, now);
    let old = link(&server, ReportFormat::Json, now - LIFETIME);
    let (path, _) = good.split_once('?').expect("a query");
    for (link, status, reason) in [
        (old, 403, "LINK_EXPIRED"),
        (path.to_owned(), 403, "LINK_INVALID"),
        (good.replace(".json", ".html"), 403, "LINK_INVALID"),
        (format!("{path}/x"), 403, "LINK_INVALID"),
        (link(&server, ReportFormat::Html, now), 404, "REPORT_NOT_FOUND"),
    ] {
        let answer = send(server.plain(Method::GET, &link)).await;
        assert_eq!((answer.status, answer.reason()), (status, reason), "{link}");
    }
    let answer = send(server.plain(Method::POST, &good)).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET"));
}

#[tokio::test]
async fn a_report_that_is_being_made_is_not_there() {
    let server = Server::new().await;
    keep(&server.store, &[&packed(b"{}")], false).await;
    let answer =
        send(server.plain(Method::GET, &link(&server, ReportFormat::Json, Environment::system().now())))
            .await;
    assert_eq!((answer.status, answer.reason()), (404, "REPORT_NOT_FOUND"));
}
