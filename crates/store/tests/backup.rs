//! Copies of the store, and what is refused.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use guardhouse_model::{DeviceId, Timestamp, groups::ALL};
use guardhouse_store::{
    AccountRecord, BackupError, DATABASE_FILE, DeviceFilter, KeyRecord, Store, StoreError, backup, restore,
};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

#[path = "backup/postgres.rs"]
mod postgres;
#[path = "backup/schema.rs"]
mod schema;

#[path = "conformance/support.rs"]
#[expect(dead_code, reason = "the conformance suite needs more of it")]
mod support;

/// A folder with a store that is open, and the place for a backup beside it.
async fn filled() -> (TempDir, Store, DeviceId) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("data")).expect("opens");
    let device = support::sqlite().device("kept");
    let id = device.id;
    store.devices_import(ALL, vec![device]).await.expect("writes").expect("the group exists");
    (folder, store, id)
}

async fn devices(store: &Store) -> Vec<DeviceId> {
    let devices = store.devices_list(DeviceFilter::default(), None, 10).await.expect("reads");
    devices.iter().map(|device| device.id).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

#[tokio::test]
async fn a_backup_holds_what_was_there_when_it_was_made() {
    let (folder, store, device) = filled().await;
    let now = Timestamp::UNIX_EPOCH;
    let key = KeyRecord { secret: vec![7; 32], certificate: Some(vec![8]) };
    store.key_settle("authority", key.clone(), now).await.expect("writes");
    let account = AccountRecord {
        uuid: Uuid::from_u128(1),
        name: "ada".to_owned(),
        password_hash: "$argon2id$…".to_owned(),
        access: 2,
        actions: None,
    };
    assert!(store.account_add(account.clone(), now).await.expect("writes"));

    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    backup(&data, &file).expect("the store may be open");
    let later = support::sqlite().device("later");
    store
        .devices_import(ALL, vec![guardhouse_store::Device { id: DeviceId(Uuid::max()), ..later }])
        .await
        .expect("writes");
    assert_eq!(devices(&store).await.len(), 2);

    let other = folder.path().join("other");
    restore(&file, &other).expect("restores");
    let restored = Store::open(&other).expect("opens");
    assert_eq!(devices(&restored).await, [device]);
    assert_eq!(restored.key_get("authority").await.expect("reads"), Some(key));
    assert_eq!(restored.account_find("ada".to_owned()).await.expect("reads"), Some(account));
    assert_eq!((mode(&file), mode(&other), mode(&other.join(DATABASE_FILE))), (0o600, 0o700, 0o600));
    let left: Vec<_> =
        fs::read_dir(folder.path()).expect("reads").map(|entry| entry.expect("reads").file_name()).collect();
    assert_eq!(left.len(), 3, "nothing else is left: {left:?}");
}

#[tokio::test]
async fn nothing_is_replaced() {
    let (folder, store, device) = filled().await;
    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    fs::write(&file, "precious").expect("writes");
    assert!(matches!(backup(&data, &file), Err(BackupError::Exists(path)) if path == file));
    assert_eq!(fs::read(&file).expect("reads"), b"precious");
    assert!(!folder.path().join("backup.part").exists());

    fs::remove_file(&file).expect("removes");
    backup(&data, &file).expect("backs up");
    assert!(matches!(restore(&file, &data), Err(BackupError::Exists(_))), "there is a store already");
    assert_eq!(devices(&store).await, [device]);

    let leftover = folder.path().join("leftover");
    fs::create_dir(&leftover).expect("makes a folder");
    fs::write(leftover.join(format!("{DATABASE_FILE}-wal")), "a log").expect("writes");
    assert!(matches!(restore(&file, &leftover), Err(BackupError::Exists(_))), "the log of another database");
    assert!(!leftover.join(DATABASE_FILE).exists());
}

#[tokio::test]
async fn only_sound_databases_of_this_program_are_restored() {
    let (folder, _store, _) = filled().await;
    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    let target = folder.path().join("target");
    backup(&data, &file).expect("backs up");
    let sound = fs::read(&file).expect("reads");
    let refusal = || {
        let error = restore(&file, &target).expect_err("refused");
        assert!(!target.join(DATABASE_FILE).exists(), "{error}");
        error
    };

    fs::write(&file, "no database at all").expect("writes");
    assert!(matches!(refusal(), BackupError::NotOurs { .. }));
    fs::write(&file, "").expect("writes");
    assert!(matches!(refusal(), BackupError::NotOurs { .. }), "an empty file is an empty database");
    fs::write(&file, &sound[..sound.len() / 2]).expect("writes");
    assert!(matches!(refusal(), BackupError::NotOurs { .. }), "half of it is missing");

    fs::write(&file, &sound).expect("writes");
    let change = |pragma| Connection::open(&file).expect("opens").execute_batch(pragma).expect("writes");
    change("pragma application_id = 1");
    assert!(matches!(refusal(), BackupError::NotOurs { .. }), "of another program");
    fs::write(&file, &sound).expect("writes");
    change("pragma user_version = 9999");
    assert!(matches!(refusal(), BackupError::Store(StoreError::NewerSchema { found: 9999, .. })));

    fs::write(&file, &sound).expect("writes");
    restore(&file, &target).expect("the sound one is restored");
}

#[test]
fn where_nothing_is_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    assert!(matches!(backup(&data, &file), Err(BackupError::Missing(_))));
    assert!(matches!(restore(&file, &data), Err(BackupError::Missing(_))));
    assert!(!data.exists() && !file.exists());
}
