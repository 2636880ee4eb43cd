//! What a server does beside answering calls.

use std::pin::Pin;

use futures_util::future::join_all;
use tokio::task::JoinSet;

use super::duty::Duty;

/// Work that goes on for as long as the server runs.
#[derive(Default)]
pub struct Background {
    works: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
    duties: Vec<Duty>,
}

/// The same, going on.
pub struct Running {
    works: JoinSet<()>,
    duties: Vec<Duty>,
}

impl Background {
    /// Adds what every replica does.
    pub fn add(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.works.push(Box::pin(work));
    }

    /// Adds what one replica at a time does.
    pub fn add_duty(&mut self, duty: Duty, work: impl Future<Output = ()> + Send + 'static) {
        self.duties.push(duty);
        self.add(work);
    }

    /// Starts everything.
    pub fn start(self) -> Running {
        Running { works: self.works.into_iter().collect(), duties: self.duties }
    }
}

impl Running {
    /// Ends everything, wherever it is, and leaves the duties to the other replicas.
    pub async fn end(mut self) {
        self.works.shutdown().await;
        join_all(self.duties.iter().map(Duty::give_up)).await;
    }
}
