//! Real stores that hold real images.

use std::{fs, path::Path};

use guardhouse_locations::{Credentials, Folders, ObjectStore, fetch, list};
use guardhouse_test_images::{disks, run};
use guardhouse_testing::{Proxy, stores::Store};
use tempfile::TempDir;

use crate::store::{at, s3, webdav};

/// A folder with images, and what lies beside images.
fn images() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "db.raw", 3 << 20);
    let at = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders");
        path
    };
    run(
        "qemu-img",
        &["convert", "-O", "qcow2", disks::text(&raw), disks::text(&at("sets/a b/base+ü%41.qcow2"))],
    );
    let above = at("sets/above.qcow2");
    let base = "a b/base+ü%41.qcow2";
    run(
        "qemu-img",
        &["create", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", base, disks::text(&above), "3M"],
    );
    run(
        "qemu-img",
        &[
            "convert",
            "-O",
            "vmdk",
            "-o",
            "subformat=monolithicFlat",
            disks::text(&raw),
            disks::text(&at("vm/flat.vmdk")),
        ],
    );
    fs::write(at("sets/readme.txt"), "no image").expect("a file");
    fs::write(at("sets/empty.img"), "").expect("a file");
    folder
}

async fn names(store: ObjectStore) -> Vec<String> {
    let listing = list(&at(store), &Folders::default()).await.expect("it can be listed");
    assert_eq!(listing.left_out, [""; 0]);
    listing.found.into_iter().map(|found| found.name).collect()
}

const ALL: [&str; 4] = ["db.raw", "sets/a b/base+ü%41.qcow2", "sets/above.qcow2", "vm/flat.vmdk"];

/// Lists and fetches everything there is, from the whole store and from a part of it.
async fn check(whole: ObjectStore, part: ObjectStore, folder: &Path) {
    assert_eq!(names(whole.clone()).await, ALL);
    assert_eq!(names(part.clone()).await, ["a b/base+ü%41.qcow2", "above.qcow2"]);
    let scratch = tempfile::tempdir().expect("a folder");
    for found in list(&at(whole.clone()), &Folders::default()).await.expect("it can be listed").found {
        let name = found.name.as_str();
        let fetched = fetch(&at(whole.clone()), name, scratch.path(), &Folders::default()).await.expect(name);
        assert!(fetched.is_temporary() && fetched.path.starts_with(scratch.path()), "{name}");
        assert_eq!(fetched.version, found.version, "{name}");
        assert!(fs::read(&fetched.path).expect(name) == fs::read(folder.join(name)).expect(name), "{name}");
        let options =
            guardhouse_image::Options { also: fetched.also.clone(), ..guardhouse_image::Options::default() };
        let opened = guardhouse_image::open(&fetched.path, &options).expect(name);
        let length = fs::metadata(folder.join("db.raw")).expect("it is there").len();
        assert_eq!(opened.size, length, "{name}");
    }
    let above = fetch(&at(part.clone()), "above.qcow2", scratch.path(), &Folders::default())
        .await
        .expect("it is there");
    assert_eq!(above.also.len(), 1);
    drop(above);
    assert_eq!(fs::read_dir(scratch.path()).expect("it is there").count(), 0, "nothing stays behind");

    for name in ["gone.qcow2", "../db.raw", "/db.raw", "sets/../../db.raw"] {
        let trouble =
            fetch(&at(part.clone()), name, scratch.path(), &Folders::default()).await.expect_err(name);
        assert!(!trouble.is_passing(), "{trouble}");
    }
    let nowhere = fetch(&at(whole), "db.raw", Path::new("/nonexistent"), &Folders::default())
        .await
        .expect_err("no such folder")
        .to_string();
    assert!(nowhere.contains("/nonexistent"), "{nowhere}");
}

#[tokio::test]
async fn a_store_that_speaks_s3_is_a_location() {
    let folder = images();
    let store = Store::start("s3", folder.path());
    check(s3(&store, "", None), s3(&store, "sets", None), folder.path()).await;

    let wrong =
        Credentials::AccessKey { id: "AKIA".into(), secret: "wrong".into(), session_token: String::new() };
    let closed = ObjectStore { credentials: Some(wrong), ..s3(&store, "", None) };
    let trouble = list(&at(closed), &Folders::default()).await.expect_err("it is not open to everybody");
    assert!(!trouble.is_passing() && trouble.to_string().contains("credentials"), "{trouble}");
    let other = ObjectStore { url: "s3://other/".to_owned(), ..s3(&store, "", None) };
    list(&at(other), &Folders::default()).await.expect_err("there is no such bucket");
}

#[tokio::test]
async fn a_webdav_server_is_a_location() {
    let folder = images();
    let store = Store::start("webdav", folder.path());
    check(webdav(&store, ""), webdav(&store, "sets/"), folder.path()).await;

    let wrong = Credentials::Password { user: "scanner".to_owned(), password: "wrong".to_owned() };
    for credentials in [Some(wrong), Some(Credentials::Token("x".to_owned())), None] {
        let opened = ObjectStore { credentials, ..webdav(&store, "") };
        let trouble = list(&at(opened), &Folders::default()).await.expect_err("it is not open to everybody");
        assert!(!trouble.is_passing() && trouble.to_string().contains("credentials"), "{trouble}");
    }
    let trouble = list(&at(webdav(&store, "gone")), &Folders::default())
        .await
        .expect_err("an empty list would be wrong")
        .to_string();
    assert!(trouble.contains("no such folder"), "{trouble}");
}

#[tokio::test]
async fn a_store_that_is_away_says_so() {
    let folder = images();
    let store = Store::start("s3", folder.path());
    let address = store.address().trim_start_matches("http://").parse().expect("an address");
    let proxy = Proxy::to_tcp(address);
    let through = s3(&store, "sets", Some(format!("http://{}", proxy.address())));
    assert_eq!(names(through.clone()).await.len(), 2);
    proxy.cut();
    let trouble = list(&at(through.clone()), &Folders::default()).await.expect_err("nobody answers");
    assert!(trouble.is_passing(), "{trouble}");
    proxy.heal();
    assert_eq!(names(through).await.len(), 2);
}
