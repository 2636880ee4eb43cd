//! A machine: what it keeps when its agent dies, and the processes that outlive the agent.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use guardhouse_agent::{
    journal::Record,
    outcome::{Failure, Outcome},
    runs::folder::Facts,
};
use guardhouse_contract::{action::KillProcessByPidResult, link::RunEnded, status::pack};
use guardhouse_model::{DeviceId, Environment, RunId};
use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::world::World;

/// One machine.
pub struct Device {
    pub id: DeviceId,
    /// What its clock is ahead of the server's.
    pub skew: SignedDuration,
    /// The journal, as it is on disk.
    pub journal: RefCell<Vec<Record>>,
    pub folders: RefCell<BTreeMap<RunId, Folder>>,
    /// The generation of the policy that it keeps.
    pub policy: Cell<Option<[u8; 32]>>,
    /// A runner is over.
    pub exited: Notify,
    /// The agent is to give up its connection.
    pub hurry: Notify,
    /// The agent dies at its next entry in the journal.
    pub doomed: Cell<bool>,
    /// The replica that the agent has a connection with.
    pub connected: Cell<Option<usize>>,
}

/// The folder of a run.
#[derive(Default)]
pub struct Folder {
    /// The barrier: passed by exactly one.
    pub begun: bool,
    /// The runner is to stop.
    pub cancelled: bool,
    outcome: Option<RunEnded>,
    runner: Option<Runner>,
}

struct Runner {
    begins: Duration,
    ends: Duration,
}

impl Device {
    pub fn new(environment: &Environment) -> Self {
        let [skew] = environment.random::<1>();
        Self {
            id: DeviceId(environment.uuid()),
            skew: SignedDuration::from_secs(i64::from(skew) - 128),
            journal: RefCell::default(),
            folders: RefCell::default(),
            policy: Cell::new(None),
            exited: Notify::new(),
            hurry: Notify::new(),
            doomed: Cell::new(false),
            connected: Cell::new(None),
        }
    }

    /// What the folder of a run says.
    pub fn facts(&self, run: RunId) -> Facts {
        match self.folders.borrow().get(&run) {
            None => Facts::NoFolder,
            Some(Folder { runner: Some(_), .. }) => Facts::RunnerAlive,
            Some(Folder { outcome: Some(ended), .. }) => Facts::Ended(ended.clone()),
            Some(Folder { begun: true, .. }) => Facts::Begun,
            Some(_) => Facts::NotBegun,
        }
    }

    /// Whether the runner of a run is to stop.
    pub fn is_cancelled(&self, run: RunId) -> bool {
        self.folders.borrow().get(&run).is_some_and(|folder| folder.cancelled)
    }

    /// Starts the runner of a run that has a folder.
    pub fn launch(&self, world: &World, run: RunId) {
        let begins = world.elapsed() + world.between(Duration::ZERO, Duration::from_millis(200));
        let most = Duration::from_millis(if world.chance(20) { 8_000 } else { 400 });
        let ends = begins + world.between(Duration::ZERO, most);
        if let Some(folder) = self.folders.borrow_mut().get_mut(&run) {
            folder.runner = Some(Runner { begins, ends });
        }
    }

    /// Lets the runners work up to now.
    pub fn step(&self, world: &World) {
        let now = world.elapsed();
        for (&run, folder) in self.folders.borrow_mut().iter_mut() {
            let Some(runner) = &folder.runner else { continue };
            if folder.cancelled && (now >= runner.begins || folder.begun) {
                // One that has begun is killed, one that has not begins nothing.
                folder.runner = None;
                folder.outcome = Some(stopped(run));
                self.exited.notify_one();
                continue;
            }
            if now >= runner.begins && !folder.begun {
                folder.begun = true;
                world.notes.borrow_mut().begun(world, self.id, run);
            }
            if now >= runner.ends {
                folder.runner = None;
                folder.outcome = Some(outcome(world, run));
                self.exited.notify_one();
            }
        }
    }

    /// All processes of the machine die.
    pub fn lose_power(&self) {
        self.folders.borrow_mut().values_mut().for_each(|folder| folder.runner = None);
    }
}

/// The outcome of what was cancelled.
fn stopped(run: RunId) -> RunEnded {
    let outcome = Outcome::from(Failure::cancelled());
    RunEnded { run_uuid: run.to_string(), result: Some(outcome.result), ..Default::default() }
}

/// An outcome like no other.
fn outcome(world: &World, run: RunId) -> RunEnded {
    let result = KillProcessByPidResult {
        pid: u32::from_le_bytes(world.environment.random()) as _,
        ..Default::default()
    };
    RunEnded {
        run_uuid: run.to_string(),
        succeeded: true,
        result: Some(pack(&result)),
        end_time: None,
        suppressed: false,
    }
}
