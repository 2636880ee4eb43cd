//! What the tests of this crate stand on: a store on disk, a clock that is moved by hand, seeded randomness.

use std::sync::Arc;

use guardhouse_model::{
    Environment, Timestamp,
    environment::{ManualClock, SeededEntropy},
};
use guardhouse_store::Store;
use tempfile::TempDir;

/// When the clock of a [`Fixture`] starts.
pub const START: i64 = 1_700_000_000;

pub struct Fixture {
    /// Deleted with the fixture.
    _folder: TempDir,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub environment: Environment,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(START).expect("in range")));
        let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(7)));
        Self { _folder: folder, store, clock, environment }
    }
}
