//! Removes what runs of `TakeSnapshot` left behind whose runner died, or could not remove it itself.

use std::{
    io,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use guardhouse_model::RunId;
use tokio::time::timeout;

use super::{
    btrfs,
    look::{missing, words_of},
    lvm,
    notes::{self, Made},
};
use crate::{
    runs::folder::{Facts, Folder},
    state,
    system::System,
};

/// How long a program may take. LVM waits for others that change the same volume group.
const PATIENCE: Duration = Duration::from_secs(60);

/// Removes what is left of runs that are not at work. Answers whether nothing is left; the log says what could not be removed.
pub async fn remove(folder: &Path, system: &System) -> bool {
    let mut clean = true;
    for run in notes::list(folder) {
        if Folder::of(&state::runs_in(folder), run).facts().is_ok_and(|facts| facts == Facts::RunnerAlive) {
            continue;
        }
        match remove_of(folder, run, system).await {
            Ok(()) => tracing::info!(%run, "what a run left of its snapshots is removed"),
            Err(reason) => {
                clean = false;
                tracing::error!(%run, reason, "a snapshot that a run left cannot be removed; trying again");
            }
        }
    }
    clean
}

async fn remove_of(folder: &Path, run: RunId, system: &System) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    for made in notes::read(folder, run).map_err(failed)? {
        match made {
            Made::Lvm { group, name } => {
                let list = lvm::list(system).ok_or_else(|| missing("lvs", "lvm2"))?;
                let listed = lvm::parse(&said(list).await?).map_err(|error| error.to_string())?;
                if listed.iter().any(|volume| volume.group == group && volume.name == name) {
                    let removal = lvm::remove(system, &group, &name);
                    said(removal.ok_or_else(|| missing("lvremove", "lvm2"))?).await?;
                }
            }
            Made::Btrfs { path } => {
                if path.exists() {
                    said(btrfs::remove(system, &path).ok_or_else(|| missing("btrfs", "btrfs-progs"))?)
                        .await?;
                }
                remove_folder_of(&path);
            }
        }
    }
    notes::forget(folder, run).map_err(failed)
}

/// Removes the folder in which a snapshot of btrfs lay, once it is empty and the agent's own.
pub fn remove_folder_of(snapshot: &Path) {
    let folder =
        snapshot.parent().filter(|folder| folder.file_name().is_some_and(|name| name == btrfs::FOLDER));
    if let Some(folder) = folder {
        // Others may still lie there.
        let _ = std::fs::remove_dir(folder);
    }
}

/// Runs a program; answers what it wrote to its standard output.
///
/// # Errors
/// It failed, or took too long: what it said.
pub async fn said(command: Command) -> Result<String, String> {
    let name = command.get_program().display().to_string();
    let mut command = tokio::process::Command::from(command);
    let output: Output = match timeout(PATIENCE, command.kill_on_drop(true).output()).await {
        Ok(output) => output.map_err(|error| format!("{name} cannot be run: {error}"))?,
        Err(_) => return Err(format!("{name} did not answer within {} seconds", PATIENCE.as_secs())),
    };
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{name}: {}", words_of(&output))),
    }
}
