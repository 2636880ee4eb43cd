//! The loop of a worker.

use std::{io, pin::pin, sync::Arc, time::Duration};

use guardhouse_contract::{
    Status,
    scans::{LeaseState, LeasedSubtask, ReportProgressRequest, SubtaskProgress, TakeSubtasksRequest},
};
use guardhouse_model::Environment;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tracing::{info, warn};

use crate::{
    Queue, Settings,
    board::{Board, Hand, Why},
    queue::{CALL, answer, is_passing, is_refused, pause},
    scratch::Scratch,
    subtask::{Workshop, projects, work},
};

/// How often the queue is spoken to at most, about everything together.
const BEAT: Duration = Duration::from_secs(1);

/// How long a worker that is to end waits for an answer of the queue that is on its way.
const LAST_WORD: Duration = Duration::from_secs(3);

/// How long a worker that ends tries to give back what it has. A queue that is away must not hold it up.
const FAREWELL: Duration = Duration::from_secs(8);

/// Carries out scans.
#[derive(Debug)]
pub struct Worker<Q> {
    workshop: Arc<Workshop<Q>>,
    board: Board,
    hands: JoinSet<()>,
    /// How long the queue lets it keep a subtask without a word.
    lease: Duration,
    /// What was said last of what is in hand, and when.
    told: (Vec<SubtaskProgress>, Instant),
    /// Whether the queue did not take the last word.
    is_unheard: bool,
    /// How often in a row the queue gave no work because it did not answer, and when it is asked again.
    failures: (u32, Instant),
}

impl<Q: Queue> Worker<Q> {
    /// A worker that has nothing in hand yet.
    ///
    /// # Errors
    /// There is no room for its temporary files.
    pub fn new(queue: Q, settings: Settings, environment: Environment) -> io::Result<Self> {
        let scratch = Scratch::make(&settings.scratch, &environment)?;
        let now = Instant::now();
        Ok(Self {
            workshop: Arc::new(Workshop { queue, settings, environment, scratch }),
            board: Board::default(),
            hands: JoinSet::new(),
            lease: Duration::ZERO,
            told: (Vec::new(), now),
            is_unheard: false,
            failures: (0, now),
        })
    }

    /// Works until `shutdown` is ready, and gives back what it has then.
    ///
    /// # Errors
    /// The queue refuses to give it work, and would again.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), Status> {
        let mut shutdown = pin!(shutdown);
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            let mut is_due = false;
            tokio::select! {
                () = &mut shutdown => break Ok(()),
                Some(ended) = self.hands.join_next() => {
                    if let Err(panic) = ended {
                        warn!(%panic, "a subtask broke; its lease runs out");
                    }
                }
                _ = beat.tick() => is_due = true,
            }
            let mut spoken = pin!(self.speak(is_due));
            let spoken = tokio::select! {
                spoken = &mut spoken => spoken,
                // What the queue gives it in this moment is given back, too. One that is away is not waited for.
                () = &mut shutdown => {
                    _ = timeout(LAST_WORD, spoken).await;
                    break Ok(());
                }
            };
            if let Err(status) = spoken {
                break Err(status);
            }
        };
        self.leave().await;
        ended
    }

    /// Says how far everything is, when that is due, and takes as much as there is a place for.
    async fn speak(&mut self, is_due: bool) -> Result<(), Status> {
        if is_due {
            self.tell().await?;
        }
        self.take().await
    }

    /// Takes as much as there is a place for.
    async fn take(&mut self) -> Result<(), Status> {
        let settings = &self.workshop.settings;
        let places = settings.slots.min(Settings::MOST_SLOTS).saturating_sub(self.hands.len());
        if places == 0 || Instant::now() < self.failures.1 {
            return Ok(());
        }
        let limit = i32::try_from(places).unwrap_or(1);
        let request = TakeSubtasksRequest { worker: settings.name.clone(), limit };
        match answer(CALL, self.workshop.queue.take(request)).await {
            Ok(taken) => {
                if self.failures.0 > 0 {
                    info!("the queue of scans answers again");
                }
                self.failures.0 = 0;
                self.lease = Duration::from_millis(u64::try_from(taken.lease_ms).unwrap_or(0));
                for subtask in taken.subtasks {
                    self.begin(subtask);
                }
                Ok(())
            }
            Err(status) if is_passing(&status) => {
                if self.failures.0 == 0 {
                    warn!(%status, "the queue of scans does not answer; it is asked again");
                }
                self.failures.1 = Instant::now() + pause(self.failures.0);
                self.failures.0 = self.failures.0.saturating_add(1);
                Ok(())
            }
            Err(status) => Err(status),
        }
    }

    fn begin(&mut self, subtask: LeasedSubtask) {
        let lease = subtask.lease.clone().unwrap_or_default();
        let projects = projects(subtask.options.as_ref().unwrap_or(&Default::default()));
        let held = self.board.add(Arc::new(Hand::new(lease, &projects)));
        self.hands.spawn(work(Arc::clone(&self.workshop), held, subtask));
    }

    /// Says how far everything is, when there is news or a lease wants to be renewed; hears what is to stop.
    ///
    /// # Errors
    /// The queue does not take this worker any more: nothing that it says will be heard.
    async fn tell(&mut self) -> Result<(), Status> {
        let hands = self.board.hands();
        let progress = Board::told(&hands);
        let (said, when) = &self.told;
        if !is_due(&progress, said, when.elapsed(), self.lease) {
            return Ok(());
        }
        let request = ReportProgressRequest { subtasks: progress.clone() };
        match answer(CALL, self.workshop.queue.progress(request)).await {
            Ok(answer) => {
                for (hand, state) in hands.iter().zip(answer.leases()) {
                    if let Some(why) = why(state) {
                        hand.stop(why);
                    }
                }
                self.told = (progress, Instant::now());
                self.is_unheard = false;
            }
            Err(status) if is_refused(&status) => return Err(status),
            // Said again with the next beat. Who has lost something meanwhile hears of it then.
            Err(status) => {
                if !std::mem::replace(&mut self.is_unheard, true) {
                    warn!(%status, "the queue of scans does not take how far they are; it is said again");
                }
            }
        }
        Ok(())
    }

    /// Gives back what is in hand.
    async fn leave(&mut self) {
        for hand in self.board.hands() {
            hand.stop(Why::Leaving);
        }
        let all = async { while self.hands.join_next().await.is_some() {} };
        if timeout(FAREWELL, all).await.is_err() {
            warn!("scans were not given back in time; their leases run out");
        }
    }
}

/// Whether there is something to say: it differs from what was said last, or that was so long ago that leases would run
/// out if the next two attempts failed.
fn is_due(now: &[SubtaskProgress], said: &[SubtaskProgress], passed: Duration, lease: Duration) -> bool {
    !now.is_empty() && (now != said || passed >= lease / 3)
}

/// Why a subtask is to stop whose lease is in this state; `None`: it is not.
fn why(state: LeaseState) -> Option<Why> {
    match state {
        LeaseState::Cancelled => Some(Why::Cancelled),
        LeaseState::Lost => Some(Why::Lost),
        LeaseState::Held | LeaseState::Unspecified => None,
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::scans::SubtaskLease;

    use super::*;

    #[test]
    fn news_and_leases_are_told() {
        let lease = Duration::from_secs(120);
        let of = |percent| {
            let lease = Some(SubtaskLease { subtask_uuid: "1".to_owned(), fence: 1 });
            vec![SubtaskProgress { lease, projects: [("vul".to_owned(), percent)].into() }]
        };
        let seconds = Duration::from_secs;
        assert!(is_due(&of(2), &of(1), seconds(1), lease), "news");
        assert!(!is_due(&of(1), &of(1), seconds(39), lease), "nothing new");
        assert!(is_due(&of(1), &of(1), seconds(40), lease), "the lease");
        assert!(!is_due(&[], &of(1), seconds(99), lease), "nothing in hand");
        assert!(is_due(&of(0), &[], seconds(0), lease), "it is new");
    }

    #[test]
    fn states_of_leases_stop_scans() {
        let table = [
            (LeaseState::Held, None),
            (LeaseState::Unspecified, None),
            (LeaseState::Cancelled, Some(Why::Cancelled)),
            (LeaseState::Lost, Some(Why::Lost)),
        ];
        for (state, expected) in table {
            assert_eq!(why(state), expected, "{state:?}");
        }
    }
}
