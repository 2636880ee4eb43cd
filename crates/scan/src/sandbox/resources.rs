//! Bounds on what the process uses.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// How much a process may use. The kernel kills it, or its allocations fail, when that is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// Memory that is not backed by a file, in bytes.
    pub memory: u64,
    /// Time on all processors together, in seconds.
    pub cpu: u64,
    /// The length of a temporary file, in bytes.
    pub file: u64,
}

impl Default for Resources {
    fn default() -> Self {
        Self { memory: 2 << 30, cpu: 6 * 3600, file: 64 << 30 }
    }
}

impl Resources {
    /// How many files are open at most: one for each layer that is unpacked, of all images of a target.
    const OPEN_FILES: u64 = 16_384;

    /// Binds this process.
    pub(super) fn apply(&self) -> io::Result<()> {
        lower(Resource::Data, self.memory, self.memory)?;
        // At the first one it gets SIGXCPU, which says what happened; at the second one SIGKILL.
        lower(Resource::Cpu, self.cpu, self.cpu.saturating_add(10))?;
        lower(Resource::Fsize, self.file, self.file)?;
        // Shells start programs with a lower bound than they may have.
        let most = getrlimit(Resource::Nofile).maximum;
        let most = most.map_or(Self::OPEN_FILES, |most| most.min(Self::OPEN_FILES));
        setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: Some(most) })?;
        lower(Resource::Core, 0, 0)
    }
}

/// Sets a limit for good; one that is already lower stays.
fn lower(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let before = getrlimit(resource);
    let maximum = before.maximum.map_or(maximum, |before| before.min(maximum));
    let current = before.current.map_or(current, |before| before.min(current)).min(maximum);
    Ok(setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?)
}
