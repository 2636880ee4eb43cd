//! Looks, while the agent runs, of which file systems a snapshot can be taken, and removes what runs left behind.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use guardhouse_contract::link::{SnapshotVolume, snapshot_volume::Kind};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{
    leftovers,
    look::Look,
    notes,
    survey::{Origin, Survey, Volume},
};
use crate::system::System;

/// How often it is looked.
const LOOK_AGAIN: Duration = Duration::from_secs(60 * 60);

/// How soon it is looked again when something that a run left could not be removed.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// The most file systems of which the server is told.
const MOST: usize = 1000;

/// How much is used is told in these units, so that it is not told again all the time.
const UNIT: u64 = 1 << 30;

/// What the agent knows of it.
#[derive(Debug, Clone)]
pub struct SnapshotWatch {
    state: PathBuf,
    asks: mpsc::UnboundedSender<()>,
    known: watch::Receiver<Option<Vec<SnapshotVolume>>>,
}

impl SnapshotWatch {
    /// What looks at this device for the agent with this state folder, and the work of it, which goes on as long as somebody
    /// holds the watch.
    pub fn new(state: PathBuf) -> (Self, impl Future<Output = ()> + Send) {
        let (asks, asked) = mpsc::unbounded_channel();
        let (publish, known) = watch::channel(None);
        (Self { state: state.clone(), asks, known }, keep(state, System::default(), asked, publish))
    }

    /// The file systems of which a snapshot can be taken; none as long as nobody has looked.
    #[must_use]
    pub fn volumes(&self) -> Vec<SnapshotVolume> {
        self.known.borrow().clone().unwrap_or_default()
    }

    /// Waits until somebody has looked.
    pub async fn ready(&mut self) {
        // Fails only when nobody looks any more.
        let _ = self.known.wait_for(Option::is_some).await;
    }

    /// Waits until they are others. Nothing is lost when the future is dropped.
    pub async fn changed(&mut self) {
        if self.known.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// A runner is over: it may have left something.
    pub fn runner_exited(&self) {
        // Most runs take no snapshot, and cost one look at a folder that is not there.
        if notes::folder_in(&self.state).exists() {
            let _ = self.asks.send(());
        }
    }
}

async fn keep(
    state: PathBuf,
    system: System,
    mut asked: mpsc::UnboundedReceiver<()>,
    publish: watch::Sender<Option<Vec<SnapshotVolume>>>,
) {
    loop {
        let clean = leftovers::remove(&state, &system).await;
        if let Some(volumes) = look(&system).await {
            publish.send_if_modified(|known| known.replace(volumes.clone()).as_ref() != Some(&volumes));
        } else {
            // What was known is more likely than nothing.
            publish.send_if_modified(|known| known.is_none() && known.replace(Vec::new()).is_none());
        }
        tokio::select! {
            ask = asked.recv() => if ask.is_none() { return },
            () = sleep(if clean { LOOK_AGAIN } else { TRY_AGAIN }) => {}
        }
    }
}

/// Of what snapshots can be taken; `None` where LVM does not say.
async fn look(system: &System) -> Option<Vec<SnapshotVolume>> {
    let look = Look::new(system);
    // Devices without both are many, and pay for one look at what is mounted.
    if !look.is_promising() || !rustix::process::geteuid().is_root() {
        return Some(Vec::new());
    }
    let answer = match look.question(system) {
        Ok(None) => Ok(None),
        Ok(Some(question)) => match leftovers::said(question).await {
            Ok(answer) => Ok(Some(answer)),
            Err(reason) => {
                tracing::warn!(reason, "LVM does not say of which file systems a snapshot can be taken");
                return None;
            }
        },
        Err(reason) => Err(reason),
    };
    let survey = look.survey(answer, true);
    if let Some(reason) = survey.refusal() {
        tracing::debug!(reason, "this device cannot be scanned by a snapshot");
    }
    Some(told(&survey))
}

/// What the server is told.
#[must_use]
pub fn told(survey: &Survey) -> Vec<SnapshotVolume> {
    if survey.refusal().is_some() {
        return Vec::new();
    }
    survey.volumes.iter().take(MOST).map(volume).collect()
}

fn volume(volume: &Volume) -> SnapshotVolume {
    let kind = match volume.origin {
        Origin::Lvm { .. } => Kind::Lvm,
        Origin::Btrfs { .. } => Kind::Btrfs,
    };
    let mount_point = volume.trees.first().map_or(Path::new("/"), |tree| &tree.mount_point);
    SnapshotVolume {
        mount_point: mount_point.to_string_lossy().into_owned(),
        kind: kind.into(),
        data_disk: volume.data_disk,
        used_bytes: volume.used_bytes.div_ceil(UNIT).saturating_mul(UNIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshots::survey::{LeftOut, Tree};

    fn volume(mount_point: &str, origin: Origin, used_bytes: u64) -> Volume {
        let tree = Tree { mount_point: mount_point.into(), root: "/".into() };
        let data_disk = mount_point.starts_with("/mnt");
        Volume { origin, device: (1, 1), trees: vec![tree], data_disk, used_bytes }
    }

    #[test]
    fn what_the_server_is_told() {
        let (group, name, kind) = ("vg0".to_owned(), "root".to_owned(), "xfs".to_owned());
        let root = volume("/", Origin::Lvm { group, name, kind, room: None }, 3 * UNIT + 1);
        let data = volume("/mnt/x", Origin::Btrfs { subvolume: "/".into() }, 0);
        let survey = Survey { volumes: vec![root, data.clone()], left_out: Vec::new() };
        let said: Vec<_> = told(&survey)
            .into_iter()
            .map(|told| (told.kind(), told.data_disk, told.used_bytes / UNIT, told.mount_point))
            .collect();
        let expected = [(Kind::Lvm, false, 4, "/".to_owned()), (Kind::Btrfs, true, 0, "/mnt/x".to_owned())];
        assert_eq!(said, expected);
        let left = LeftOut { path: "/".into(), reason: "plain".to_owned() };
        assert_eq!(
            told(&Survey { volumes: vec![data], left_out: vec![left] }),
            [],
            "without its root it is none"
        );
    }

    #[tokio::test]
    async fn a_device_without_lvm_and_btrfs_has_none() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("proc/self")).expect("made");
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
        std::fs::write(root.path().join("proc/self/mountinfo"), mounts).expect("written");
        assert_eq!(look(&System::new(root.path())).await, Some(Vec::new()));
    }

    #[tokio::test]
    async fn it_is_looked_before_anything_is_told() {
        let state = tempfile::tempdir().expect("a folder");
        let (mut watch, looking) = SnapshotWatch::new(state.path().to_owned());
        assert_eq!(watch.volumes(), []);
        let looking = tokio::spawn(looking);
        watch.ready().await;
        assert!(watch.known.borrow().is_some());
        watch.runner_exited();
        drop(watch);
        looking.await.expect("it ends with the last one who holds it");
    }
}
