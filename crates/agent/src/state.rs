//! The state folder of an agent: what lies where, and that only one process uses it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{durable, identity, lock};

/// Where the agent of a machine keeps its state unless told otherwise.
pub const DEFAULT_STATE_DIR: &str = "/var/lib/guardhouse-agent";

/// The file that says how far the departure of the device is.
pub const DEPARTURE: &str = "departure";

/// Everything that an agent keeps in its state folder, but for [`DEPARTURE`] and the lock.
const PARTS: [&str; 15] = [
    "runs",
    "snapshots",
    "journal",
    "policy",
    "previous",
    "isolation.json",
    "isolation.lock",
    "power",
    "power.lock",
    "power.output",
    "releases",
    "update.json",
    "control",
    "identity.new",
    "identity",
];

/// A state folder, held by this process until dropped.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

/// The identity in a state folder, for those who only read it.
#[must_use]
pub fn identity_in(folder: &Path) -> PathBuf {
    folder.join("identity")
}

/// The policy in a state folder, for those who only read it.
#[must_use]
pub fn policy_in(folder: &Path) -> PathBuf {
    folder.join("policy")
}

/// Removes what an agent has kept in a state folder, and the folder itself unless somebody else has put something there.
/// The departure goes last: until then, the next start goes on where this one stopped.
///
/// # Errors
/// What the system says.
pub fn remove(folder: &Path) -> io::Result<()> {
    for part in PARTS.iter().chain([&"lock", &DEPARTURE]) {
        durable::remove(&folder.join(part))?;
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => removed,
    }
}

/// The folder of all runs in a state folder.
#[must_use]
pub fn runs_in(folder: &Path) -> PathBuf {
    folder.join("runs")
}

/// Why a state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process holds it.
    #[error("another agent uses the state folder {}; stop it first, or choose another --state-dir", .0.display())]
    InUse(PathBuf),
    /// It cannot be opened.
    #[error("cannot use the state folder {}; run as a user that may write there, or choose another --state-dir",
        .path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl StateDir {
    /// Opens a state folder, making it where it is missing, and locks it.
    ///
    /// A lock that is held is waited for, for a moment: when an agent is killed while it starts a runner, the
    /// new process holds a copy of the lock until it executes its own program.
    ///
    /// # Errors
    /// [`StateError`]: another process holds the lock, or the folder is not writable.
    pub async fn open(path: &Path) -> Result<Self, StateError> {
        let unusable = |source| StateError::Io { path: path.to_owned(), source };
        // Runners and scripts work elsewhere, and find what is theirs by this path.
        let path = &std::path::absolute(path).map_err(unusable)?;
        durable::create_folder(path).map_err(unusable)?;
        let lock = lock::open(&path.join("lock")).map_err(unusable)?;
        match lock::try_for_a_moment(&lock).await.map_err(unusable)? {
            true => Ok(Self { path: path.to_owned(), _lock: lock }),
            false => Err(StateError::InUse(path.to_owned())),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Folder of the key and certificates.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        identity_in(&self.path)
    }

    /// Folder of a new key and its certificates, while the present ones still count.
    #[must_use]
    pub fn new_identity(&self) -> PathBuf {
        self.path.join("identity.new")
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> PathBuf {
        policy_in(&self.path)
    }

    /// Folder with one folder per run.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        runs_in(&self.path)
    }

    /// Moves the identity, the journal, the policy and the runs of an earlier enrolment into the folder `previous`, in
    /// place of what was there. A script that still runs goes on, but nobody learns its result.
    ///
    /// # Errors
    /// What the system says; calling again goes on where it stopped.
    pub fn set_aside(&self) -> io::Result<()> {
        let previous = self.path.join("previous");
        if self.identity().exists() && previous.exists() {
            fs::remove_dir_all(&previous)?;
        }
        durable::create_folder(&previous)?;
        for part in [self.runs(), self.journal(), self.policy(), self.identity()] {
            match fs::rename(&part, previous.join(part.file_name().unwrap_or_default())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        durable::sync_parent(&self.identity())
    }

    /// Puts a new identity in the place of the present one, if there is one that is whole: sets everything of the earlier
    /// enrolment aside.
    ///
    /// # Errors
    /// What the system says; calling again goes on where it stopped.
    pub fn take_new_identity(&self) -> io::Result<()> {
        if !identity::exists(&self.new_identity()) {
            return Ok(());
        }
        self.set_aside()?;
        fs::rename(self.new_identity(), self.identity())?;
        durable::sync_parent(&self.identity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_process_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state");
        let held = StateDir::open(&path).await.expect("free");
        let error = StateDir::open(&path).await.expect_err("held");
        assert!(matches!(error, StateError::InUse(_)), "{error}");
        assert!(error.to_string().contains("another agent"), "{error}");
        drop(held);
        StateDir::open(&path).await.expect("free again");
    }

    #[tokio::test]
    async fn the_folder_is_found_from_everywhere() {
        let folder = tempfile::tempdir_in(".").expect("a folder");
        let relative = Path::new(folder.path().file_name().expect("it has a name"));
        let state = StateDir::open(relative).await.expect("free");
        assert!(state.path().is_absolute(), "{:?}", state.path());
        assert!(folder.path().join("lock").exists());
    }

    #[tokio::test]
    async fn an_unusable_folder_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("written");
        let error = StateDir::open(&file.join("state")).await.expect_err("a file is in the way");
        assert!(error.to_string().contains(&*file.to_string_lossy()), "{error}");
    }

    #[tokio::test]
    async fn a_new_identity_is_taken_when_it_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateDir::open(folder.path()).await.expect("free");
        let write = |folder: &Path, name: &str, text: &str| {
            fs::create_dir_all(folder).expect("created");
            fs::write(folder.join(name), text).expect("written");
        };
        write(&state.identity(), "server.json", "old");
        fs::write(state.journal(), "old").expect("written");
        write(&state.new_identity(), "key.pem", "new");
        state.take_new_identity().expect("nothing to do");
        assert!(state.journal().exists(), "it is not whole");

        write(&state.new_identity(), "server.json", "new");
        let server = || fs::read_to_string(state.identity().join("server.json"));
        // The machine stops between the two halves.
        state.set_aside().expect("set aside");
        server().expect_err("there is none");
        for _ in 0..2 {
            state.take_new_identity().expect("goes on");
            assert_eq!(server().expect("is there"), "new");
        }
        assert!(!state.journal().exists() && !state.new_identity().exists());
        let kept = fs::read_to_string(folder.path().join("previous/identity/server.json")).expect("read");
        assert_eq!(kept, "old");
    }

    #[tokio::test]
    async fn an_earlier_enrolment_is_kept_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateDir::open(folder.path()).await.expect("free");
        for round in ["first", "second"] {
            fs::create_dir(state.identity()).expect("created");
            fs::write(state.journal(), round).expect("written");
            state.set_aside().expect("set aside");
            assert!(!state.identity().exists() && !state.journal().exists());
            let kept = fs::read_to_string(folder.path().join("previous/journal")).expect("read");
            assert_eq!(kept, round);
        }
    }
}
