//! The two engines have one schema: a column that only one of them got would be lost on the way to the other.

use std::path::Path;

use guardhouse_store::{DATABASE_FILE, Store};
use guardhouse_testing::postgres::Server;
use rusqlite::Connection;
use sqlx::{Connection as _, PgConnection, Row as _};

/// Table, column, type and whether the column may be empty.
type Columns = Vec<(String, String, String, bool)>;

#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Store::open(folder.path()).expect("opens"));
    let sqlite = of_sqlite(&folder.path().join(DATABASE_FILE));
    assert!(sqlite.len() > 50, "{sqlite:?}");

    let database = Server::shared().empty_database();
    drop(Store::connect(&database.url()).await.expect("connects"));
    assert_eq!(of_postgres(&database.url()).await, sqlite);
}

fn of_sqlite(file: &Path) -> Columns {
    let connection = Connection::open(file).expect("opens");
    let sql = "select t.name, c.name, lower(c.type), c.\"notnull\" = 0 and c.pk = 0
               from pragma_table_list t, pragma_table_info(t.name) c
               where t.schema = 'main' and t.name not like 'sqlite%' order by t.name, c.cid";
    let mut statement = connection.prepare(sql).expect("is SQL");
    let columns = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .expect("reads");
    columns.collect::<Result<_, _>>().expect("reads")
}

async fn of_postgres(url: &str) -> Columns {
    let mut connection = PgConnection::connect(url).await.expect("connects");
    let sql = "select table_name::text, column_name::text, data_type::text, is_nullable = 'YES'
               from information_schema.columns
               where table_schema = current_schema() and table_name <> 'schema_version'
               order by table_name collate \"C\", ordinal_position";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("reads");
    let columns = rows.iter().map(|row| {
        let kind: String = row.get(2);
        let kind = match kind.as_str() {
            "bigint" => "integer",
            "uuid" | "bytea" => "blob",
            other => other,
        };
        (row.get(0), row.get(1), kind.to_owned(), row.get(3))
    });
    columns.collect()
}
