//! Copies from PostgreSQL and into it.

use std::{collections::BTreeMap, fs, path::Path};

use guardhouse_model::{DeviceId, groups::ALL};
use guardhouse_store::{
    BackupError, DATABASE_FILE, Device, Store, StoreError, backup, backup_postgres, restore, restore_postgres,
};
use guardhouse_testing::postgres::{Database, Server};
use rusqlite::{Connection, types::Value};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{devices, mode, support};

/// Every row of every table.
type Content = BTreeMap<String, Vec<Vec<Value>>>;

fn content(file: &Path) -> Content {
    let connection = Connection::open(file).expect("opens");
    let names = "select name from pragma_table_list where schema = 'main' and name not like 'sqlite%'";
    let mut statement = connection.prepare(names).expect("is SQL");
    let names = statement.query_map([], |row| row.get(0)).expect("reads");
    let rows = |name: String| {
        // In the order of the primary key.
        let mut statement = connection.prepare(&format!("select * from {name}")).expect("is SQL");
        let count = statement.column_count();
        let rows = statement.query_map([], |row| (0..count).map(|place| row.get(place)).collect());
        let rows = rows.expect("reads").collect::<Result<_, _>>().expect("reads");
        (name, rows)
    };
    names.map(|name| rows(name.expect("reads"))).collect()
}

/// A backup of SQLite with something in every table.
fn everything() -> (TempDir, Content) {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    drop(Store::open(&data).expect("opens"));
    let connection = Connection::open(data.join(DATABASE_FILE)).expect("opens");
    connection.execute_batch(include_str!("everything.sql")).expect("writes");
    backup(&data, &file).expect("backs up");
    let content = content(&file);
    for (table, rows) in &content {
        assert!(rows.len() > 1, "everything.sql forgets {table}");
    }
    (folder, content)
}

async fn execute(database: &Database, sql: &str) {
    let mut connection = PgConnection::connect(&database.url()).await.expect("connects");
    connection.execute(AssertSqlSafe(sql)).await.expect("executes");
    connection.close().await.expect("closes");
}

fn change(file: &Path, sql: &str) {
    let connection = Connection::open(file).expect("opens");
    connection.execute_batch(sql).expect("executes");
}

#[tokio::test]
async fn nothing_is_lost_on_the_way_to_postgres_and_back() {
    let (folder, content_before) = everything();
    let (file, again) = (folder.path().join("backup"), folder.path().join("again"));
    let database = Server::shared().empty_database();
    restore_postgres(&file, &database.url()).await.expect("restores");

    backup_postgres(&database.url(), &again).await.expect("backs up");
    assert!(content(&again) == content_before, "something changed");
    assert_eq!(mode(&again), 0o600);
    assert!(!folder.path().join("again.part").exists() && !folder.path().join("again-journal").exists());
    let schema = |file: &Path| -> Vec<String> {
        let connection = Connection::open(file).expect("opens");
        let mut statement =
            connection.prepare("select sql from sqlite_schema order by name").expect("is SQL");
        let statements = statement.query_map([], |row| row.get::<_, Option<String>>(0)).expect("reads");
        statements.filter_map(|sql| sql.expect("reads")).collect()
    };
    assert_eq!(schema(&again), schema(&file), "its indexes are there, too");

    // Both engines take the copy of PostgreSQL.
    let (other, third) = (Server::shared().empty_database(), folder.path().join("third"));
    restore_postgres(&again, &other.url()).await.expect("restores");
    backup_postgres(&other.url(), &third).await.expect("backs up");
    assert!(content(&third) == content_before, "something changed");
    let data = folder.path().join("restored");
    restore(&again, &data).expect("restores");
    let store = Store::open(&data).expect("opens");
    let there = Store::connect(&other.url()).await.expect("connects");
    assert_eq!(devices(&store).await.len(), 2);
    assert_eq!(devices(&there).await, devices(&store).await);
    assert_eq!(
        there.key_get("authority").await.expect("reads"),
        store.key_get("authority").await.expect("reads")
    );
}

#[tokio::test]
async fn a_backup_holds_one_moment_while_others_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Server::shared().empty_database();
    let store = Store::connect(&database.url()).await.expect("connects");
    let blank = support::sqlite().device("");
    let import = |number: u128| {
        let devices = (0..10)
            .map(|place| Device { id: DeviceId(Uuid::from_u128(number * 10 + place)), ..blank.clone() });
        store.devices_import(ALL, devices.collect())
    };
    import(1).await.expect("writes").expect("the group exists");
    let writing = async {
        for number in 2.. {
            import(number).await.expect("writes").expect("the group exists");
        }
    };
    let copying = async {
        for name in ["a", "b", "c"] {
            backup_postgres(&database.url(), &folder.path().join(name)).await.expect("backs up");
        }
    };
    tokio::select! {
        () = writing => {}
        () = copying => {}
    }
    for name in ["a", "b", "c"] {
        let copy = Connection::open(folder.path().join(name)).expect("opens");
        let sql =
            "select (select count(*) from devices), device_count from device_groups order by uuid limit 1";
        let counts: (i64, i64) =
            copy.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("reads");
        assert_eq!(counts.0, counts.1);
        assert_eq!(counts.0 % 10, 0, "half an import: {counts:?}");
    }
}

#[tokio::test]
async fn only_a_new_database_is_filled() {
    let (folder, _) = everything();
    let file = folder.path().join("backup");
    let database = Server::shared().empty_database();
    // A server that could not go on has left its schema there.
    let store = Store::connect(&database.url()).await.expect("connects");
    restore_postgres(&file, &database.url()).await.expect("restores");
    assert_eq!(devices(&store).await.len(), 2, "a store that is open goes on");

    let refused = restore_postgres(&file, &database.url()).await.expect_err("it is in use");
    assert!(matches!(refused, BackupError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains(database.name()), "{refused}");
    execute(&database, "delete from device_keys; delete from device_links; delete from devices").await;
    let refused = restore_postgres(&file, &database.url()).await.expect_err("there are accounts");
    assert!(matches!(refused, BackupError::InUse { .. }), "{refused}");
    assert_eq!(store.accounts_list().await.expect("reads").len(), 2);
}

#[tokio::test]
async fn all_of_a_backup_is_restored_or_nothing() {
    let (folder, _) = everything();
    let file = folder.path().join("backup");
    let sound = fs::read(&file).expect("reads");
    let database = Server::shared().empty_database();
    // In the last tables, when the others are filled.
    change(&file, "update task_targets set target = x'01'");
    let refused = restore_postgres(&file, &database.url()).await.expect_err("no uuid");
    assert!(matches!(&refused, BackupError::NotTaken { table, .. } if table == "task_targets"), "{refused}");
    assert!(refused.to_string().contains("line 1, column target"), "{refused}");
    fs::write(&file, &sound).expect("writes");
    change(&file, "pragma foreign_keys = off; update task_triggers set task_uuid = zeroblob(16)");
    let refused = restore_postgres(&file, &database.url()).await.expect_err("no such task");
    assert!(matches!(&refused, BackupError::NotTaken { table, .. } if table == "task_triggers"), "{refused}");
    fs::write(&file, &sound[..sound.len() / 2]).expect("writes");
    let refused = restore_postgres(&file, &database.url()).await.expect_err("half of it is missing");
    assert!(matches!(refused, BackupError::NotOurs { .. }), "{refused}");
    fs::write(&file, &sound).expect("writes");
    change(&file, "drop table leases");
    let refused = restore_postgres(&file, &database.url()).await.expect_err("a table is missing");
    assert!(matches!(refused, BackupError::NotOurs { .. }), "{refused}");

    let copy = folder.path().join("copy");
    let refused = backup_postgres(&database.url(), &copy).await.expect_err("nothing is left behind");
    assert!(matches!(refused, BackupError::Empty { .. }), "{refused}");
    assert!(!copy.exists() && !folder.path().join("copy.part").exists());
    fs::write(&file, &sound).expect("writes");
    restore_postgres(&file, &database.url()).await.expect("the sound one is restored");
}

#[tokio::test]
async fn versions_are_minded() {
    let (folder, _) = everything();
    let (file, copy) = (folder.path().join("backup"), folder.path().join("copy"));
    let sound = fs::read(&file).expect("reads");
    let database = Server::shared().empty_database();
    change(&file, "pragma user_version = 9999");
    let refused = restore_postgres(&file, &database.url()).await.expect_err("newer");
    assert!(matches!(refused, BackupError::Store(StoreError::NewerSchema { found: 9999, .. })), "{refused}");

    // A backup of the first version: leases came with the second.
    fs::write(&file, &sound).expect("writes");
    change(
        &file,
        "drop table leases; drop table responses; drop table policy_assignments; drop table policies;
         pragma user_version = 1",
    );
    restore_postgres(&file, &database.url()).await.expect("restores");
    let store = Store::connect(&database.url()).await.expect("connects");
    assert_eq!(devices(&store).await.len(), 2);
    backup_postgres(&database.url(), &copy).await.expect("backs up");
    assert!(content(&copy)["leases"].is_empty());

    // A database of the first version.
    execute(
        &database,
        "drop table leases, responses, policy_assignments, policies; update schema_version set applied = 1",
    )
    .await;
    let older = folder.path().join("older");
    backup_postgres(&database.url(), &older).await.expect("backs up");
    assert!(!content(&older).contains_key("leases"));
    execute(&database, "update schema_version set applied = 9999").await;
    let refused = backup_postgres(&database.url(), &folder.path().join("newer")).await.expect_err("newer");
    assert!(matches!(refused, BackupError::Store(StoreError::NewerSchema { found: 9999, .. })), "{refused}");
}

#[tokio::test]
async fn files_are_not_replaced_and_databases_that_cannot_be_reached_are_named() {
    let (folder, _) = everything();
    let file = folder.path().join("backup");
    let before = fs::read(&file).expect("reads");
    let database = Server::shared().empty_database();
    restore_postgres(&file, &database.url()).await.expect("restores");
    let refused = backup_postgres(&database.url(), &file).await.expect_err("there is a file");
    assert!(matches!(refused, BackupError::Exists(_)), "{refused}");
    assert_eq!(fs::read(&file).expect("reads"), before);

    let copy = folder.path().join("copy");
    let nobody = "postgres://ada:secret@127.0.0.1:1/guard";
    for refused in [
        backup_postgres(nobody, &copy).await.expect_err("nobody is there"),
        restore_postgres(&file, nobody).await.expect_err("nobody is there"),
        Store::connect(nobody).await.expect_err("nobody is there").into(),
    ] {
        assert!(matches!(refused, BackupError::Store(StoreError::Unavailable(_))), "{refused}");
        let text = format!("{refused} {refused:?}");
        assert!(text.contains("guard at 127.0.0.1:1") && !text.contains("secret"), "{text}");
    }
    assert!(!copy.exists() && !folder.path().join("copy.part").exists());
}
