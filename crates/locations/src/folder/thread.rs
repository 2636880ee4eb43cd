//! Threads that read disks.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::Trouble;

/// Folders from which a thread has not come back although nobody waits for it any more. A file system that is reached over
/// a network may hang for ever; every further thread would, too, and there is room for a few hundred.
static HANGING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn hanging() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    HANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Work on a folder.
struct Job {
    folder: PathBuf,
    /// Nobody waits for it any more.
    stop: AtomicBool,
    is_over: AtomicBool,
}

/// Whoever waits for a job.
struct Waiting(Arc<Job>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
        let mut hanging = hanging();
        if !self.0.is_over.load(Ordering::Relaxed) {
            hanging.insert(self.0.folder.clone());
        }
    }
}

/// The thread that does a job.
struct Working(Arc<Job>);

impl Drop for Working {
    fn drop(&mut self) {
        let mut hanging = hanging();
        self.0.is_over.store(true, Ordering::Relaxed);
        hanging.remove(&self.0.folder);
    }
}

/// Reads a folder on a thread of its own. The thread is told to stop when this is dropped.
///
/// # Errors
/// What the work says, and that an earlier thread has not come back from the folder.
pub(super) async fn work<T: Send + 'static>(
    folder: PathBuf,
    work: impl FnOnce(&Path, &AtomicBool) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    if hanging().contains(&folder) {
        let folder = folder.display();
        return Err(Trouble::passing(format!(
            "{folder}: an earlier look has not come back; its file system may hang"
        )));
    }
    let job = Arc::new(Job { folder, stop: AtomicBool::new(false), is_over: AtomicBool::new(false) });
    let waiting = Waiting(Arc::clone(&job));
    let done = tokio::task::spawn_blocking(move || {
        let working = Working(job);
        work(&working.0.folder, &working.0.stop)
    });
    let done = done.await;
    drop(waiting);
    done.unwrap_or_else(|error| Err(Trouble::passing(format!("the look at it broke off: {error}"))))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_folder_that_hangs_takes_one_thread() {
        let folder = PathBuf::from("/a/folder/that/hangs");
        let (begin, begun) = tokio::sync::oneshot::channel();
        let (release, released) = mpsc::channel::<()>();
        let (end, ended) = tokio::sync::oneshot::channel();
        let stuck = work(folder.clone(), move |_, stop| {
            let _ = begin.send(());
            let _ = released.recv();
            let _ = end.send(stop.load(Ordering::Relaxed));
            Ok(())
        });
        tokio::select! {
            _ = stuck => panic!("it does not come back"),
            begun = begun => begun.expect("it begins"),
        }
        let refused = work(folder.clone(), |_, _| Ok(())).await.expect_err("the first one hangs");
        assert!(refused.is_passing() && refused.to_string().contains("may hang"), "{refused}");
        work(PathBuf::from("/another"), |_, _| Ok(())).await.expect("it is another one");

        release.send(()).expect("it waits");
        assert!(ended.await.expect("it ends"), "it was told to stop");
        while hanging().contains(&folder) {
            tokio::task::yield_now().await;
        }
        work(folder, |_, _| Ok(())).await.expect("it does not hang any more");
    }
}
