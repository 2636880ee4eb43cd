//! A few threads that read, each over a connection of its own, beside the writer and never in its way (WAL).

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection;
use crate::{StoreError, engine::crew::Crew};

#[derive(Clone)]
pub struct Readers {
    crew: Crew<Connection>,
}

impl Readers {
    pub fn open(file: &Path, count: usize) -> Result<Self, StoreError> {
        let connections = (0..count).map(|_| connection::open_for_reading(file)).collect::<Result<_, _>>()?;
        Ok(Self { crew: Crew::start("store-reader", connections)? })
    }

    pub async fn submit<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.crew.give(move |connection| {
            // The caller may have gone away while the job waited.
            if !answer.is_closed() {
                let _ = answer.send(on_snapshot(connection, job));
            }
        })?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}

/// A deferred transaction: every statement of the job sees the same snapshot.
fn on_snapshot<T, F>(connection: &Connection, job: F) -> Result<T, StoreError>
where
    F: FnOnce(&Connection) -> Result<T, StoreError>,
{
    let snapshot = connection.unchecked_transaction()?;
    // A panic must not take the thread along.
    let result = catch_unwind(AssertUnwindSafe(|| job(&snapshot))).unwrap_or(Err(StoreError::Panicked));
    snapshot.finish()?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn readers_survive_what_their_jobs_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        connection::open_for_writing(&file)
            .and_then(|connection| {
                Ok(connection.execute_batch("create table t (x); insert into t values (7)")?)
            })
            .expect("makes a database");
        let readers = Readers::open(&file, 2).expect("opens");
        for _ in 0..4 {
            let panicked = readers.submit(|_| -> Result<(), StoreError> { panic!("a bug") }).await;
            assert!(matches!(panicked, Err(StoreError::Panicked)), "{panicked:?}");
        }
        drop(readers.submit(|_| -> Result<(), StoreError> { panic!("nobody waits for it") }));
        let find = |connection: &Connection| {
            Ok(connection.query_row("select x from t", [], |row| row.get::<_, i64>(0))?)
        };
        let (first, second, third) =
            tokio::join!(readers.submit(find), readers.submit(find), readers.submit(find));
        assert_eq!([first, second, third].map(|found| found.expect("reads")), [7; 3]);
    }
}
