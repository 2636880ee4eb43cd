//! What the scanning process may do: read the target, compute, and write down what it found. Applied by the process to
//! itself while it has a single thread and has not touched a byte of the target.
//!
//! | against | by |
//! |---|---|
//! | files of this machine, written or read | landlock, an unprivileged user, seccomp after the target is open |
//! | network, programs, other processes, the kernel | seccomp, no new privileges |
//! | memory, time, disk | resource limits |

mod files;
mod identity;
mod resources;
mod syscalls;

use std::{fs, io, path::PathBuf};

use rustix::{
    process::{DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal},
    thread::set_no_new_privs,
};

pub use resources::Resources;

/// What the process needs besides its standard input and output.
#[derive(Clone, Debug)]
pub struct Needs {
    /// Files and folders that are read.
    pub read: Vec<PathBuf>,
    /// The folder for temporary files.
    pub scratch: Option<PathBuf>,
    /// How much it may use.
    pub resources: Resources,
}

/// Why the process could not be locked in. It must not go on.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {error}")]
pub struct SandboxError {
    /// Which step failed.
    pub what: &'static str,
    /// What the system says.
    pub error: io::Error,
}

/// A process that is locked in.
#[derive(Debug)]
pub struct Sandbox {
    notes: Vec<String>,
    is_privileged_reader: bool,
}

impl Sandbox {
    /// Locks this process in.
    ///
    /// # Errors
    /// A step failed that every supported kernel knows, or there is more than one thread.
    pub fn enter(needs: &Needs) -> Result<Self, SandboxError> {
        let step = |what| move |error: io::Error| SandboxError { what, error };
        // Rules bind the thread that makes them and those that come from it.
        let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
        if threads > 1 {
            return Err(step("threads")(io::Error::other("the process has other threads already")));
        }
        set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|error| step("parent death signal")(error.into()))?;
        needs.resources.apply().map_err(step("resource limits"))?;
        let is_privileged_reader = identity::step_down(needs.scratch.as_deref()).map_err(step("user"))?;
        set_no_new_privs(true).map_err(|error| step("no new privileges")(error.into()))?;
        set_dumpable_behavior(DumpableBehavior::NotDumpable)
            .map_err(|error| step("no dumps")(error.into()))?;
        let notes = files::restrict(&needs.read, needs.scratch.as_deref())
            .map_err(|error| step("landlock")(io::Error::other(error)))?;
        syscalls::restrict().map_err(|error| step("seccomp")(io::Error::other(error)))?;
        Ok(Self { notes, is_privileged_reader })
    }

    /// What this kernel cannot do.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Closes the way to files, once everything that will be read is open. Files without a name can still be made.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub fn seal(&self) -> Result<(), SandboxError> {
        if self.is_privileged_reader {
            identity::drop_capabilities().map_err(|error| SandboxError { what: "capabilities", error })?;
        }
        syscalls::forbid_opening()
            .map_err(|error| SandboxError { what: "seccomp", error: io::Error::other(error) })
    }
}
