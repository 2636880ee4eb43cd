//! What a process hears of the others that share its store.

use std::fmt;

use tokio::sync::mpsc;

use super::postgres;

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Somebody announced this.
    Payload(String),
    /// The listener has just begun to listen, for the first time or again: what was announced before it did not hear.
    Deaf,
}

/// Hears what is announced on the database.
pub struct Listener(Source);

enum Source {
    Postgres(postgres::Listener),
    /// The simulation decides.
    Line(mpsc::UnboundedReceiver<Signal>),
}

impl Listener {
    pub(crate) fn from_postgres(listener: postgres::Listener) -> Self {
        Self(Source::Postgres(listener))
    }

    pub(crate) fn from_line(heard: mpsc::UnboundedReceiver<Signal>) -> Self {
        Self(Source::Line(heard))
    }

    /// The next signal. Connects, and connects again, for as long as it takes. May be dropped at any moment.
    pub async fn next(&mut self) -> Signal {
        match &mut self.0 {
            Source::Postgres(listener) => listener.next().await,
            Source::Line(heard) => match heard.recv().await {
                Some(signal) => signal,
                // The line is gone, and with it whoever could say something.
                None => std::future::pending().await,
            },
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
