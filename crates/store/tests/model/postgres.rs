//! One database of PostgreSQL for all sequences: new connections for each would take longer than its commands.

use guardhouse_store::Store;
use guardhouse_testing::postgres::{Database, Server};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::{runtime::Runtime, sync::Mutex};

pub struct Postgres {
    pub store: Store,
    /// Empties it.
    connection: Mutex<PgConnection>,
    /// Puts every table back to what it held from the start.
    empty: String,
    _database: Database,
}

impl Postgres {
    pub fn new(runtime: &Runtime) -> Self {
        let database = Server::shared().empty_database();
        let (store, connection, empty) = runtime.block_on(async {
            let store = Store::connect(&database.url()).await.expect("connects");
            let mut connection = PgConnection::connect(&database.url()).await.expect("connects");
            let empty = remember(&mut connection).await.expect("the schema is there");
            (store, Mutex::new(connection), empty)
        });
        Self { store, connection, empty, _database: database }
    }

    /// Puts everything back to how it was from the start.
    pub async fn empty(&self) {
        let mut connection = self.connection.lock().await;
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(self.empty.clone())))
            .await
            .expect("nobody else is at work");
    }
}

/// Copies what the tables hold, and answers the statements that put it back.
async fn remember(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    // In the role of a replica no reference between tables is checked: their order does not matter.
    connection.execute("set session_replication_role = replica; create schema start").await?;
    let tables = connection.fetch_all("select tablename from pg_tables where schemaname = 'public'").await?;
    let mut empty = String::new();
    for table in tables {
        let table: String = table.get(0);
        let copy = format!("create table start.{table} as table public.{table}");
        connection.execute(AssertSqlSafe(copy)).await?;
        empty += &format!("delete from {table}; insert into {table} table start.{table};");
    }
    Ok(empty)
}
