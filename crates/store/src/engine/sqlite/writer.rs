//! The one thread that writes.
//!
//! Jobs that wait are committed together: each runs in a savepoint of its own, all share one commit, and every
//! caller is answered only after that commit. Durable commits cost a disk flush each, so sharing them is what
//! makes many small durable transactions cheap, and a transaction can never be held across an `.await`.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;

/// Most jobs that share a commit: bounds how long the first one waits for the last.
const GROUP: usize = 256;

/// Told whether the commit succeeded, answers the caller.
type Reply = Box<dyn FnOnce(Result<(), String>) + Send>;
type Job = Box<dyn FnOnce(&Connection) -> Reply + Send>;

pub struct Writer {
    jobs: Sender<Job>,
}

impl Writer {
    pub fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = channel();
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&connection, &queue))
            .map_err(|source| StoreError::Folder { path: "store-writer thread".to_owned(), source })?;
        Ok(Self { jobs })
    }

    pub async fn submit<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = in_savepoint(connection, job);
            Box::new(move |committed| {
                let result = result.and_then(|value| committed.map(|()| value).map_err(StoreError::Commit));
                // The caller may have gone away; the change stands all the same.
                let _ = answer.send(result);
            })
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// Works until every handle of the store is gone.
fn run(connection: &Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let begun = connection.execute_batch("begin immediate").map_err(|error| error.to_string());
        let replies: Vec<Reply> = std::iter::once(first)
            .chain(queue.try_iter().take(GROUP - 1))
            .map(|job| job(connection))
            .collect();
        let outcome = begun.and_then(|()| commit(connection));
        for reply in replies {
            reply(outcome.clone());
        }
    }
}

fn commit(connection: &Connection) -> Result<(), String> {
    connection.execute_batch("commit").map_err(|error| {
        // A failed commit may leave the transaction open; the next group must start afresh.
        let _ = connection.execute_batch("rollback");
        error.to_string()
    })
}

fn in_savepoint<T, F>(connection: &Connection, job: F) -> Result<T, StoreError>
where
    F: FnOnce(&Connection) -> Result<T, StoreError>,
{
    if connection.is_autocommit() {
        // `begin` failed: nothing may run outside the transaction.
        return Err(StoreError::Commit("the write transaction could not begin".to_owned()));
    }
    connection.execute_batch("savepoint job")?;
    // A panic must not take the thread along that every other write depends on.
    let outcome = catch_unwind(AssertUnwindSafe(|| job(connection))).unwrap_or(Err(StoreError::Panicked));
    match outcome {
        Ok(value) => {
            connection.execute_batch("release job")?;
            Ok(value)
        }
        Err(error) => {
            connection.execute_batch("rollback to job; release job")?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failing_job_undoes_only_itself() {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch("create table t (x integer primary key)").expect("creates");
        let writer = Writer::start(connection).expect("starts");
        let insert =
            |x: i64| move |connection: &Connection| Ok(connection.execute("insert into t values ($1)", [x])?);
        let twice = |connection: &Connection| {
            connection.execute("insert into t values (7)", [])?;
            Ok(connection.execute("insert into t values (1)", [])?)
        };
        let (first, failed, last) =
            tokio::join!(writer.submit(insert(1)), writer.submit(twice), writer.submit(insert(2)));
        assert_eq!(first.expect("inserts"), 1);
        failed.expect_err("1 is taken");
        assert_eq!(last.expect("inserts"), 1);
        let sum = writer
            .submit(|connection| {
                Ok(connection.query_row("select sum(x) from t", [], |row| row.get::<_, i64>(0))?)
            })
            .await;
        assert_eq!(sum.expect("reads"), 3);
    }
}
