//! Removes archives of snapshots that nobody wants any more.

use std::{
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use guardhouse_model::{DeviceId, RunId, Timestamp, agentless::snapshots::archive};
use guardhouse_store::{Store, StoreError};
use tokio::{task::spawn_blocking, time::MissedTickBehavior};
use tracing::{info, warn};

use crate::serve::duty::Duty;

/// How often archives are removed. The first time is at the start.
const PERIOD: Duration = Duration::from_secs(60);

/// After how many periods the folder is looked through for what nobody knows.
const SWEEP: u32 = 60;

/// How long nobody may have written in a file that nobody knows: a server may be about to make it known.
const OLD: Duration = Duration::from_secs(24 * 3_600);

/// Most archives that are removed in one step.
const STEP: usize = 100;

/// The end of the name of an archive that is whole, and of one that is not.
const ENDINGS: [&str; 2] = [".tar.zst", ".tar.zst.part"];

/// The duty of which one replica holds the lease.
pub const DUTY: &str = "archives of snapshots of devices";

/// How long a replica has the duty to itself: several rounds, so that mostly the same one has it.
pub const LEASE: Duration = Duration::from_secs(5 * 60);

/// What removing archives needs.
#[derive(Debug, Clone)]
pub struct Archives {
    /// Knows which are wanted.
    pub store: Store,
    /// The lease under which it is done.
    pub duty: Duty,
    /// Where they are: a folder for each device. All replicas that have this duty have the same.
    pub folder: PathBuf,
}

/// A file that has the name of an archive.
#[derive(Debug, Clone)]
struct Found {
    path: PathBuf,
    device: DeviceId,
    run: RunId,
}

impl Archives {
    /// Removes archives, for as long as it is polled.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for round in 0_u32.. {
            ticks.tick().await;
            let mut removed = self.remove().await;
            if round % SWEEP == 0 {
                removed = match (removed, self.sweep().await) {
                    (Ok(removed), Ok(more)) => Ok(removed + more),
                    (Err(error), _) | (_, Err(error)) => Err(error),
                };
            }
            match removed {
                Ok(0) => {}
                Ok(archives) => info!(duty = DUTY, archives, "archives that nobody wants are removed"),
                Err(error) => {
                    warn!(%error, "archives that nobody wants were not removed; the next round will")
                }
            }
        }
    }

    /// Removes what nobody wants, unless another replica has that duty; answers how many archives.
    async fn remove(&self) -> Result<usize, StoreError> {
        let mut removed = 0;
        loop {
            let Some(lease) = self.duty.take().await? else { return Ok(removed) };
            let now = self.duty.environment.now();
            let unneeded = self.store.agentless_snapshots_unneeded(lease, now, STEP).await?;
            let found = unneeded.len();
            let mut gone = Vec::new();
            for snapshot in unneeded {
                let whole = self.folder.join(archive(snapshot.device, snapshot.run));
                if self.remove_both(whole).await {
                    gone.push(snapshot.run);
                }
            }
            let step = gone.len();
            if step > 0 {
                self.store.agentless_snapshots_forget(gone, now).await?;
            }
            removed += step;
            // What cannot be removed stays known, and is tried again in the next round.
            if found < STEP || step == 0 {
                return Ok(removed);
            }
        }
    }

    /// Removes an archive, whole or not; false: it is there still.
    async fn remove_both(&self, whole: PathBuf) -> bool {
        let mut part = whole.clone().into_os_string();
        part.push(".part");
        for path in [whole, part.into()] {
            if let Err(error) = blocking(move || absent(fs::remove_file(&path))).await {
                warn!(%error, "an archive that nobody wants is not removed");
                return false;
            }
        }
        true
    }

    /// Removes files that have the name of an archive and that the store does not know: what a server left behind that died
    /// in between. Answers how many.
    async fn sweep(&self) -> Result<usize, StoreError> {
        if self.duty.take().await?.is_none() {
            return Ok(0);
        }
        let old = self.duty.environment.now().saturating_sub(OLD).unwrap_or(Timestamp::MIN);
        let folder = self.folder.clone();
        let found = match blocking(move || list(&folder, old)).await {
            Ok(found) => found,
            Err(error) => {
                warn!(%error, folder = %self.folder.display(), "the folder for snapshots is not looked through");
                return Ok(0);
            }
        };
        let mut removed = 0;
        for Found { path, device, run } in found {
            if self.store.agentless_snapshot_get(device, run).await?.is_some() {
                continue;
            }
            match blocking(move || absent(fs::remove_file(&path))).await {
                Ok(()) => removed += 1,
                Err(error) => warn!(%error, "an archive that nobody knows is not removed"),
            }
        }
        Ok(removed)
    }
}

/// Does what waits for a disk where nobody waits for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

/// What is not there is removed already.
fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The files in `folder` that have the name of an archive and that nobody has written in since `old`. Folders of devices that
/// are empty for as long go.
fn list(folder: &Path, old: Timestamp) -> io::Result<Vec<Found>> {
    let old = SystemTime::from(old);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(device) = device_of(&entry) else { continue };
        // No link is followed: somebody else may write here, too.
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let is_old = entry.metadata()?.modified()? < old;
        let mut is_empty = true;
        for file in fs::read_dir(entry.path())? {
            let file = file?;
            is_empty = false;
            let Some(run) = run_of(&file) else { continue };
            let metadata = file.metadata()?;
            if metadata.is_file() && metadata.modified()? < old {
                found.push(Found { path: file.path(), device, run });
            }
        }
        if is_empty && is_old {
            // One that got a file in this moment stays: a folder goes only when it is empty.
            _ = fs::remove_dir(entry.path());
        }
    }
    Ok(found)
}

/// The device whose folder this is by its name.
fn device_of(folder: &DirEntry) -> Option<DeviceId> {
    let name = folder.file_name();
    let device: DeviceId = name.to_str()?.parse().ok()?;
    // A uuid has several spellings; the server writes one.
    (name.to_str()? == device.to_string()).then_some(device)
}

/// The run whose archive this is by its name.
fn run_of(file: &DirEntry) -> Option<RunId> {
    let name = file.file_name();
    let name = ENDINGS.iter().find_map(|ending| name.to_str()?.strip_suffix(ending))?;
    let run: RunId = name.parse().ok()?;
    (name == run.to_string()).then_some(run)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use guardhouse_model::tasks::run_id;
    use guardhouse_store::SnapshotState;
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::*;
    use crate::serve::snapshots::tests::{House, house};

    fn archives(house: &House) -> (Archives, TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, duty) = (house.store.clone(), house.duty.clone());
        (Archives { store, duty, folder: folder.path().to_owned() }, folder)
    }

    /// Makes a file that was written last at `time`.
    fn make(path: &Path, time: Timestamp) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
        let file = File::create(path).expect("makes");
        file.set_modified(time.into()).expect("sets");
    }

    #[tokio::test]
    async fn what_nobody_wants_is_removed_and_forgotten() {
        let house = house().await;
        let (archives, folder) = archives(&house);
        let House { store, duty, device, .. } = &house;
        let now = duty.environment.now();
        let run = run_id(House::scan(store, duty, *device, 1).await, *device);
        let whole = folder.path().join(archive(*device, run));
        let part = folder.path().join(format!("{}.part", archive(*device, run)));
        make(&whole, now);
        make(&part, now);
        assert_eq!(archives.remove().await.expect("works"), 0, "it is wanted");
        store.agentless_task_cancel(House::subtask(1), now).await.expect("writes");
        let state = async || {
            let snapshot = store.agentless_snapshot_get(*device, run).await.expect("reads");
            snapshot.map(|snapshot| snapshot.state)
        };
        assert_eq!(state().await, Some(SnapshotState::Unwanted));

        let other = Duty { holder: Uuid::from_u128(99), ..duty.clone() };
        duty.give_up().await;
        other.take().await.expect("writes").expect("is free");
        assert_eq!(archives.remove().await.expect("works"), 0, "another process has the duty");
        other.give_up().await;
        // It cannot be removed.
        fs::remove_file(&whole).expect("is there");
        fs::create_dir(&whole).expect("makes");
        assert_eq!(
            (archives.remove().await.expect("works"), state().await),
            (0, Some(SnapshotState::Unwanted))
        );
        fs::remove_dir(&whole).expect("is there");
        assert_eq!((archives.remove().await.expect("works"), state().await), (1, None));
        assert!(!part.exists());
        assert_eq!(archives.remove().await.expect("works"), 0);
    }

    #[tokio::test]
    async fn what_nobody_knows_goes_when_it_is_old() {
        let house = house().await;
        let (archives, folder) = archives(&house);
        let House { store, duty, device, .. } = &house;
        let now = duty.environment.now();
        let old = now - OLD - Duration::from_secs(1);
        let run = run_id(House::scan(store, duty, *device, 1).await, *device);
        let path = |run: RunId, more: &str| folder.path().join(format!("{}{more}", archive(*device, run)));
        let unknown = |number| RunId(Uuid::from_u128(number));
        let (wanted, fresh) = (path(run, ".part"), path(unknown(3), ""));
        let strays = [path(unknown(1), ""), path(unknown(2), ".part")];
        let others =
            [folder.path().join("notes"), folder.path().join(device.to_string()).join("notes.tar.zst")];
        for path in strays.iter().chain(&others).chain([&wanted]) {
            make(path, old);
        }
        make(&fresh, now);
        let link = path(unknown(4), "");
        std::os::unix::fs::symlink(&others[0], &link).expect("links");
        let empty = folder.path().join(Uuid::from_u128(77).to_string());
        fs::create_dir(&empty).expect("makes");
        File::open(&empty).and_then(|folder| folder.set_modified(old.into())).expect("sets");

        assert_eq!(archives.sweep().await.expect("works"), 2);
        assert!(strays.iter().all(|stray| !stray.exists()) && !empty.exists());
        for kept in others.iter().chain([&wanted, &fresh, &link]) {
            assert!(kept.exists(), "{}", kept.display());
        }
        assert_eq!(archives.sweep().await.expect("works"), 0);
    }
}
