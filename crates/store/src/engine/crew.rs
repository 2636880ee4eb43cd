//! Threads that take jobs from one queue, each with a connection of its own.
//!
//! Threads of their own, as a thread that has work takes one job after the other. When every processor is busy, a
//! job that has to wait until a thread is woken for it waits longer than it takes.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use crate::StoreError;

type Job<C> = Box<dyn FnOnce(&C) + Send>;

/// The way to the threads, which end with its last clone.
pub struct Crew<C> {
    jobs: Sender<Job<C>>,
}

impl<C: Send + 'static> Crew<C> {
    /// Starts a thread with this name for each connection.
    pub fn start(name: &str, connections: Vec<C>) -> Result<Self, StoreError> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for connection in connections {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || run(&connection, &queue))
                .map_err(|source| StoreError::Folder { path: format!("{name} thread"), source })?;
        }
        Ok(Self { jobs })
    }

    /// Lets the next free thread do a job, which must not panic: it would take the thread along.
    pub fn give(&self, job: impl FnOnce(&C) + Send + 'static) -> Result<(), StoreError> {
        self.jobs.send(Box::new(job)).map_err(|_| StoreError::Closed)
    }
}

impl<C> Clone for Crew<C> {
    fn clone(&self) -> Self {
        Self { jobs: self.jobs.clone() }
    }
}

/// Works until nobody can give it anything any more.
fn run<C>(connection: &C, queue: &Mutex<Receiver<Job<C>>>) {
    loop {
        // One thread waits at the queue, the others at the lock, which is given up before the work.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job(connection);
    }
}
