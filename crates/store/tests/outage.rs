//! What a caller hears when PostgreSQL or the way to it fails, and that all is well once it is back.

use guardhouse_model::{DeviceId, Timestamp, groups::ALL};
use guardhouse_store::{Device, Store, StoreError};
use guardhouse_testing::postgres::{Database, Server};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tokio::task;
use uuid::Uuid;

/// More calls than a store has connections: none of them may be left in a bad state.
const CALLS: usize = 40;

async fn works(store: &Store) {
    for _ in 0..CALLS {
        store.group_get(ALL).await.expect("reads").expect("is there");
        store.lease_take("duty", Uuid::nil(), Timestamp::UNIX_EPOCH, Timestamp::MAX).await.expect("writes");
    }
}

fn unavailable<T>(outcome: Result<T, StoreError>) {
    match outcome {
        Err(StoreError::Unavailable(_)) => {}
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was answered"),
    }
}

async fn device(store: &Store) -> DeviceId {
    let id = DeviceId(Uuid::from_u128(1));
    let device = Device::placeholder(id, ALL, "old".to_owned());
    store.devices_import(ALL, vec![device]).await.expect("writes").expect("is there");
    id
}

/// A rename that waits for the device, which the answered connection has locked.
async fn waiting_rename(
    database: &Database,
    store: &Store,
    id: DeviceId,
) -> (PgConnection, task::JoinHandle<Result<Option<Device>, StoreError>>) {
    let mut holder = PgConnection::connect(&database.url()).await.expect("connects");
    holder.execute("begin").await.expect("begins");
    holder.execute("select 1 from devices for update").await.expect("locks");
    let store = store.clone();
    let rename =
        task::spawn(async move { store.device_rename(id, "new".to_owned(), Timestamp::UNIX_EPOCH).await });
    // Not by the holder: within a transaction it sees the same activity every time.
    let mut watcher = PgConnection::connect(&database.url()).await.expect("connects");
    let waiting = "select count(*) from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()";
    while watcher.fetch_one(waiting).await.expect("reads").get::<i64, _>(0) == 0 {
        task::yield_now().await;
    }
    (holder, rename)
}

#[tokio::test]
async fn a_server_that_stops_is_found_again_when_it_is_back() {
    let mut server = Server::own();
    let database = server.empty_database();
    let store = Store::connect(&database.url()).await.expect("connects");
    let id = device(&store).await;
    works(&store).await;

    let (holder, rename) = waiting_rename(&database, &store, id).await;
    server.stop_immediately();
    unavailable(rename.await.expect("does not panic"));
    drop(holder);
    for _ in 0..CALLS {
        unavailable(store.group_get(ALL).await);
    }
    unavailable(Store::connect(&database.url()).await);

    server.start();
    works(&store).await;
    let device = store.device_get(id).await.expect("reads").expect("is there");
    assert_eq!(device.display_name, "old", "what was not answered was not done");
}

#[tokio::test]
async fn sessions_that_the_server_ends_are_replaced_unnoticed() {
    let database = Server::shared().empty_database();
    let store = Store::connect(&database.url()).await.expect("connects");
    works(&store).await;
    let mut admin = PgConnection::connect(&database.url()).await.expect("connects");
    let end = "select pg_terminate_backend(pid, 60000) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    admin.execute(end).await.expect("is allowed");
    works(&store).await;
}

#[tokio::test]
async fn a_way_that_is_cut_is_found_again_when_it_is_back() {
    let database = Server::shared().empty_database();
    let proxy = Server::shared().proxy();
    let store = Store::connect(&database.url_through(&proxy)).await.expect("connects");
    works(&store).await;
    proxy.cut();
    unavailable(store.group_get(ALL).await);
    proxy.heal();
    works(&store).await;
}

#[tokio::test]
async fn a_way_that_says_nothing_is_given_up() {
    let database = Server::shared().empty_database();
    let proxy = Server::shared().proxy();
    let url = format!("{}&statement_limit=200&connections=2", database.url_through(&proxy));
    let store = Store::connect(&url).await.expect("connects");
    works(&store).await;
    proxy.freeze();
    unavailable(store.group_get(ALL).await);
    unavailable(store.account_remove("ada".to_owned()).await);
    proxy.heal();
    works(&store).await;
}

#[tokio::test]
async fn who_vanishes_in_the_middle_does_not_keep_its_locks() {
    let database = Server::shared().empty_database();
    let proxy = Server::shared().proxy();
    let url = format!("{}&statement_limit=1000", database.url_through(&proxy));
    let (vanishing, staying) = (
        Store::connect(&url).await.expect("connects"),
        Store::connect(&database.url()).await.expect("connects"),
    );
    let id = device(&staying).await;
    let (mut holder, rename) = waiting_rename(&database, &vanishing, id).await;
    proxy.freeze();
    unavailable(rename.await.expect("does not panic"));
    // The server now carries the statement out, and waits for a commit that never comes.
    holder.execute("rollback").await.expect("ends");
    let renamed =
        staying.device_rename(id, "newer".to_owned(), Timestamp::UNIX_EPOCH).await.expect("gets the lock");
    assert_eq!(renamed.map(|device| device.display_name).as_deref(), Some("newer"));
}
