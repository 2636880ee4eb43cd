use guardhouse_store::{Store, StoreError};
use guardhouse_testing::postgres::Server;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    rows::{self, Dialect},
    steps,
};

const DIALECT: Dialect = Dialect {
    id: |id| format!("'{}'::uuid", Uuid::from_u128(id)),
    bytes: |bytes| {
        format!("'\\x{}'::bytea", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    },
};

/// Every column, index, constraint and sequence.
const SCHEMA: &str = "
    select 'column', concat_ws(' ', table_name, ordinal_position, column_name, data_type, collation_name,
        is_nullable, column_default)
    from information_schema.columns where table_schema = 'public'
    union all select 'index', indexdef from pg_indexes where schemaname = 'public'
    union all select 'constraint', concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
    from pg_constraint where connamespace = 'public'::regnamespace
    union all select 'relation', concat_ws(' ', relname, relkind, relpersistence)
    from pg_class where relnamespace = 'public'::regnamespace
    order by 1, 2";

async fn run(url: &str, sql: impl Into<String>) {
    let mut connection = PgConnection::connect(url).await.expect("connects");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.into()))).await.expect("is carried out");
}

/// A store as version `version` left it.
async fn at_version(url: &str, version: usize) {
    for (number, step) in (1..=version).zip(steps("postgres")) {
        run(url, step).await;
        for row in rows::of_version(number, &DIALECT) {
            run(url, row).await;
        }
    }
    run(url, "create table schema_version (applied bigint not null)").await;
    run(url, format!("insert into schema_version values ({version})")).await;
}

async fn schema(url: &str) -> Vec<(String, String)> {
    let mut connection = PgConnection::connect(url).await.expect("connects");
    let rows = connection.fetch_all(SCHEMA).await.expect("reads");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn applied(url: &str) -> Vec<i64> {
    let mut connection = PgConnection::connect(url).await.expect("connects");
    let rows = connection.fetch_all("select applied from schema_version").await.expect("reads");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_version_comes_up_to_date_with_its_rows() {
    let fresh = Server::shared().empty_database();
    Store::connect(&fresh.url()).await.expect("connects");
    for version in 1..=steps("postgres").len() {
        let database = Server::shared().empty_database();
        at_version(&database.url(), version).await;
        let store = Store::connect(&database.url()).await.expect("comes up to date");
        assert_eq!(schema(&database.url()).await, schema(&fresh.url()).await, "from version {version}");
        rows::check(&store, version).await;
    }
}

#[tokio::test]
async fn a_newer_version_is_refused() {
    let database = Server::shared().empty_database();
    Store::connect(&database.url()).await.expect("connects");
    run(&database.url(), "update schema_version set applied = applied + 1").await;
    let refused = Store::connect(&database.url()).await.expect_err("is newer");
    assert!(matches!(refused, StoreError::NewerSchema { found, known } if found == known + 1), "{refused}");
}

#[tokio::test]
async fn processes_that_start_at_once_apply_each_step_once() {
    let (fresh, database) = (Server::shared().empty_database(), Server::shared().empty_database());
    Store::connect(&fresh.url()).await.expect("connects");
    let mut starting = JoinSet::new();
    for _ in 0..6 {
        let url = database.url();
        starting.spawn(async move { Store::connect(&url).await.expect("connects") });
    }
    starting.join_all().await;
    assert_eq!(applied(&database.url()).await, [i64::try_from(steps("postgres").len()).expect("a few")]);
    assert_eq!(schema(&database.url()).await, schema(&fresh.url()).await);
}
