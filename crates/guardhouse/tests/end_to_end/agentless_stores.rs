//! Images on stores of objects, scanned by real workers: what is found is what `guardhouse scan` finds in the file.

use std::fs;

use guardhouse_model::agentless::TaskStatus;
use guardhouse_testing::{Proxy, stores::Store};
use uuid::Uuid;

use crate::support::{scans::Scans, wait_for};

const IMAGE: &str = "web.tar";

/// Registers a store as the location `kind`, reached at this address.
async fn register(scans: &Scans, kind: &str, store: &Store, address: &str) {
    let secret = scans.path("secret");
    fs::write(&secret, store.password()).expect("the folder is ours");
    let secret = secret.display().to_string();
    let place = match kind {
        "s3" => ["--url", "s3://images", "--endpoint", address, "--access-key-id"],
        _ => ["--url", address, "--type", "image", "--store-user"],
    };
    let words = [&["location", "add", kind][..], &place, &[store.user(), "--secret-file", &secret]].concat();
    let added = scans.json(&words).await;
    assert_eq!((&added["assetCount"], &added["location"]["trouble"]), (&1.into(), &"".into()), "{added}");
}

/// Asks for a scan of all that is in a location, and does not wait for it; answers its task and its only subtask.
async fn ask(scans: &Scans, location: &str) -> (String, Uuid) {
    let asked = scans.json(&["scan", "--location", location]).await;
    let task = asked["task"]["uuid"].as_str().expect("a uuid").to_owned();
    let listed = scans.json(&["task", "subtasks", &task]).await;
    let subtask = listed["subtasks"][0]["uuid"].as_str().and_then(|uuid| uuid.parse().ok());
    (task, subtask.expect("it has one"))
}

/// Scans the same image from stores of both kinds.
async fn scan_from_stores(scans: &Scans) {
    scans.make_image(IMAGE);
    for kind in ["s3", "webdav"] {
        let store = Store::start(kind, &scans.path("images"));
        register(scans, kind, &store, store.address()).await;
        let (task, subtask) = ask(scans, kind).await;
        let over = scans.over(subtask).await;
        scans.check(&over, IMAGE, 0).await;
        let found = scans.json(&["findings", "--task", &task]).await;
        assert_eq!(
            (&found["totalSize"], &found["findings"][0]["package"]),
            (&"1".into(), &"package-7".into())
        );
    }
}

/// Whether nothing of the copies is left in the folders of workers.
fn has_no_copies(scans: &Scans) -> bool {
    let of_worker = |name: String| fs::read_dir(scans.path("scratch").join(name));
    scans.scratch().into_iter().filter_map(|name| of_worker(name).ok()).flatten().next().is_none()
}

#[tokio::test]
async fn the_worker_in_a_server_scans_what_is_on_stores() {
    let scans = Scans::new(&["--workers", "1"]).await;
    scan_from_stores(&scans).await;
    assert!(has_no_copies(&scans));
}

#[tokio::test]
async fn a_worker_apart_scans_what_is_on_stores() {
    let scans = Scans::new(&["--workers", "0"]).await;
    let _worker = scans.worker("worker");
    scan_from_stores(&scans).await;
    assert!(has_no_copies(&scans));
}

#[tokio::test]
async fn a_store_that_goes_away_fails_the_scan_until_it_is_back() {
    let scans = Scans::new(&["--workers", "0"]).await;
    scans.make_image(IMAGE);
    let store = Store::start("s3", &scans.path("images"));
    let proxy = Proxy::to_tcp(store.address().trim_start_matches("http://").parse().expect("an address"));
    register(&scans, "s3", &store, &format!("http://{}", proxy.address())).await;
    let length = fs::metadata(scans.path("images").join(IMAGE)).expect("it is there").len();
    proxy.freeze_after(length / 2);
    let _worker = scans.worker("worker");
    let (task, subtask) = ask(&scans, "s3").await;
    wait_for("half of the image has come", async || proxy.is_used_up().then_some(())).await;
    proxy.cut();
    let over = scans.over(subtask).await;
    assert_eq!((over.status, over.measure_bytes), (TaskStatus::Failed, 0), "{over:?}");
    assert!(over.reason.contains("s3://images: web.tar"), "{over:?}");
    assert!(has_no_copies(&scans));

    proxy.heal();
    let (code, _, said) = scans.types(&["task", "retry", &task]).await;
    assert_eq!(code, 0, "{said}");
    let over = scans.over(subtask).await;
    scans.check(&over, IMAGE, 0).await;
}

#[tokio::test]
async fn a_store_that_is_silent_for_too_long_is_not_waited_for() {
    let scans = Scans::new(&["--workers", "0", "--scan-time-limit", "5s"]).await;
    scans.make_image(IMAGE);
    let store = Store::start("webdav", &scans.path("images"));
    let proxy = Proxy::to_tcp(store.address().trim_start_matches("http://").parse().expect("an address"));
    register(&scans, "webdav", &store, &format!("http://{}", proxy.address())).await;
    proxy.freeze_after(10_000);
    let _worker = scans.worker("worker");
    let (_, subtask) = ask(&scans, "webdav").await;
    let over = scans.over(subtask).await;
    assert_eq!(over.status, TaskStatus::TimedOut, "{over:?}");
    assert_eq!(over.reason, "its time was over while it was fetched");
    assert!(proxy.is_used_up() && has_no_copies(&scans));
}
