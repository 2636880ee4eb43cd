//! A worker and the server that it works for: one that is away, tokens that expire, an account that is not good for it.

use std::time::Duration;

use guardhouse_model::agentless::TaskStatus;
use guardhouse_testing::Proxy;
use reqwest::{Method, StatusCode};
use tokio::time::timeout;

use crate::support::{
    READER, Server,
    scans::{Frozen, Scans, WORKER},
    wait_for,
};

const IMAGE: &str = "web.tar";

/// What a worker says of a server that is away.
const AWAY: &str = "the queue of scans does not answer; it is asked again";

/// What a worker says when it ends because the server does not take it.
const REFUSED: &str = "the queue of scans does not take this worker";

/// Waits until every access token has expired that the server issued until now.
async fn tokens_expire(server: &Server) {
    let client = server.admin().await;
    let look = async || {
        let request = client.raw(Method::GET, "/guardhouse/v1/agentless-tasks").bearer_auth(client.token());
        let status = request.send().await.expect("an answer").status();
        (status == StatusCode::UNAUTHORIZED).then_some(())
    };
    wait_for("the token expires", look).await;
}

#[tokio::test]
async fn a_worker_waits_for_its_server() {
    let mut scans = Scans::new(&["--workers", "0"]).await;
    scans.make_image(IMAGE);
    scans.server.stop().await;
    let mut first = scans.worker("first");
    scans.logged("first", AWAY).await;
    assert!(first.runs(), "it waits");

    let mut second = scans.worker("second");
    scans.logged("second", AWAY).await;
    second.ask_to_end();
    assert!(second.ended().await.success(), "it ends while it waits");

    scans.server.restart().await;
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let over = scans.over(subtasks[0]).await;
    scans.check(&over, IMAGE, 0).await;
    scans.logged("first", "the queue of scans answers again").await;
    first.ask_to_end();
    assert!(first.ended().await.success());
}

#[tokio::test]
async fn a_worker_ends_while_its_server_says_nothing() {
    let scans = Scans::new(&["--workers", "0"]).await;
    let proxy = Proxy::to_tcp(scans.server.socket());
    proxy.freeze();
    let command = scans.worker_at(&format!("https://{}", proxy.address()), WORKER);
    let mut worker = scans.start(command, "worker");
    scans.logged("worker", "this worker waits for scans").await;
    worker.ask_to_end();
    // A call may take half a minute; this one is not waited for so long.
    let ended = timeout(Duration::from_secs(20), worker.ended()).await.expect("it ends soon");
    assert!(ended.success());
}

#[tokio::test]
async fn a_worker_that_the_server_does_not_take_ends_and_says_why() {
    let scans = Scans::new(&["--workers", "0"]).await;
    scans.server.add_account(READER, "read").await;
    let url = scans.server.url("https");
    let mut wrong = scans.worker_at(&url, WORKER);
    wrong.env("GUARDHOUSE_PASSWORD", "a guess");
    let other = Server::start(&[]).await;
    let mut stranger = scans.worker_at(&url, WORKER);
    stranger.env("GUARDHOUSE_CA", other.certificate_file());
    for (name, command, said) in [
        ("wrong", wrong, "cannot sign in as scanner"),
        ("reader", scans.worker_at(&url, READER), "guardhouse user add NAME --access worker"),
        ("stranger", stranger, "invalid peer certificate"),
        ("nobody", scans.worker_at(&url, "nobody"), "cannot sign in as nobody"),
    ] {
        let mut worker = scans.start(command, name);
        assert_eq!(worker.ended().await.code(), Some(1), "{name}");
        assert!(scans.has_logged(name, REFUSED) && scans.has_logged(name, said), "{name}");
        assert!(!scans.has_logged(name, AWAY), "{name}");
    }
}

#[tokio::test]
async fn a_worker_renews_its_access() {
    let scans = Scans::new(&["--workers", "0", "--access-token-lifetime", "3s"]).await;
    scans.make_image(IMAGE);
    let mut worker = scans.worker("worker");
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let scanner = Frozen::of(worker.id()).await;
    // Once while it works, and once while it waits.
    tokens_expire(&scans.server).await;
    scanner.thaw();
    let over = scans.over(subtasks[0]).await;
    scans.check(&over, IMAGE, 0).await;
    tokens_expire(&scans.server).await;
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let over = scans.over(subtasks[0]).await;
    scans.check(&over, IMAGE, 0).await;
    assert!(worker.runs());
    for said in [AWAY, "does not take"] {
        assert!(!scans.has_logged("worker", said), "{said}");
    }
}

#[tokio::test]
async fn a_worker_whose_account_is_removed_ends() {
    let scans = Scans::new(&["--workers", "0", "--access-token-lifetime", "3s"]).await;
    scans.make_image(IMAGE);
    let mut idle = scans.worker("idle");
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let over = scans.over(subtasks[0]).await;
    scans.check(&over, IMAGE, 0).await;
    scans.server.remove_account(WORKER).await;
    assert_eq!(idle.ended().await.code(), Some(1));
    assert!(scans.has_logged("idle", REFUSED) && scans.has_logged("idle", "cannot sign in as scanner"));

    scans.server.add_account(WORKER, "worker").await;
    let mut busy = scans.worker("busy");
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let scanner = Frozen::of(busy.id()).await;
    scans.server.remove_account(WORKER).await;
    assert_eq!(busy.ended().await.code(), Some(1));
    scanner.is_gone().await;
    assert!(scans.has_logged("busy", REFUSED));

    // What it had is scanned by the next one.
    scans.server.add_account(WORKER, "worker").await;
    let _next = scans.worker("next");
    let over = scans.over(subtasks[0]).await;
    assert_eq!(over.status, TaskStatus::Done);
    scans.check(&over, IMAGE, 1).await;
}
