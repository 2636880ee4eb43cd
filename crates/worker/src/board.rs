//! What a worker has in hand: how far each subtask is, and who wants it to stop.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use guardhouse_contract::scans::{SubtaskLease, SubtaskProgress};
use guardhouse_detect::Progress;
use guardhouse_scan::{Project, supervisor::Stop};
use tokio::sync::watch;

/// Why a subtask is to stop; what comes later counts more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The worker ends.
    Leaving,
    /// Somebody wants the subtask to end.
    Cancelled,
    /// It is not this worker's any more.
    Lost,
}

/// A subtask that is worked on.
#[derive(Debug)]
pub struct Hand {
    lease: SubtaskLease,
    percents: Mutex<BTreeMap<Project, u8>>,
    stop: Stop,
    why: watch::Sender<Option<Why>>,
}

impl Hand {
    /// At the beginning of its projects.
    pub fn new(lease: SubtaskLease, projects: &[Project]) -> Self {
        Self {
            lease,
            percents: Mutex::new(projects.iter().map(|&project| (project, 0)).collect()),
            stop: Stop::default(),
            why: watch::Sender::new(None),
        }
    }

    /// The right to the subtask.
    pub fn lease(&self) -> SubtaskLease {
        self.lease.clone()
    }

    /// A project got further.
    pub fn advance(&self, progress: Progress) {
        let mut percents = self.percents.lock().unwrap_or_else(PoisonError::into_inner);
        percents.insert(progress.project, progress.percent);
    }

    /// Stops it.
    pub fn stop(&self, why: Why) {
        self.why.send_modify(|known| *known = (*known).max(Some(why)));
        self.stop.stop();
    }

    /// Why it is to stop; `None`: it is not.
    pub fn why(&self) -> Option<Why> {
        *self.why.borrow()
    }

    /// Waits until it is to stop.
    pub async fn stopped(&self) -> Why {
        let mut why = self.why.subscribe();
        let known = why.wait_for(Option::is_some).await.map(|why| *why);
        match known {
            Ok(Some(why)) => why,
            // Its sender is this.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// What stops its scan.
    pub fn scan_stop(&self) -> &Stop {
        &self.stop
    }

    fn told(&self) -> SubtaskProgress {
        let percents = self.percents.lock().unwrap_or_else(PoisonError::into_inner);
        let told = percents.iter().map(|(project, percent)| (project.name().to_owned(), i32::from(*percent)));
        SubtaskProgress { lease: Some(self.lease.clone()), projects: told.collect() }
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<Vec<Arc<Hand>>>>);

impl Board {
    /// Takes a subtask in hand, until the answer is dropped.
    pub fn add(&self, hand: Arc<Hand>) -> Held {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&hand));
        Held { board: self.clone(), hand }
    }

    /// What is in hand now.
    pub fn hands(&self) -> Vec<Arc<Hand>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How far these are, in their order.
    pub fn told(hands: &[Arc<Hand>]) -> Vec<SubtaskProgress> {
        hands.iter().map(|hand| hand.told()).collect()
    }
}

/// A subtask in hand.
#[derive(Debug)]
pub struct Held {
    board: Board,
    hand: Arc<Hand>,
}

impl Held {
    /// The subtask.
    pub fn hand(&self) -> &Arc<Hand> {
        &self.hand
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut hands = self.board.0.lock().unwrap_or_else(PoisonError::into_inner);
        hands.retain(|hand| !Arc::ptr_eq(hand, &self.hand));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hand() -> Arc<Hand> {
        Arc::new(Hand::new(SubtaskLease::default(), &Project::ALL))
    }

    #[tokio::test]
    async fn the_weightiest_reason_to_stop_counts() {
        let hand = hand();
        assert_eq!(hand.why(), None);
        assert!(!hand.scan_stop().is_stopped());
        for (why, counts) in [
            (Why::Leaving, Why::Leaving),
            (Why::Cancelled, Why::Cancelled),
            (Why::Leaving, Why::Cancelled),
            (Why::Lost, Why::Lost),
            (Why::Cancelled, Why::Lost),
        ] {
            hand.stop(why);
            assert_eq!((hand.why(), hand.stopped().await), (Some(counts), counts));
        }
        assert!(hand.scan_stop().is_stopped());
    }

    #[test]
    fn what_is_in_hand_is_told() {
        let board = Board::default();
        let first = board.add(hand());
        let second = board.add(hand());
        first.hand().advance(Progress { project: Project::Vul, percent: 40 });
        let hands = board.hands();
        let told: Vec<Vec<_>> = Board::told(&hands)
            .into_iter()
            .map(|told| told.projects.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
            .collect();
        let expected = |vul| vec![("scaVul".to_owned(), 0), ("vul".to_owned(), vul)];
        assert_eq!(told, [expected(40), expected(0)]);
        drop(first);
        assert!(Arc::ptr_eq(&board.hands()[0], second.hand()));
        drop(second);
        assert!(board.hands().is_empty());
    }
}
