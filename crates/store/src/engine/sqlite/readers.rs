//! A few connections that read, beside the writer and never in its way (WAL).

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::{sync::Semaphore, task};

use super::connection;
use crate::StoreError;

#[derive(Clone)]
pub struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub fn open(file: &Path, count: usize) -> Result<Self, StoreError> {
        let connections =
            (0..count).map(|_| connection::open_for_reading(file)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(connections)), permits: Arc::new(Semaphore::new(count)) })
    }

    pub async fn submit<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let idle = Arc::clone(&self.idle);
        let work = move || {
            let _permit = permit;
            let connection = Lease::take(&idle)?;
            // A deferred transaction: every statement of the job sees the same snapshot.
            let snapshot = connection.get().unchecked_transaction()?;
            let result = job(&snapshot);
            snapshot.finish()?;
            result
        };
        task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)?
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}

/// A connection that returns to its place even when the job panics.
struct Lease<'a> {
    connection: Option<Connection>,
    home: &'a Mutex<Vec<Connection>>,
}

impl<'a> Lease<'a> {
    fn take(home: &'a Mutex<Vec<Connection>>) -> Result<Self, StoreError> {
        let connection = home.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if connection.is_none() { Err(StoreError::Closed) } else { Ok(Self { connection, home }) }
    }

    fn get(&self) -> &Connection {
        self.connection.as_ref().expect("held until drop")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.home.lock().unwrap_or_else(PoisonError::into_inner).extend(self.connection.take());
    }
}
