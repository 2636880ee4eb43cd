//! One simulated agent: keeps its link by the rules of the real one.

use std::{sync::Arc, time::Duration};

use guardhouse_contract::link::go_away::Reason;
use guardhouse_link::{Backoff, backoff::jitter};
use guardhouse_model::Environment;
use tokio::{sync::mpsc::UnboundedSender, time::sleep};

use super::{
    endpoint::Endpoint,
    host::Host,
    link::{Event, Link, Unacknowledged, now},
    mark::Series,
};

/// The most that agents wait before they come back to a server that told them of its restart, as in the agent.
const RESTART_JITTER: Duration = Duration::from_secs(2);

/// What an agent has of its own, and what all of them share.
#[derive(Debug)]
pub struct Agent {
    /// Who it is.
    pub host: Host,
    /// Its server.
    pub endpoint: Arc<Endpoint>,
    /// Time and randomness.
    pub environment: Environment,
    /// The tasks that are measured.
    pub series: Series,
    /// Where it tells what happens.
    pub events: UnboundedSender<Event>,
}

impl Agent {
    /// Works over `link`, and over new ones when it is lost, until the server dismisses the device.
    pub async fn live(self, mut link: Link) {
        let mut ended = Unacknowledged::new();
        loop {
            let mut backoff = Backoff::new();
            let number = self.host.number;
            let over = link.talk(number, self.series, &mut ended, &self.environment, &self.events).await;
            drop(link);
            let (text, reason) = match over {
                Ok(Some(reason)) => (format!("the server closes the link: {reason:?}"), Some(reason)),
                Ok(None) => ("the server closed the link".to_owned(), None),
                Err(error) => (format!("{error:#}"), None),
            };
            // Nobody listens any more when the measurement is over.
            let _ = self.events.send(Event::Lost { number, reason: format!("{}: {text}", self.host.name()) });
            let mut wait = match reason {
                Some(Reason::NotManaged) => return,
                Some(Reason::ShuttingDown) => jitter(RESTART_JITTER, self.environment.random()),
                _ => backoff.next(self.environment.random()),
            };
            let mut attempts = 0;
            link = loop {
                sleep(wait).await;
                attempts += 1;
                match Link::open(&self.endpoint, &self.host).await {
                    Ok(link) => break link,
                    Err(error) => {
                        tracing::debug!("{error:#}");
                        wait = backoff.next(self.environment.random());
                    }
                }
            };
            let _ = self.events.send(Event::Back { number, at: now(), attempts });
        }
    }
}
