//! Two replicas of one store, and many who use them at once.

use std::ops::Deref;

use guardhouse_store::Store;
use tokio::task;

use crate::support::Fixture;

/// How often a race is run.
pub const ROUNDS: usize = 12;

pub struct Arena {
    fixture: Fixture,
    replicas: [Store; 2],
}

impl Arena {
    pub async fn new(fixture: Fixture) -> Self {
        let replicas = [fixture.store.clone(), fixture.replica().await];
        Self { fixture, replicas }
    }

    /// The store, by turns through one replica and the other.
    pub fn replica(&self, number: usize) -> Store {
        self.replicas[number % 2].clone()
    }
}

impl Deref for Arena {
    type Target = Fixture;

    fn deref(&self) -> &Fixture {
        &self.fixture
    }
}

/// Carries all of them out at once; their answers in the same order.
pub async fn at_once<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let running: Vec<_> = futures.into_iter().map(task::spawn).collect();
    let mut answers = Vec::with_capacity(running.len());
    for one in running {
        answers.push(one.await.expect("does not panic"));
    }
    answers
}
