//! What happens when somebody ends the command with a signal: nothing is left behind.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::signal::unix::{SignalKind, signal};

/// What a shell adds to the number of a signal for the exit code of a program that ended by it.
const BY_SIGNAL: i32 = 128;

/// Signals that end the command.
const SIGNALS: [SignalKind; 3] = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];

/// Files and folders that are there only while the command runs.
#[derive(Clone, Debug, Default)]
pub struct Leftovers(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Leftovers {
    /// Remembers a file or a folder, which is about to be made, until the guard is dropped: it is removed then, too.
    pub fn keep(&self, path: &Path) -> Leftover {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        Leftover { all: self.clone(), path: path.to_owned() }
    }

    /// Ends the program at a signal, once everything is removed. The scanning process goes with this one. A signal that
    /// is ignored (`nohup`) stays ignored.
    ///
    /// # Errors
    /// The system gives no thread, or no signals.
    pub fn remove_at_signals(&self) -> io::Result<()> {
        let ignored = ignored(&fs::read_to_string("/proc/self/status").unwrap_or_default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let heard = |kind: &SignalKind| ignored & (1 << (kind.as_raw_value() - 1)) == 0;
        for kind in SIGNALS.into_iter().filter(heard) {
            let leftovers = self.clone();
            let mut signal = {
                let _inside = runtime.enter();
                signal(kind)?
            };
            runtime.spawn(async move {
                if signal.recv().await.is_some() {
                    leftovers.end(kind);
                }
            });
        }
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        Ok(())
    }

    fn end(&self, kind: SignalKind) {
        // Kept locked: nothing is made any more.
        let paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for path in paths.iter() {
            // What cannot be removed cannot be helped.
            let _ = remove(path);
        }
        process::exit(BY_SIGNAL + kind.as_raw_value());
    }
}

/// A file or a folder that goes with this.
#[derive(Debug)]
pub struct Leftover {
    all: Leftovers,
    path: PathBuf,
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let mut paths = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = remove(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "something temporary is left behind");
        }
        paths.remove(&self.path);
    }
}

/// Removes what is there.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The signals that this process ignores, as Linux shows them in `/proc/self/status`: the lowest bit is signal 1.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_known() {
        let status =
            "Name:\tx\nSigBlk:\t0000000000000004\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n";
        assert_eq!(ignored(status), 0x1001);
        assert_eq!(ignored(""), 0);
    }

    #[test]
    fn what_is_kept_is_removed_with_its_guard() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let (file, inner) = (folder.path().join("file"), folder.path().join("inner"));
        let leftovers = Leftovers::default();
        let guards = [leftovers.keep(&file), leftovers.keep(&inner)];
        fs::write(&file, "x").expect("the folder is ours");
        fs::create_dir_all(inner.join("deeper")).expect("the folder is ours");
        drop(guards);
        assert_eq!(fs::read_dir(folder.path()).expect("the folder is ours").count(), 0);
        drop(leftovers.keep(&file));
    }
}
