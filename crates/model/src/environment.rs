//! Time and randomness, passed in.
//!
//! The only place of the project that may ask the system for either; `clippy.toml` bans it elsewhere.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{Timestamp, ToSpan as _};
use uuid::{Builder, Uuid};

/// Tells the time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// Makes randomness.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock and the randomness that a part of the house works with.
#[derive(Debug, Clone)]
pub struct Environment {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    last_id: Arc<Mutex<IdTime>>,
}

/// The time part of the last id: a millisecond, and the how-manieth id within it this was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct IdTime {
    millis: u64,
    counter: u16,
}

/// Highest counter within a millisecond: UUIDv7 has room for 12 bits.
const LAST_COUNTER: u16 = 0x0fff;

impl IdTime {
    /// The next after `self`, at `now` or as soon after it as there is room.
    fn next(self, now: u64) -> Self {
        if now > self.millis {
            Self { millis: now, counter: 0 }
        } else if self.counter < LAST_COUNTER {
            Self { counter: self.counter + 1, ..self }
        } else {
            Self { millis: self.millis + 1, counter: 0 }
        }
    }
}

impl Environment {
    /// The clock of the machine and randomness fit for keys.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    /// A clock and randomness of the caller's choice.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, last_id: Arc::default() }
    }

    /// The present moment, to the microsecond: what the store keeps.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A fresh id (UUIDv7). Ids of one environment sort in the order in which they were made; those of
    /// different processes, to the millisecond.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let time = {
            let mut last = self.last_id.lock().unwrap_or_else(PoisonError::into_inner);
            *last = last.next(now);
            *last
        };
        let mut rest = self.random::<10>();
        rest[..2].copy_from_slice(&time.counter.to_be_bytes());
        Builder::from_unix_timestamp_millis(time.millis, &rest).into_uuid()
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one clock of the project")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Randomness fit for keys, from the operating system.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // The generator seeds itself from the operating system once; after that it cannot fail.
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives no randomness");
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += seconds.seconds();
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A repeatable stream of bytes for tests (SplitMix64). Never use it for keys.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// A stream that `seed` decides.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_clock_and_the_seed() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_700_000_000).expect("valid")));
        let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(1)));
        let first = environment.uuid();
        clock.advance(1);
        let second = environment.uuid();
        assert!(first < second, "{first} sorts before {second}");
        let same_moment: Vec<_> = (0..10_000).map(|_| environment.uuid()).collect();
        assert!(same_moment.is_sorted_by(|a, b| a < b), "more than fit into a millisecond");
        assert!(second < same_moment[0]);
        assert_eq!(first.get_version_num(), 7);

        let again = Environment::new(
            Arc::new(ManualClock::new(Timestamp::from_second(1_700_000_000).expect("valid"))),
            Arc::new(SeededEntropy::new(1)),
        );
        assert_eq!(again.uuid(), first);
    }
}
