//! The store: one writer, readers beside it, and what a crash leaves.

use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use guardhouse_advisories::{
    Matcher, Store, StoreError,
    import::{Content, import},
    store,
};
use guardhouse_packages::Kind;
use serde_json::json;

use crate::{
    osv::advisory,
    support::{Place, open, package, request},
};

/// Names the store that a child of the drill imports into.
const CHILD: &str = "GUARDHOUSE_TEST_IMPORT_INTO";

fn document(id: &str) -> String {
    advisory(id, "npm", "a", json!([{"type": "SEMVER", "events": [{"introduced": "0"}]}])).to_string()
}

/// Not a test: what the drill starts as another process. It imports its standard input.
#[test]
fn the_child_of_the_drill() {
    let Some(store) = std::env::var_os(CHILD) else { return };
    let mut store = open(store.as_ref());
    import(&mut store, &request("test"), Content::Path("/dev/stdin".into())).expect("an import");
}

/// A process in the middle of an import, with some thousand advisories written and not committed.
fn in_the_middle(place: &Place) -> Child {
    let this = std::env::current_exe().expect("this program");
    let mut child = Command::new(this)
        .args(["--exact", "store::the_child_of_the_drill"])
        .env(CHILD, &place.store)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a child");
    let mut input = child.stdin.take().expect("its input");
    // More than it can hold without having read, and so imported, most of it: 16 MiB.
    let padding = "x".repeat(4000);
    for number in 0..4096 {
        let mut one =
            serde_json::from_str::<serde_json::Value>(&document(&format!("NEW-{number}"))).expect("JSON");
        one["details"] = json!(padding);
        writeln!(input, "{one}").expect("it reads");
    }
    child.stdin = Some(input);
    child
}

#[test]
fn a_kill_leaves_the_state_before_and_readers_see_it_meanwhile() {
    let place = Place::with(&document("OLD-1"));
    let a = package(Kind::Npm, "a", "1.0.0");
    let mut child = in_the_middle(&place);
    assert_eq!(place.found(&a, ""), ["OLD-1 -"]);

    // A second import does not wait for ever, and says what it waited for.
    let mut second = Store::open(&place.store, Duration::from_millis(1)).expect("a store");
    let busy =
        import(&mut second, &request("other"), Content::Bytes(String::new(), document("B").into_bytes()));
    let told = busy.expect_err("busy").to_string();
    assert!(told.contains("is being written by another import"), "{told}");
    drop(second);

    child.kill().expect("killed");
    child.wait().expect("ended");
    assert_eq!(place.found(&a, ""), ["OLD-1 -"]);
    place.import("test", document("NEW-1").as_bytes());
    assert_eq!(place.found(&a, ""), ["NEW-1 -"]);
    // At rest, it is one file.
    let names: Vec<_> = fs::read_dir(place.folder.path())
        .expect("the folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(names, ["advisories.db"]);
}

#[test]
fn a_second_import_waits_for_the_first() {
    let place = Place::with(&document("OLD-1"));
    let mut child = in_the_middle(&place);
    let store = place.store.clone();
    let waiting = std::thread::spawn(move || {
        let content = Content::Bytes(String::new(), document("OTHER-1").into_bytes());
        import(&mut open(&store), &request("other"), content).expect("an import after the first");
    });
    drop(child.stdin.take());
    assert!(child.wait().expect("ended").success());
    waiting.join().expect("it waited");
    let sources = store::sources(&place.store).expect("sources");
    let counts: Vec<(&str, u64)> =
        sources.iter().map(|source| (source.name.as_str(), source.advisories)).collect();
    assert_eq!(counts, [("other", 1), ("test", 4096)]);
}

#[test]
fn an_import_replaces_its_source_and_nothing_else() {
    let place = Place::new();
    place.import("one", document("A-1").as_bytes());
    place.import("two", document("B-1").as_bytes());
    place.import("one", document("A-2").as_bytes());
    let a = package(Kind::Npm, "a", "1.0.0");
    assert_eq!(place.found(&a, ""), ["A-2 -", "B-1 -"]);
    let mut store = open(&place.store);
    assert!(store.remove("one").expect("removed"));
    assert!(!store.remove("one").expect("nothing to remove"));
    assert_eq!(place.found(&a, ""), ["B-1 -"]);
    assert!(store.remove("two").expect("removed"));
    assert!(!Matcher::open(&place.store).expect("a store").covers(Kind::Npm, ""));
    assert_eq!(store.sources().expect("sources"), []);
}

#[test]
fn a_scan_sees_one_state_to_its_end() {
    let place = Place::with(&document("A-1"));
    let a = package(Kind::Npm, "a", "1.0.0");
    let b = package(Kind::Npm, "a", "2.0.0");
    let mut matcher = Matcher::open(&place.store).expect("a store");
    assert_eq!(matcher.match_package(&a, "").expect("an answer").findings.len(), 1);
    let waiting = {
        let store = place.store.clone();
        std::thread::spawn(move || open(&store).remove("test").expect("removed"))
    };
    assert_eq!(matcher.match_package(&b, "").expect("an answer").findings.len(), 1);
    drop(matcher);
    assert!(waiting.join().expect("it waited"));
    assert!(place.found(&a, "").is_empty());
}

#[test]
fn what_is_no_store_is_refused() {
    let place = Place::new();
    let absent = Matcher::open(&place.store).expect_err("absent");
    assert!(matches!(absent, StoreError::Absent(_)), "{absent}");
    fs::write(&place.store, "some words that are no database at all").expect("a file");
    let foreign = Matcher::open(&place.store).expect_err("foreign");
    assert!(matches!(foreign, StoreError::Foreign(_)), "{foreign}");
    let foreign = Store::open(&place.store, Duration::ZERO).expect_err("foreign");
    assert!(matches!(foreign, StoreError::Foreign(_)), "{foreign}");
    assert_eq!(
        fs::read_to_string(&place.store).expect("unchanged"),
        "some words that are no database at all"
    );
}

#[test]
fn a_store_is_read_where_nothing_can_be_written() {
    let place = Place::with(&document("A-1"));
    fs::set_permissions(&place.store, Permissions::from_mode(0o444)).expect("read only");
    fs::set_permissions(place.folder.path(), Permissions::from_mode(0o555)).expect("read only");
    assert_eq!(place.found(&package(Kind::Npm, "a", "1.0.0"), ""), ["A-1 -"]);
    fs::set_permissions(place.folder.path(), Permissions::from_mode(0o755)).expect("as before");
}
