//! What all parts of one simulation share: the database, time, chance, the disks of the devices, and the notes that
//! are taken.

use std::{
    cell::RefCell,
    collections::VecDeque,
    hash::{DefaultHasher, Hasher as _},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use guardhouse_model::{
    DeviceId, Environment, Timestamp,
    environment::{Clock, SeededEntropy},
};
use guardhouse_store::Store;

use crate::{device::Device, notes::Notes, replica::Replica};

/// Processes of the server.
pub const REPLICAS: usize = 3;

/// Devices.
pub const DEVICES: usize = 5;

/// Last lines of the trace that a failure prints, if the environment asks for no other number.
const SHOWN: usize = 60;

/// The moment at which every simulation begins.
const BEGINNING: i64 = 1_800_000_000_000_000;

/// One simulated house.
pub struct World {
    /// The database, without a line between.
    pub store: Store,
    /// Time and chance.
    pub environment: Environment,
    pub replicas: Vec<Replica>,
    pub devices: Vec<Rc<Device>>,
    pub notes: RefCell<Notes>,
    clock: Arc<SimulatedClock>,
    trace: RefCell<Trace>,
    violations: RefCell<Vec<String>>,
}

struct Trace {
    hasher: DefaultHasher,
    last: VecDeque<String>,
    shown: usize,
}

#[derive(Debug)]
struct SimulatedClock(AtomicI64);

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).expect("in range")
    }
}

impl World {
    /// A world that `seed` decides.
    pub fn new(seed: u64) -> Rc<Self> {
        let clock = Arc::new(SimulatedClock(AtomicI64::new(BEGINNING)));
        let environment = Environment::new(Arc::clone(&clock) as _, Arc::new(SeededEntropy::new(seed)));
        let devices = (0..DEVICES).map(|_| Rc::new(Device::new(&environment))).collect();
        let shown = std::env::var("TRACE").ok().and_then(|lines| lines.parse().ok()).unwrap_or(SHOWN);
        let trace = Trace { hasher: DefaultHasher::new(), last: VecDeque::new(), shown };
        Rc::new(Self {
            store: Store::in_memory().expect("memory"),
            environment,
            replicas: (0..REPLICAS).map(|_| Replica::default()).collect(),
            devices,
            notes: RefCell::default(),
            clock,
            trace: RefCell::new(trace),
            violations: RefCell::default(),
        })
    }

    /// Sets the time since the beginning.
    pub fn set_elapsed(&self, elapsed: Duration) {
        let micros = i64::try_from(elapsed.as_micros()).expect("a short simulation");
        self.clock.0.store(BEGINNING + micros, Ordering::Relaxed);
    }

    /// The time since the beginning.
    pub fn elapsed(&self) -> Duration {
        let micros = self.clock.0.load(Ordering::Relaxed) - BEGINNING;
        Duration::from_micros(u64::try_from(micros).expect("time does not go back"))
    }

    /// A number below `end`, by chance.
    pub fn below(&self, end: usize) -> usize {
        usize::try_from(u64::from_le_bytes(self.environment.random()) >> 1).expect("64 bits") % end
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A time between the two, by chance.
    pub fn between(&self, least: Duration, most: Duration) -> Duration {
        let micros = usize::try_from((most - least).as_micros()).expect("a short time");
        least + Duration::from_micros(self.below(micros + 1) as u64)
    }

    /// The place of a device in the list of devices.
    pub fn place_of(&self, device: DeviceId) -> usize {
        self.devices.iter().position(|known| known.id == device).expect("a device of this world")
    }

    /// Takes down what happened.
    pub fn note(&self, what: &str) {
        let mut trace = self.trace.borrow_mut();
        let line = format!("{:9.3} {what}", self.elapsed().as_secs_f64());
        trace.hasher.write(line.as_bytes());
        trace.last.push_back(line);
        if trace.last.len() > trace.shown {
            trace.last.pop_front();
        }
    }

    /// Takes down that a rule was broken.
    pub fn violation(&self, what: String) {
        self.note(&format!("VIOLATION: {what}"));
        self.violations.borrow_mut().push(what);
    }

    /// The first broken rule.
    pub fn broken(&self) -> Option<String> {
        self.violations.borrow().first().cloned()
    }

    /// A number that two runs share when the same happened in them.
    pub fn trace_hash(&self) -> u64 {
        self.trace.borrow().hasher.finish()
    }

    /// The last lines of the trace.
    pub fn last_lines(&self) -> String {
        self.trace.borrow().last.iter().map(|line| format!("{line}\n")).collect()
    }
}
