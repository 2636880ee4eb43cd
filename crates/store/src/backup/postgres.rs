//! From PostgreSQL and to it, row by row: memory does not grow with the store.
//!
//! The work is done on a thread of its own, because SQLite keeps its thread waiting.

use std::path::Path;

use futures_util::TryStreamExt as _;
use rusqlite::Connection;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection,
    postgres::{PgConnectOptions, PgDatabaseError},
};
use tokio::{runtime::Handle, task};

use super::{
    BackupError, not_ours,
    part::{Part, refuse_existing},
    rows::{COPY_END, COPY_HEAD, insert, to_copy},
    sqlite::open_backup,
    tables::{Table, tables},
};
use crate::{
    StoreError,
    engine::{
        Gate,
        postgres::{MIGRATIONS, VERSION_TABLE, options, place},
        sqlite,
    },
};

/// How much is sent to PostgreSQL at once, in bytes.
const PORTION: usize = 256 * 1024;

/// Writes the store in the PostgreSQL database at `url` to the new file `file`, readable for its owner only. Servers on
/// the database go on meanwhile.
///
/// # Errors
/// There is no store in the database or a newer program wrote it; `file` exists; the database cannot be reached; or the
/// file cannot be written.
pub async fn backup_postgres(url: &str, file: &Path) -> Result<(), BackupError> {
    let (options, file) = (options(url)?, file.to_owned());
    on_a_thread(move |runtime| runtime.block_on(write(&options, &file))).await
}

/// Fills the PostgreSQL database at `url`, which must be new, with the store in the backup `file`: all of it or nothing.
///
/// # Errors
/// `file` is damaged, is not a backup or comes from a newer version; the database holds a store already or cannot be
/// reached; or the file cannot be read.
pub async fn restore_postgres(file: &Path, url: &str) -> Result<(), BackupError> {
    let (options, file) = (options(url)?, file.to_owned());
    on_a_thread(move |runtime| runtime.block_on(read(&file, &options))).await
}

async fn on_a_thread(
    job: impl FnOnce(Handle) -> Result<(), BackupError> + Send + 'static,
) -> Result<(), BackupError> {
    let runtime = Handle::current();
    task::spawn_blocking(move || job(runtime)).await.map_err(|_| StoreError::Panicked)?
}

async fn write(options: &PgConnectOptions, file: &Path) -> Result<(), BackupError> {
    refuse_existing(file)?;
    let mut database = connect(options).await?;
    run(&mut database, "begin isolation level repeatable read, read only").await?;
    let version = version(&mut database).await?;
    let version = version.ok_or_else(|| BackupError::Empty { place: place(options) })?;
    let tables = tables(version)?;

    let part = Part::begin(file)?;
    let mut copy = Connection::open(part.path())?;
    // A copy that is not finished is thrown away. References were kept by PostgreSQL.
    copy.execute_batch(
        "pragma journal_mode = off;
         pragma synchronous = off;
         pragma foreign_keys = off;
         pragma cache_size = -65536;",
    )?;
    sqlite::migrate(&mut copy, &sqlite::MIGRATIONS[..version as usize])?;
    let indexes = take_indexes(&copy)?;
    for table in &tables {
        write_table(&mut database, table, &copy).await?;
    }
    indexes.iter().try_for_each(|index| copy.execute_batch(index))?;
    copy.close().map_err(|(_, error)| error)?;
    part.finish()
}

/// Takes the indexes away that were made by statements, and answers these: to fill them at the end, in order, is quicker.
fn take_indexes(copy: &Connection) -> Result<Vec<String>, BackupError> {
    let mut statement =
        copy.prepare("select name, sql from sqlite_schema where type = 'index' and sql is not null")?;
    let indexes = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let indexes = indexes.collect::<Result<Vec<(String, String)>, _>>()?;
    drop(statement);
    for (name, _) in &indexes {
        copy.execute_batch(&format!("drop index {name}"))?;
    }
    Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
}

async fn write_table(
    database: &mut PgConnection,
    table: &Table,
    copy: &Connection,
) -> Result<(), BackupError> {
    let (name, columns) = (&table.name, table.column_list());
    let values: Vec<_> = (1..=table.columns.len()).map(|place| format!("${place}")).collect();
    let transaction = copy.unchecked_transaction()?;
    // What is there from the start may have been changed.
    copy.execute(&format!("delete from {name}"), [])?;
    let mut statement =
        copy.prepare(&format!("insert into {name} ({columns}) values ({})", values.join(", ")))?;
    // In the order in which SQLite keeps them: it then appends instead of searching.
    let sql = format!("select {columns} from {name} order by {}", table.key.join(", "));
    let mut rows = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch(database);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        insert(&row, table, &mut statement)?;
    }
    drop(statement);
    Ok(transaction.commit()?)
}

async fn read(file: &Path, options: &PgConnectOptions) -> Result<(), BackupError> {
    let (backup, version) = open_backup(file)?;
    let mut database = connect(options).await?;
    // Whatever goes wrong: what was not committed is gone with the connection.
    run(&mut database, "begin").await?;
    run(&mut database, format!("select pg_advisory_xact_lock({})", Gate::Schema.number())).await?;
    remove_unused(&mut database, options).await?;

    let (then, since) = MIGRATIONS.split_at(version as usize);
    run(&mut database, VERSION_TABLE).await?;
    run(&mut database, format!("insert into schema_version values ({})", MIGRATIONS.len())).await?;
    for migration in then {
        run(&mut database, *migration).await?;
    }
    let tables = tables(version)?;
    for table in tables.iter().rev().filter(|table| table.rows_from_the_start > 0) {
        run(&mut database, format!("delete from {}", table.name)).await?;
    }
    for table in &tables {
        read_table(&backup, file, table, &mut database).await?;
    }
    for migration in since {
        run(&mut database, *migration).await?;
    }
    // A server may begin at once, and needs good plans.
    for table in &tables {
        run(&mut database, format!("analyze {}", table.name)).await?;
    }
    run(&mut database, "commit").await?;
    database.close().await.map_err(failed)?;
    Ok(())
}

/// Removes the schema that a server made which did not go on; refuses a database with anything more in it.
async fn remove_unused(database: &mut PgConnection, options: &PgConnectOptions) -> Result<(), BackupError> {
    let Some(version) = version(database).await? else { return Ok(()) };
    let tables = tables(version)?;
    for Table { name, rows_from_the_start, .. } in &tables {
        run(database, format!("lock table {name} in access exclusive mode")).await?;
        let sql = format!("select 1 from {name} limit {}", rows_from_the_start + 1);
        let rows = database.fetch_all(AssertSqlSafe(sql)).await.map_err(failed)?;
        if i64::try_from(rows.len()).is_ok_and(|rows| rows > *rows_from_the_start) {
            return Err(BackupError::InUse { place: place(options) });
        }
    }
    let names: Vec<_> = tables.into_iter().map(|table| table.name).collect();
    run(database, format!("drop table schema_version, {}", names.join(", "))).await
}

async fn read_table(
    backup: &Connection,
    file: &Path,
    table: &Table,
    database: &mut PgConnection,
) -> Result<(), BackupError> {
    let (name, columns) = (&table.name, table.column_list());
    let damaged = |error| not_ours(file, &error);
    let mut statement = backup.prepare(&format!("select {columns} from {name}")).map_err(damaged)?;
    let mut rows = statement.raw_query();
    let sql = format!("copy {name} ({columns}) from stdin (format binary)");
    let mut copy = database.copy_in_raw(&sql).await.map_err(failed)?;
    let mut data = COPY_HEAD.to_vec();
    while let Some(row) = rows.next().map_err(damaged)? {
        to_copy(row, table, &mut data).map_err(|error| not_ours(file, &error))?;
        if data.len() >= PORTION {
            copy.send(data.as_slice()).await.map_err(failed)?;
            data.clear();
        }
    }
    data.extend_from_slice(&COPY_END);
    copy.send(data).await.map_err(failed)?;
    copy.finish().await.map_err(|error| not_taken(name, error))?;
    Ok(())
}

/// The version of the schema; none where there is no schema.
async fn version(database: &mut PgConnection) -> Result<Option<u32>, BackupError> {
    let there: bool = sqlx::query_scalar("select to_regclass('schema_version') is not null")
        .fetch_one(&mut *database)
        .await
        .map_err(failed)?;
    if !there {
        return Ok(None);
    }
    let applied: i64 =
        sqlx::query_scalar("select applied from schema_version").fetch_one(database).await.map_err(failed)?;
    let known = u32::try_from(MIGRATIONS.len()).expect("a handful");
    match u32::try_from(applied) {
        Ok(0) => Ok(None),
        Ok(found) if found > known => Err(StoreError::NewerSchema { found, known }.into()),
        Ok(found) => Ok(Some(found)),
        Err(_) => Err(StoreError::Inconsistent(format!("schema version {applied}")).into()),
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, BackupError> {
    let connected = options.connect().await;
    Ok(connected.map_err(|error| StoreError::Unavailable(format!("{}: {error}", place(options))))?)
}

async fn run(database: &mut PgConnection, sql: impl Into<String>) -> Result<(), BackupError> {
    database.execute(sqlx::raw_sql(AssertSqlSafe(sql.into()))).await.map_err(failed)?;
    Ok(())
}

fn failed(error: sqlx::Error) -> BackupError {
    match error {
        sqlx::Error::Database(_) => StoreError::Postgres(error).into(),
        lost => StoreError::Unavailable(lost.to_string()).into(),
    }
}

fn not_taken(table: &str, error: sqlx::Error) -> BackupError {
    let Some(refusal) =
        error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
    else {
        return failed(error);
    };
    let row = refusal.r#where().map(|row| format!(" ({row})")).unwrap_or_default();
    BackupError::NotTaken { table: table.to_owned(), reason: format!("{}{row}", refusal.message()) }
}
