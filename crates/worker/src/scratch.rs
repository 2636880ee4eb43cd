//! The folder for what a worker copies and unpacks. It is locked while the worker lives: what a worker leaves that was
//! killed is removed by the next one.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use guardhouse_model::Environment;
use tracing::{info, warn};

/// How the folders of workers begin.
const PREFIX: &str = "guardhouse-worker-";

/// How often another name is tried: a worker that starts at the same moment may take a new folder for one that was left.
const TRIES: usize = 8;

/// The folder of a worker that lives. It goes with this.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    /// Open, and so locked.
    _lock: File,
}

impl Scratch {
    /// Makes a folder below `parent`, after it has removed those of workers that are gone.
    ///
    /// # Errors
    /// No folder can be made there.
    pub fn make(parent: &Path, environment: &Environment) -> io::Result<Self> {
        sweep(parent);
        for _ in 0..TRIES {
            let path = parent.join(format!("{PREFIX}{}", environment.uuid()));
            make_folder(&path, 0o711)?;
            if let Some(lock) = lock(&path).filter(|_| path.is_dir()) {
                return Ok(Self { path, _lock: lock });
            }
        }
        Err(io::Error::other("no folder of its own stays there"))
    }

    /// Makes a folder in it, for one thing.
    ///
    /// # Errors
    /// What the system says.
    pub fn folder(&self, environment: &Environment) -> io::Result<Folder> {
        let path = self.path.join(environment.uuid().to_string());
        make_folder(&path, 0o700)?;
        Ok(Folder(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// A folder that goes with this.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// The worker's own can be passed, so that the scanning process reaches those in it, which have its user.
fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(mode).create(path)
}

/// Locks a folder; `None` when somebody else has it, or it is not there.
fn lock(path: &Path) -> Option<File> {
    let folder = File::open(path).ok()?;
    match folder.try_lock() {
        Ok(()) => Some(folder),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(error)) => {
            warn!(path = %path.display(), %error, "a folder cannot be locked");
            None
        }
    }
}

/// Removes the folders of workers that are gone.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_workers = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let path = entry.path();
        // Others may write into a folder for temporary files, too: what is not ours is left alone.
        let is_ours = fs::symlink_metadata(&path)
            .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw());
        if !is_workers || !is_ours {
            continue;
        }
        if let Some(_lock) = lock(&path) {
            info!(path = %path.display(), "what a worker left behind that is gone is removed");
            remove(&path);
        }
    }
}

fn remove(path: &Path) {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            warn!(path = %path.display(), %error, "a folder for temporary files is left behind");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_model::environment::{ManualClock, SeededEntropy};

    use super::*;

    #[test]
    fn what_a_dead_worker_left_is_removed_and_nothing_else() {
        let start = guardhouse_model::Timestamp::UNIX_EPOCH;
        let clock = std::sync::Arc::new(ManualClock::new(start));
        let environment = Environment::new(clock, std::sync::Arc::new(SeededEntropy::new(1)));
        let parent = tempfile::TempDir::new().expect("a folder");
        let living = Scratch::make(parent.path(), &environment).expect("a folder");
        let folder = living.folder(&environment).expect("a folder");
        let left = parent.path().join(format!("{PREFIX}left"));
        fs::create_dir_all(left.join("deeper")).expect("the folder is ours");
        fs::write(left.join("deeper/disk.img"), "x").expect("the folder is ours");
        let foreign = parent.path().join("guardhouse-scan-1");
        fs::create_dir(&foreign).expect("the folder is ours");

        let next = Scratch::make(parent.path(), &environment).expect("a folder");
        assert!(!left.exists() && foreign.exists());
        assert!(folder.path().is_dir() && next.path().is_dir());
        drop((living, next));
        assert!(!folder.path().exists());
        assert_eq!(fs::read_dir(parent.path()).expect("a folder").count(), 1);
    }
}
