//! A few threads that read, each over a connection of its own, beside the writer and never in its way (WAL).
//!
//! Threads of their own, as a thread that has work takes one job after the other. When every processor is busy, a
//! job that has to wait until a thread is woken for it waits longer than it takes.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection;
use crate::StoreError;

type Job = Box<dyn FnOnce(&Connection) + Send>;

#[derive(Clone)]
pub struct Readers {
    jobs: Sender<Job>,
}

impl Readers {
    pub fn open(file: &Path, count: usize) -> Result<Self, StoreError> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..count {
            let (connection, queue) = (connection::open_for_reading(file)?, Arc::clone(&queue));
            thread::Builder::new()
                .name("store-reader".to_owned())
                .spawn(move || run(&connection, &queue))
                .map_err(|source| StoreError::Folder { path: "store-reader thread".to_owned(), source })?;
        }
        Ok(Self { jobs })
    }

    pub async fn submit<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The caller may have gone away while the job waited.
            if !answer.is_closed() {
                let _ = answer.send(on_snapshot(connection, job));
            }
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}

/// Works until every handle of the store is gone.
fn run(connection: &Connection, queue: &Mutex<Receiver<Job>>) {
    loop {
        // One thread waits at the queue, the others at the lock.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job(connection);
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
