//! What lies between a simulated process and a database in memory.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc},
    time::sleep,
};

use crate::{Listener, Signal, StoreError};

/// The line of one simulated process to a store in memory, for [`Store::over`](crate::Store::over). A simulation
/// decides through it how long calls take, whether they arrive, and what the process hears of announcements. Clones
/// are the same line.
#[derive(Clone)]
pub struct Line(Arc<Inner>);

/// What gets through a [`Line`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everything.
    Whole,
    /// What is asked, but no answers: every change is made, and its caller learns
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable).
    OneWay,
    /// Nothing. Announcements of this time are never heard.
    Cut,
}

struct Inner {
    /// How long the next journey takes, one way.
    pace: Box<dyn Fn() -> Duration + Send + Sync>,
    state: Mutex<State>,
    arrived: Notify,
}

struct State {
    reach: Reach,
    /// Announcements that the simulation has not taken yet.
    announced: VecDeque<String>,
    listeners: Vec<mpsc::UnboundedSender<Signal>>,
}

impl Line {
    /// A whole line; `pace` says how long each journey to the database, or back, takes.
    pub fn new(pace: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        let state = State { reach: Reach::Whole, announced: VecDeque::new(), listeners: Vec::new() };
        Self(Arc::new(Inner { pace: Box::new(pace), state: Mutex::new(state), arrived: Notify::new() }))
    }

    /// Cuts or mends the line. After a cut the listeners of the process learn that they were deaf.
    pub fn set(&self, reach: Reach) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.reach, reach) == Reach::Cut && reach != Reach::Cut {
            state.tell(&Signal::Deaf);
        }
    }

    /// The next announcement on its way to this process, its own too. The process hears it only when the simulation
    /// hands it on with [`Line::hear`].
    pub async fn announced(&self) -> String {
        loop {
            if let Some(payload) = self.lock().announced.pop_front() {
                return payload;
            }
            self.0.arrived.notified().await;
        }
    }

    /// Lets the listeners of the process hear an announcement, unless the line is cut.
    pub fn hear(&self, payload: String) {
        let mut state = self.lock();
        if state.reach != Reach::Cut {
            state.tell(&Signal::Payload(payload));
        }
    }

    /// The way of a question: it arrives, or it does not.
    pub(super) async fn ask(&self) -> Result<(), StoreError> {
        self.travel().await;
        if self.reach() == Reach::Cut { Err(unavailable()) } else { Ok(()) }
    }

    /// The way of an answer. What was asked for has been done by now.
    pub(super) async fn answer(&self) -> Result<(), StoreError> {
        self.travel().await;
        if self.reach() == Reach::Whole { Ok(()) } else { Err(unavailable()) }
    }

    /// Notes an announcement on its way to this process.
    pub(super) fn announce(&self, payload: &str) {
        let mut state = self.lock();
        if state.reach != Reach::Cut {
            state.announced.push_back(payload.to_owned());
            self.0.arrived.notify_one();
        }
    }

    pub(super) fn listen(&self) -> Listener {
        let (tell, heard) = mpsc::unbounded_channel();
        let mut state = self.lock();
        if state.reach != Reach::Cut {
            // It has just begun to listen; while the line is cut that is still to come.
            let _ = tell.send(Signal::Deaf);
        }
        state.listeners.push(tell);
        Listener::from_line(heard)
    }

    /// Whether anybody but one has this line.
    pub(super) fn is_used(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    async fn travel(&self) {
        sleep((self.0.pace)()).await;
    }

    fn reach(&self) -> Reach {
        self.lock().reach
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell(&mut self, signal: &Signal) {
        self.listeners.retain(|listener| listener.send(signal.clone()).is_ok());
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("the simulation cut the line".to_owned())
}

#[cfg(test)]
mod tests {
    use guardhouse_model::DeviceId;
    use uuid::Uuid;

    use super::*;
    use crate::Store;

    fn process(database: &Store) -> (Store, Line) {
        let line = Line::new(|| Duration::from_millis(5));
        (database.over(line.clone()).expect("in memory"), line)
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_loses_what_it_is_told_to_lose() {
        let database = Store::in_memory().expect("opens");
        let (store, line) = process(&database);
        let holder = Uuid::from_u128(1);
        let take = |store: Store| async move {
            let now = guardhouse_model::Timestamp::UNIX_EPOCH;
            store.lease_take("duty", holder, now, now).await
        };
        line.set(Reach::Cut);
        assert!(matches!(take(store.clone()).await, Err(StoreError::Unavailable(_))));
        let fence = |lease: Option<crate::Lease>| lease.expect("is free").fence;
        assert_eq!(fence(take(database.clone()).await.expect("at hand")), 1);
        line.set(Reach::OneWay);
        database.lease_release("duty", holder).await.expect("at hand");
        let unknown = DeviceId(Uuid::nil());
        assert!(matches!(store.device_get(unknown).await, Err(StoreError::Unavailable(_))));
        line.set(Reach::Whole);
        assert_eq!(store.device_get(unknown).await.expect("answers"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_announced_is_heard_when_the_simulation_says_so() {
        let database = Store::in_memory().expect("opens");
        let ((one, _), (other, line)) = (process(&database), process(&database));
        let mut listener = other.listen().expect("has a line");
        assert_eq!(listener.next().await, Signal::Deaf);
        one.announce("a".to_owned()).await.expect("whole");
        let payload = line.announced().await;
        line.hear(payload);
        assert_eq!(listener.next().await, Signal::Payload("a".to_owned()));
        line.set(Reach::Cut);
        one.announce("b".to_owned()).await.expect("whole");
        line.set(Reach::Whole);
        assert_eq!(listener.next().await, Signal::Deaf);
        one.announce("c".to_owned()).await.expect("whole");
        assert_eq!(line.announced().await, "c");
    }
}
