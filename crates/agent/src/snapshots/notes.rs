//! What a run of `TakeSnapshot` makes: written down before it is made, so that it can be removed whatever happens.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use guardhouse_model::RunId;
use serde::{Deserialize, Serialize};

use crate::durable;

/// A snapshot that a run makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Made {
    /// A logical volume.
    Lvm {
        /// Its volume group.
        group: String,
        /// Its name there.
        name: String,
    },
    /// A subvolume of btrfs.
    Btrfs {
        /// Where it is.
        path: PathBuf,
    },
}

/// The folder of the notes in a state folder. Snapshots of btrfs may lie there, too.
#[must_use]
pub fn folder_in(state: &Path) -> PathBuf {
    state.join("snapshots")
}

/// Writes down what a run makes.
///
/// # Errors
/// What the system says; nothing may be made then.
pub fn write(state: &Path, run: RunId, made: &[Made]) -> io::Result<()> {
    durable::create_folder(&folder_in(state))?;
    durable::write(&path(state, run), &serde_json::to_vec(made)?)
}

/// Forgets what a run made: it is gone.
///
/// # Errors
/// What the system says.
pub fn forget(state: &Path, run: RunId) -> io::Result<()> {
    durable::remove(&path(state, run))?;
    // It goes with its last note. Fails while there is another one.
    let _ = fs::remove_dir(folder_in(state));
    Ok(())
}

/// The runs that have written down something.
#[must_use]
pub fn list(state: &Path) -> Vec<RunId> {
    let entries = fs::read_dir(folder_in(state)).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".json")?.parse().ok()).collect()
}

/// What a run has written down.
///
/// # Errors
/// What the system says, or that the content is none.
pub fn read(state: &Path, run: RunId) -> io::Result<Vec<Made>> {
    Ok(serde_json::from_slice(&fs::read(path(state, run))?)?)
}

fn path(state: &Path, run: RunId) -> PathBuf {
    folder_in(state).join(format!("{run}.json"))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn notes_come_and_go() {
        let state = tempfile::tempdir().expect("a folder");
        let (one, other) = (RunId(Uuid::from_u128(7)), RunId(Uuid::from_u128(8)));
        assert_eq!(list(state.path()), []);
        forget(state.path(), one).expect("there is none");
        let made = [
            Made::Lvm { group: "vg0".to_owned(), name: "guardhouse-x-0".to_owned() },
            Made::Btrfs { path: "/a b/c".into() },
        ];
        write(state.path(), one, &made).expect("written");
        write(state.path(), other, &[]).expect("written");
        assert_eq!(list(state.path()).len(), 2);
        assert_eq!(read(state.path(), one).expect("readable"), made);
        forget(state.path(), one).expect("gone");
        assert_eq!(list(state.path()), [other]);
        forget(state.path(), other).expect("gone");
        assert!(!folder_in(state.path()).exists(), "nothing stays");
    }
}
