//! How far runs are, on the way from a device to the store: a device may say it as often as it likes, and the store
//! hears the last word of a while.

use std::{collections::BTreeMap, time::Duration};

use guardhouse_contract::link;
use guardhouse_model::{DeviceId, RunId, Timestamp};
use guardhouse_store::RunProgress;
use prost::Message as _;
use tokio::time::Instant;

/// How often the store hears of the runs of one device.
const PACE: Duration = Duration::from_secs(1);

/// Most runs of one device of which words wait. A device works on fewer at a time.
const MOST_RUNS: usize = 64;

/// Longest constant, in bytes.
const LONGEST_PHASE: usize = 64;

/// Longest text for people, in bytes.
const LONGEST_MESSAGE: usize = 1_024;

/// Words of one device that wait.
#[derive(Debug, Default)]
pub struct Waiting {
    last: BTreeMap<RunId, link::RunProgress>,
    /// The store heard of it a moment ago: not before this does it again.
    not_before: Option<Instant>,
}

impl Waiting {
    /// Takes the last word about a run; false: it is none that could be kept.
    pub fn take(&mut self, run: RunId, said: link::RunProgress) -> bool {
        let is_new = !self.last.contains_key(&run);
        if !is_good(&said) || (is_new && self.last.len() >= MOST_RUNS) {
            return false;
        }
        self.last.insert(run, said);
        true
    }

    /// A run is over: nobody asks any more how far it is.
    pub fn forget(&mut self, run: RunId) {
        self.last.remove(&run);
    }

    /// When the store is to hear of it; `None`: there is nothing to hear.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        (!self.last.is_empty()).then(|| self.not_before.map_or(now, |moment| moment.max(now)))
    }

    /// What the store is to hear now.
    pub fn let_go(&mut self, device: DeviceId, time: Timestamp, now: Instant) -> Vec<RunProgress> {
        self.not_before = Some(now + PACE);
        let said = std::mem::take(&mut self.last).into_iter();
        said.map(|(run, said)| RunProgress { run, device, time, progress: said.encode_to_vec() }).collect()
    }
}

/// A device is not trusted: what it says has a size, and can be shown.
fn is_good(said: &link::RunProgress) -> bool {
    let is_time = |time: &prost_types::Timestamp| guardhouse_contract::time::from_proto(time).is_some();
    said.phase.len() <= LONGEST_PHASE
        && said.message.len() <= LONGEST_MESSAGE
        && said.percent.is_none_or(|percent| percent <= 100)
        && said.update_time.as_ref().is_none_or(is_time)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const DEVICE: DeviceId = DeviceId(Uuid::from_u128(1));

    fn run(number: u128) -> RunId {
        RunId(Uuid::from_u128(number))
    }

    fn said(percent: u32) -> link::RunProgress {
        link::RunProgress { phase: "DOWNLOADING".to_owned(), percent: Some(percent), ..Default::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_word_of_a_while_is_heard() {
        let (mut waiting, now) = (Waiting::default(), crate::session::now_instant());
        assert_eq!(waiting.due(now), None);
        assert!(
            waiting.take(run(1), said(1)) && waiting.take(run(1), said(2)) && waiting.take(run(2), said(3))
        );
        assert_eq!(waiting.due(now), Some(now), "the first word is heard at once");
        let heard = waiting.let_go(DEVICE, Timestamp::UNIX_EPOCH, now);
        let words: Vec<_> = heard.iter().map(|heard| (heard.run, heard.progress.clone())).collect();
        assert_eq!(words, [(run(1), said(2).encode_to_vec()), (run(2), said(3).encode_to_vec())]);

        assert_eq!(waiting.due(now), None);
        assert!(waiting.take(run(1), said(4)) && waiting.take(run(2), said(5)));
        assert_eq!(waiting.due(now), Some(now + PACE));
        waiting.forget(run(1));
        waiting.forget(run(2));
        assert_eq!(waiting.due(now), None, "both are over");
    }

    #[test]
    fn what_is_too_large_or_no_progress_is_not_kept() {
        let mut waiting = Waiting::default();
        let bad = [
            said(101),
            link::RunProgress { phase: "X".repeat(65), ..Default::default() },
            link::RunProgress { message: "x".repeat(1_025), ..Default::default() },
            link::RunProgress {
                update_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
                ..Default::default()
            },
        ];
        for bad in bad {
            assert!(!waiting.take(run(1), bad));
        }
        for number in 0..64 {
            assert!(waiting.take(run(number), said(100)));
        }
        assert!(!waiting.take(run(64), said(100)), "too many runs");
        assert!(waiting.take(run(63), said(99)), "one of those that wait");
    }
}
