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
        remove_made(&made, system).await?;
    }
    notes::forget(folder, run).map_err(failed)
}

/// Removes a snapshot, if it is there.
///
/// # Errors
/// What the program said that does it.
pub async fn remove_made(made: &Made, system: &System) -> Result<(), String> {
    match made {
        Made::Lvm { group, name } => {
            let list = lvm::list(system).ok_or_else(|| missing("lvs", "lvm2"))?;
            let listed = lvm::parse(&said(list).await?).map_err(|error| error.to_string())?;
            if listed.iter().any(|volume| volume.group == *group && volume.name == *name) {
                let removal = lvm::remove(system, group, name);
                said(removal.ok_or_else(|| missing("lvremove", "lvm2"))?).await?;
            }
        }
        Made::Btrfs { path } => {
            if path.exists() {
                said(btrfs::remove(system, path).ok_or_else(|| missing("btrfs", "btrfs-progs"))?).await?;
            }
            remove_folder_of(path);
        }
    }
    Ok(())
}

/// Removes the folder in which a snapshot of btrfs lay, once it is empty and the agent's own.
fn remove_folder_of(snapshot: &Path) {
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

#[cfg(test)]
mod tests {
    use guardhouse_contract::link::Order;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn what_a_run_at_work_makes_is_its_own() {
        let state = tempfile::tempdir().expect("a folder");
        let system = System::new(state.path());
        assert!(remove(state.path(), &system).await, "nothing is left");
        let run = RunId(Uuid::from_u128(7));
        let beside = state.path().join(btrfs::FOLDER);
        std::fs::create_dir(&beside).expect("made");
        notes::write(state.path(), run, &[Made::Btrfs { path: beside.join("guardhouse-x-0") }])
            .expect("written");
        let folder = Folder::of(&state::runs_in(state.path()), run);
        folder.create(&Order::default()).expect("made");
        let lock = folder.open_lock().expect("opened");
        lock.lock().expect("locked");
        assert!(remove(state.path(), &system).await);
        assert_eq!(notes::list(state.path()), [run], "it is at work");

        drop(lock);
        assert!(remove(state.path(), &system).await);
        assert_eq!(notes::list(state.path()), []);
        assert!(!beside.exists(), "the snapshot was never made, and its folder goes");
    }

    #[tokio::test]
    async fn what_cannot_be_removed_is_not_forgotten() {
        let state = tempfile::tempdir().expect("a folder");
        // A system without programs.
        let system = System::new(state.path());
        let run = RunId(Uuid::from_u128(7));
        let made = Made::Lvm { group: "vg0".to_owned(), name: "guardhouse-x-0".to_owned() };
        notes::write(state.path(), run, &[made]).expect("written");
        assert!(!remove(state.path(), &system).await);
        assert_eq!(notes::list(state.path()), [run]);
    }

    #[tokio::test]
    async fn programs_say_what_is_wrong() {
        let shell = |text: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", text]);
            command
        };
        assert_eq!(said(shell("echo fine; echo loud >&2")).await, Ok("fine\n".to_owned()));
        let wrong = said(shell("echo 1 >&2; echo 2 >&2; exit 3")).await;
        assert_eq!(wrong, Err("sh: 1; 2".to_owned()));
        assert_eq!(said(shell("exit 3")).await, Err("sh: exit code 3".to_owned()));
    }
}
