//! The folder of a run: all that agent and runner share.
//!
//! | file      | written by | meaning                                                                        |
//! |-----------|------------|--------------------------------------------------------------------------------|
//! | `order`   | agent      | what to do; synced before the start is recorded                                |
//! | `lock`    | runner     | locked (`flock`) as long as a runner lives                                     |
//! | `begun`   | runner     | the barrier: made by exactly one process, synced before the action has effects |
//! | `outcome` | runner     | how the run ended; appears as a whole                                          |
//! | `progress`| runner     | how far the action is; appears as a whole, may be lost                         |
//! | `cancel`  | agent      | the server wants the run stopped, if it can be stopped                         |
//!
//! The kernel drops the lock when a runner dies, however it dies. Who holds the lock and finds `begun` without
//! `outcome` knows that a runner died in the middle of the action.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use guardhouse_contract::link::{Order, RunEnded, RunProgress};
use guardhouse_model::RunId;
use prost::Message as _;

use crate::{durable, lock};

/// The folder of one run; it need not exist.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// What the folder of a run says.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    /// There is no folder: no runner was ever started.
    NoFolder,
    /// A runner lives.
    RunnerAlive,
    /// No runner lives and the action has not begun.
    NotBegun,
    /// No runner lives and the action has begun, but there is no outcome.
    Begun,
    /// The run ended.
    Ended(RunEnded),
    /// The run ended, but the outcome cannot be read.
    Unreadable,
}

/// The runs that have a folder below `root`.
#[must_use]
pub fn list(root: &Path) -> Vec<RunId> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

impl Folder {
    /// The folder of `run` below `root`.
    #[must_use]
    pub fn of(root: &Path, run: RunId) -> Self {
        Self(root.join(run.to_string()))
    }

    /// The folder at this path.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder with its order; a half-made one is completed.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(&self, order: &Order) -> io::Result<()> {
        durable::create_folder(&self.0)?;
        durable::write(&self.0.join("order"), &order.encode_to_vec())
    }

    /// What the folder says. Takes the lock while it looks, so that the answer holds together.
    ///
    /// # Errors
    /// What the system says.
    pub fn facts(&self) -> io::Result<Facts> {
        if !self.0.try_exists()? {
            return Ok(Facts::NoFolder);
        }
        let lock = self.open_lock()?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Facts::RunnerAlive),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        self.facts_of_holder()
    }

    /// What the folder says to the process that holds the lock.
    ///
    /// # Errors
    /// What the system says.
    pub fn facts_of_holder(&self) -> io::Result<Facts> {
        match fs::read(self.0.join("outcome")) {
            Ok(bytes) => Ok(RunEnded::decode(bytes.as_slice()).map_or(Facts::Unreadable, Facts::Ended)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Err(_) if self.0.join("begun").try_exists()? => Ok(Facts::Begun),
            Err(_) => Ok(Facts::NotBegun),
        }
    }

    /// Opens the lock file, without locking it.
    ///
    /// # Errors
    /// What the system says; `NotFound` when there is no folder.
    pub fn open_lock(&self) -> io::Result<File> {
        lock::open(&self.0.join("lock"))
    }

    /// Reads the order.
    ///
    /// # Errors
    /// What the system says, or that the content is not an order.
    pub fn order(&self) -> io::Result<Order> {
        Ok(Order::decode(fs::read(self.0.join("order"))?.as_slice())?)
    }

    /// Passes the barrier; answers `false` when another process already has.
    ///
    /// # Errors
    /// What the system says; the barrier may be passed or not then.
    pub fn pass_barrier(&self) -> io::Result<bool> {
        durable::create_marker(&self.0.join("begun"))
    }

    /// Writes how the run ended.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_outcome(&self, ended: &RunEnded) -> io::Result<()> {
        durable::write(&self.0.join("outcome"), &ended.encode_to_vec())
    }

    /// Writes how far the action is, without waiting for the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_progress(&self, progress: &RunProgress) -> io::Result<()> {
        let beside = self.0.join("progress.new");
        fs::write(&beside, progress.encode_to_vec())?;
        fs::rename(beside, self.0.join("progress"))
    }

    /// How far the action is, if it has said so.
    #[must_use]
    pub fn progress(&self) -> Option<RunProgress> {
        RunProgress::decode(fs::read(self.0.join("progress")).ok()?.as_slice()).ok()
    }

    /// Asks the runner to stop.
    ///
    /// # Errors
    /// What the system says; `NotFound` when there is no folder.
    pub fn cancel(&self) -> io::Result<()> {
        durable::create_marker(&self.0.join("cancel")).map(drop)
    }

    /// Whether the runner is asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.join("cancel").exists()
    }

    /// Removes the folder with everything in it.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_facts_of_a_life() {
        let root = tempfile::tempdir().expect("a folder");
        let run = RunId(Uuid::from_u128(7));
        let folder = Folder::of(root.path(), run);
        let facts = || folder.facts().expect("readable");
        assert_eq!(facts(), Facts::NoFolder);

        let order = Order { run_uuid: run.to_string(), ..Default::default() };
        folder.create(&order).expect("made");
        folder.create(&order).expect("made again");
        assert_eq!(facts(), Facts::NotBegun);
        assert_eq!(folder.order().expect("readable"), order);
        assert_eq!(list(root.path()), [run]);

        let lock = folder.open_lock().expect("opened");
        lock.lock().expect("locked");
        assert_eq!(facts(), Facts::RunnerAlive);
        assert!(folder.pass_barrier().expect("passed"));
        assert!(!folder.pass_barrier().expect("closed"));
        assert_eq!(facts(), Facts::RunnerAlive);
        drop(lock);
        assert_eq!(facts(), Facts::Begun);

        assert_eq!(folder.progress(), None);
        let progress = RunProgress { run_uuid: run.to_string(), percent: Some(7), ..Default::default() };
        folder.write_progress(&progress).expect("written");
        assert_eq!(folder.progress(), Some(progress));
        assert!(!folder.is_cancelled());
        folder.cancel().expect("asked");
        folder.cancel().expect("asked again");
        assert!(folder.is_cancelled());

        let ended = RunEnded { run_uuid: run.to_string(), succeeded: true, ..Default::default() };
        folder.write_outcome(&ended).expect("written");
        assert_eq!(facts(), Facts::Ended(ended));
        fs::write(folder.path().join("outcome"), [0xff]).expect("spoilt");
        assert_eq!(facts(), Facts::Unreadable);

        folder.remove().expect("removed");
        folder.remove().expect("nothing to remove");
        assert_eq!(facts(), Facts::NoFolder);
    }
}
