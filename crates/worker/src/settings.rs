//! How a worker works.

use std::{num::NonZero, path::PathBuf, thread};

use guardhouse_detect::Knowledge;
use guardhouse_locations::Folders;
use guardhouse_scan::supervisor::Launch;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it is called, for people.
    pub name: String,
    /// How many subtasks it works on at a time, 1 to 64.
    pub slots: usize,
    /// What packages are compared with.
    pub knowledge: Knowledge,
    /// How many threads read a target; a fair share of the processors without.
    pub threads: Option<usize>,
    /// How much memory a scanning process may have, in bytes.
    pub max_memory: u64,
    /// The folder below which it makes its own, for what it copies.
    pub scratch: PathBuf,
    /// Which folders of this machine it reads targets from.
    pub folders: Folders,
    /// How the scanning process is started.
    pub launch: Launch,
}

impl Settings {
    /// Most subtasks that a worker works on at a time: it tells of all of them in one message.
    pub const MOST_SLOTS: usize = 64;

    /// How many threads read one target.
    pub(crate) fn threads(&self) -> usize {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        self.threads.unwrap_or_else(|| (processors / self.slots.max(1)).max(1))
    }
}
