//! What becomes of a change when its run is over.
//!
//! A runner writes a change down, makes it, and leaves the outcome of its run. Only then does the change count. Whoever
//! comes next, the agent, another runner or the machine that starts again, finds out here: a run that succeeded has
//! isolated the device or ended that; every other one has not, and what it did is undone.

use std::{fs::File, io, path::Path};

use guardhouse_model::RunId;

use super::{
    kept::{Isolation, Kept, KeptError},
    nft::{self, NftError},
};
use crate::{
    lock,
    runs::folder::{Facts, Folder},
    state,
};

/// Why it is not known what the device is, or the rules do not say the same as the file.
#[derive(Debug, thiserror::Error)]
pub enum IsolationError {
    /// The file.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The rules.
    #[error(transparent)]
    Nft(#[from] NftError),
    /// The lock, or the folder of a run.
    #[error("cannot use the state folder: {0}")]
    Folder(#[from] io::Error),
}

impl IsolationError {
    /// The constant that programs can compare.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Nft(error) => error.code(),
            Self::Kept(_) | Self::Folder(_) => "STATE_FOLDER_FAILED",
        }
    }
}

/// Held by whoever reads the file to change it or the rules: one at a time, over all processes.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock goes with the file")] File);

impl Lock {
    /// Waits for the lock, as a runner may.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(folder: &Path) -> io::Result<Self> {
        let file = open(folder)?;
        file.lock()?;
        Ok(Self(file))
    }

    /// Tries to get the lock for a moment, as the agent does: it never waits for a change that is being made. Answers
    /// `None` then.
    ///
    /// # Errors
    /// What the system says.
    pub async fn try_for_a_moment(folder: &Path) -> io::Result<Option<Self>> {
        let file = open(folder)?;
        Ok(lock::try_for_a_moment(&file).await?.then_some(Self(file)))
    }
}

fn open(folder: &Path) -> io::Result<File> {
    lock::open(&folder.join("isolation.lock"))
}

/// What is known of the run that makes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It is at work.
    Working,
    /// It succeeded.
    Succeeded,
    /// It did not, or nobody knows.
    Failed,
}

/// What is known of ended runs that have no folder any more: whether they succeeded, where the journal still knows.
pub type Journal<'a> = &'a dyn Fn(RunId) -> Option<bool>;

/// For those who have no journal.
pub const NO_JOURNAL: Journal<'static> = &|_| None;

/// What the folder of a run says, or the journal when the folder is gone.
///
/// # Errors
/// What the system says.
pub fn word_of(folder: &Path, run_uuid: &str, journal: Journal<'_>) -> io::Result<Word> {
    let Ok(run) = run_uuid.parse::<RunId>() else { return Ok(Word::Failed) };
    Ok(match Folder::of(&state::runs_in(folder), run).facts()? {
        Facts::RunnerAlive => Word::Working,
        Facts::Ended(ended) if ended.succeeded => Word::Succeeded,
        Facts::NoFolder if journal(run) == Some(true) => Word::Succeeded,
        Facts::Ended(_) | Facts::NoFolder | Facts::NotBegun | Facts::Begun | Facts::Unreadable => {
            Word::Failed
        }
    })
}

/// What counts when this is known of the run of the pending change; `None` while it is at work.
#[must_use]
pub fn decide(kept: &Kept, word: Word) -> Option<Option<Isolation>> {
    match (&kept.pending, word) {
        (None, _) => Some(kept.settled.clone()),
        (Some(_), Word::Working) => None,
        (Some(pending), Word::Succeeded) => Some(pending.wanted.clone()),
        (Some(_), Word::Failed) => Some(kept.settled.clone()),
    }
}

/// Settles what is pending, undoing what does not count. The lock is held. Answers what counts then; `None` while the
/// run that makes the change is at work.
///
/// # Errors
/// [`IsolationError`]; calling again goes on.
pub async fn settle(
    folder: &Path,
    _lock: &Lock,
    journal: Journal<'_>,
) -> Result<Option<Option<Isolation>>, IsolationError> {
    let kept = Kept::load(folder)?;
    let Some(pending) = &kept.pending else { return Ok(Some(kept.settled)) };
    let word = word_of(folder, &pending.run_uuid, journal)?;
    let Some(settled) = decide(&kept, word) else { return Ok(None) };
    if word == Word::Failed {
        tracing::warn!(
            run = pending.run_uuid,
            isolated = settled.is_some(),
            "the run that was to change the isolation did not succeed; undoing what it did"
        );
        enforce(settled.as_ref()).await?;
    }
    Kept { settled: settled.clone(), pending: None }.store(folder)?;
    Ok(Some(settled))
}

/// Waits until the run is over that makes the pending change, if there is one.
///
/// # Errors
/// [`IsolationError`].
pub fn wait_for_run(folder: &Path) -> Result<(), IsolationError> {
    let Some(pending) = Kept::load(folder)?.pending else { return Ok(()) };
    let Ok(run) = pending.run_uuid.parse::<RunId>() else { return Ok(()) };
    match Folder::of(&state::runs_in(folder), run).open_lock().and_then(|lock| lock.lock()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Makes the rules say what counts.
///
/// # Errors
/// [`NftError`]; the rules are what they were.
pub async fn enforce(settled: Option<&Isolation>) -> Result<(), NftError> {
    match settled {
        Some(isolation) => nft::put_in_force(isolation).await,
        None => nft::remove().await,
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::link::{Order, RunEnded};
    use guardhouse_model::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::isolation::kept::Pending;

    fn isolation(run: &str) -> Isolation {
        Isolation {
            run_uuid: run.to_owned(),
            isolation_time: Timestamp::UNIX_EPOCH,
            servers: Vec::new(),
            exceptions: Vec::new(),
        }
    }

    #[test]
    fn a_change_counts_when_its_run_succeeded() {
        let (old, new) = (isolation("old"), isolation("new"));
        let pending = |wanted: Option<&Isolation>| {
            Some(Pending { run_uuid: "new".to_owned(), wanted: wanted.cloned() })
        };
        let starts = Kept { settled: None, pending: pending(Some(&new)) };
        let ends = Kept { settled: Some(old.clone()), pending: pending(None) };
        let table = [
            (&starts, Word::Working, None),
            (&starts, Word::Failed, Some(None)),
            (&starts, Word::Succeeded, Some(Some(new.clone()))),
            (&ends, Word::Working, None),
            (&ends, Word::Failed, Some(Some(old.clone()))),
            (&ends, Word::Succeeded, Some(None)),
        ];
        for (kept, word, expected) in table {
            assert_eq!(decide(kept, word), expected, "{kept:?} {word:?}");
        }
        let rests = Kept { settled: Some(old.clone()), pending: None };
        assert_eq!(decide(&rests, Word::Failed), Some(Some(old)));
    }

    #[test]
    fn the_folder_of_a_run_says_how_it_ended() {
        let state = tempfile::tempdir().expect("a folder");
        let run = RunId(Uuid::from_u128(7));
        let word = || word_of(state.path(), &run.to_string(), NO_JOURNAL).expect("readable");
        assert_eq!(word(), Word::Failed, "nobody knows the run");
        for (known, expected) in [(Some(true), Word::Succeeded), (Some(false), Word::Failed)] {
            let told = word_of(state.path(), &run.to_string(), &|_| known).expect("no folder");
            assert_eq!(told, expected, "the journal knows");
        }
        let folder = Folder::of(&state::runs_in(state.path()), run);
        folder.create(&Order::default()).expect("made");
        assert!(folder.pass_barrier().expect("passed"));
        let lock = folder.open_lock().expect("opened");
        lock.lock().expect("locked");
        assert_eq!(word(), Word::Working);
        drop(lock);
        assert_eq!(word(), Word::Failed, "its runner died");
        for (succeeded, expected) in [(false, Word::Failed), (true, Word::Succeeded)] {
            folder.write_outcome(&RunEnded { succeeded, ..Default::default() }).expect("written");
            assert_eq!(word(), expected);
        }
        assert_eq!(word_of(state.path(), "nonsense", NO_JOURNAL).expect("no folder"), Word::Failed);
    }

    #[tokio::test(start_paused = true)]
    async fn the_agent_does_not_wait_for_a_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = Lock::wait(folder.path()).expect("free");
        assert!(Lock::try_for_a_moment(folder.path()).await.expect("tried").is_none());
        drop(held);
        assert!(Lock::try_for_a_moment(folder.path()).await.expect("tried").is_some());
    }
}
