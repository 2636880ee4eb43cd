//! The walk: every file of every system is offered to the analysers once.
//!
//! Depth first over a stack of folders that all threads share. There is no record of visited files and no list of a
//! folder's entries: files are looked at while their folder is being read, so that three million files need no more
//! memory than three thousand.

mod file;
mod known;
mod problems;
mod progress;
mod queue;
mod task;
#[cfg(test)]
mod tests;
mod worker;

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use guardhouse_image::{FilePath, ReadError, System, limits, tree::TreePlace};
use serde::{Deserialize, Serialize};

use crate::{
    analyser::Analyser,
    event::{Event, Project, Trouble},
    positions::{Positions, Spot},
};
pub use file::ScannedFile;
use problems::Problems;
use progress::Progress;
use queue::Queue;
use task::{Folder, Task};
use worker::Hands;

/// How many packages of one target are told.
pub const PACKAGES: u64 = 1_000_000;

/// How many folders and portions of files wait at most; a thread that finds no room goes down itself.
const ROOM: usize = 8192;

/// The stack of a thread, in bytes: enough for [`limits::DEPTH`] folders below each other.
const STACK: usize = 8 << 20;

/// What is hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Hashing {
    /// What an analyser asks for.
    #[default]
    None,
    /// Every file, whoever looks at it.
    All,
}

/// Where files are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    /// Everywhere.
    #[default]
    Everything,
    /// Where package managers of systems keep their databases, and nowhere else.
    KnownPaths,
}

/// How a walk is done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The projects whose progress is told.
    pub projects: Vec<Project>,
    /// Where files are looked for.
    pub reach: Reach,
    /// What is hashed.
    pub hashing: Hashing,
    /// How many threads work; at least one does.
    pub threads: usize,
    /// How many files are visited; [`limits::FILES`].
    pub files: u64,
    /// What has killed a scanner before: not touched.
    pub avoid: Vec<Spot>,
    /// What may have killed a scanner before: looked at when all is done, one after the other.
    pub suspects: Vec<Spot>,
    /// All but the suspects has been looked at by an earlier scanner.
    pub only_suspects: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            projects: Project::ALL.to_vec(),
            reach: Reach::default(),
            hashing: Hashing::default(),
            threads: 1,
            files: limits::FILES,
            avoid: Vec::new(),
            suspects: Vec::new(),
            only_suspects: false,
        }
    }
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files of every kind, folders included.
    pub files: u64,
    /// The sum of the lengths of regular files, in bytes.
    pub bytes: u64,
    /// How many of these bytes were read.
    pub bytes_read: u64,
}

/// Counters that all threads share.
#[derive(Debug, Default)]
struct Counts {
    files: AtomicU64,
    bytes: AtomicU64,
    bytes_read: AtomicU64,
    packages: AtomicU64,
    files_limit_told: AtomicBool,
    packages_limit_told: AtomicBool,
}

impl Counts {
    fn totals(&self) -> Totals {
        Totals {
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
        }
    }
}

/// Walks over all systems and tells what the analysers find; ends with [`Event::Walked`] and what is left to do alone.
pub fn walk(
    systems: &[System],
    analysers: &[Box<dyn Analyser>],
    plan: &Plan,
    positions: &Positions,
    tell: &(dyn Fn(Event) + Sync),
) -> Totals {
    let counts = Counts::default();
    let problems = Problems::new(tell);
    let progress = Progress::new(&plan.projects, tell);
    let share = progress::WHOLE / (systems.len().max(1) as u64);
    let sweep = |number, system| Sweep {
        number,
        system,
        analysers,
        plan,
        apart: apart(plan, number),
        queue: Queue::new(ROOM),
        counts: &counts,
        problems: &problems,
        progress: &progress,
        tell,
    };
    if !plan.only_suspects {
        for (number, system) in systems.iter().enumerate() {
            let sweep = sweep(number, system);
            match plan.reach {
                Reach::Everything => sweep.everything(share, positions),
                Reach::KnownPaths => sweep.known_paths(positions),
            }
        }
        let Totals { files, bytes, bytes_read } = counts.totals();
        tell(Event::Walked { files, bytes, bytes_read });
    }
    for suspect in &plan.suspects {
        let Some((number, system)) = suspect.system.and_then(|number| Some((number, systems.get(number)?)))
        else {
            continue;
        };
        if !plan.avoid.iter().any(|spot| spot.system == suspect.system && spot.path == suspect.path) {
            sweep(number, system).alone(&suspect.path, positions);
        }
    }
    problems.finish();
    progress.finish();
    counts.totals()
}

/// What is not touched on the way: it has killed a scanner, or its turn comes at the end.
fn apart(plan: &Plan, system: usize) -> HashSet<&FilePath> {
    let spots = plan.avoid.iter().chain(&plan.suspects);
    spots.filter(|spot| spot.system == Some(system)).map(|spot| &spot.path).collect()
}

/// The walk over one system.
struct Sweep<'a> {
    number: usize,
    system: &'a System,
    analysers: &'a [Box<dyn Analyser>],
    plan: &'a Plan,
    apart: HashSet<&'a FilePath>,
    queue: Queue<Task>,
    counts: &'a Counts,
    problems: &'a Problems<'a>,
    progress: &'a Progress<'a>,
    tell: &'a (dyn Fn(Event) + Sync),
}

impl Sweep<'_> {
    /// From the root on, with all threads.
    fn everything(&self, share: u64, positions: &Positions) {
        let hands = match self.hands(positions, 0) {
            Ok(hands) => hands,
            Err(error) => return self.unreadable(None, &error),
        };
        let root = hands.reader.root();
        if self.apart.contains(&root.path) || !self.count_file(&root.path) {
            return;
        }
        let _ = self.queue.offer(Task::Folder(Folder::root(root, share)));
        self.work_with(hands, self.plan.threads, positions);
    }

    /// One file or folder, with one thread.
    fn alone(&self, path: &FilePath, positions: &Positions) {
        let mut hands = match self.hands(positions, 0) {
            Ok(hands) => hands,
            Err(error) => return self.unreadable(Some(path), &error),
        };
        hands.slot.set(Some(self.number), path, "find");
        match self.place(&mut hands, path) {
            Ok(Some(task)) => {
                let _ = self.queue.offer(task);
                self.work_with(hands, 1, positions);
            }
            Ok(None) => hands.slot.clear(),
            Err(error) => {
                hands.slot.clear();
                self.unreadable(Some(path), &error);
            }
        }
    }

    fn place(&self, hands: &mut Hands, path: &FilePath) -> Result<Option<Task>, ReadError> {
        let Some(place) = hands.reader.find(path)? else { return Ok(None) };
        let metadata = hands.reader.metadata(&place)?;
        Ok(Some(match metadata.kind {
            guardhouse_image::FileKind::Folder => Task::Folder(Folder::root(place, 0)),
            _ => Task::Files(vec![place]),
        }))
    }

    /// Does what is in the queue, and what comes of it.
    fn work_with(&self, mut first: Hands, threads: usize, positions: &Positions) {
        thread::scope(|scope| {
            for number in 1..threads {
                let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || match self
                    .hands(positions, number)
                {
                    Ok(mut hands) => self.work(&mut hands),
                    Err(error) => self.unreadable(None, &error),
                });
                if worker.is_err() {
                    // No room for another thread: the others do its work.
                    break;
                }
            }
            self.work(&mut first);
        });
    }

    fn hands(&self, positions: &Positions, number: usize) -> Result<Hands, ReadError> {
        Ok(Hands::new(self.system.tree.reader()?, positions.slot(number)))
    }

    /// Counts a file of any kind; false when there were too many.
    fn count_file(&self, path: &FilePath) -> bool {
        if self.counts.files.fetch_add(1, Ordering::Relaxed) < self.plan.files {
            return true;
        }
        self.counts.files.fetch_sub(1, Ordering::Relaxed);
        self.queue.stop();
        if !self.counts.files_limit_told.swap(true, Ordering::Relaxed) {
            let message = format!("more than {} files: the rest was not looked at", self.plan.files);
            self.problems.add(Trouble::Limit, self.number, Some(path), message);
        }
        false
    }

    fn unreadable(&self, path: Option<&FilePath>, error: &ReadError) {
        let kind = match error {
            ReadError::Limit { .. } => Trouble::Limit,
            _ => Trouble::Unreadable,
        };
        self.problems.add(kind, self.number, path, error.to_string());
    }

    fn problem(&self, kind: Trouble, place: &TreePlace, message: String) {
        self.problems.add(kind, self.number, Some(&place.path), message);
    }
}
