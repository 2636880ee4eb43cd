use std::{path::Path, sync::Barrier, thread};

use guardhouse_store::{DATABASE_FILE, Store, StoreError};
use rusqlite::Connection;

use crate::{
    rows::{self, Dialect},
    steps,
};

const DIALECT: Dialect = Dialect {
    id: |id| format!("x'{id:032x}'"),
    bytes: |bytes| format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
};

/// A store as version `version` left it.
fn at_version(folder: &Path, version: usize) {
    let connection = Connection::open(folder.join(DATABASE_FILE)).expect("opens");
    connection.execute_batch("pragma journal_mode = wal; pragma foreign_keys = on").expect("sets");
    for (number, step) in (1..=version).zip(steps("sqlite")) {
        connection.execute_batch(&step).expect("applies");
        for row in rows::of_version(number, &DIALECT) {
            connection.execute_batch(&row).expect("inserts");
        }
    }
    connection.pragma_update(None, "user_version", version).expect("sets");
}

/// Everything that the schema is made of.
fn schema(folder: &Path) -> Vec<(String, String, Option<String>)> {
    let connection = Connection::open(folder.join(DATABASE_FILE)).expect("opens");
    let sql = "select type, name, sql from sqlite_schema order by type, name";
    let mut statement = connection.prepare(sql).expect("a statement");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("reads");
    rows.collect::<Result<_, _>>().expect("reads")
}

#[tokio::test]
async fn every_version_comes_up_to_date_with_its_rows() {
    let fresh = tempfile::tempdir().expect("a folder");
    drop(Store::open(fresh.path()).expect("opens"));
    for version in 1..=steps("sqlite").len() {
        let folder = tempfile::tempdir().expect("a folder");
        at_version(folder.path(), version);
        let store = Store::open(folder.path()).expect("comes up to date");
        assert_eq!(schema(folder.path()), schema(fresh.path()), "from version {version}");
        rows::check(&store, version).await;
    }
}

#[test]
fn a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Store::open(folder.path()).expect("opens"));
    let known = steps("sqlite").len();
    let connection = Connection::open(folder.path().join(DATABASE_FILE)).expect("opens");
    connection.pragma_update(None, "user_version", known + 1).expect("sets");
    let refused = Store::open(folder.path()).expect_err("is newer");
    assert!(matches!(refused, StoreError::NewerSchema { found, known } if found == known + 1), "{refused}");
}

#[test]
fn processes_that_start_at_once_apply_each_step_once() {
    let (fresh, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    drop(Store::open(fresh.path()).expect("opens"));
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                Store::open(folder.path()).expect("opens");
            });
        }
    });
    assert_eq!(schema(folder.path()), schema(fresh.path()));
}
