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
