//! The file that says what is scheduled, so that it is known after a restart of the agent and forgotten after a restart
//! of the device.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use guardhouse_contract::{link::ScheduledPowerAction, time};
use prost::Message as _;

use super::rules::{Mechanism, Scheduled};
use crate::{durable, lock};

/// What the file holds.
#[derive(Clone, PartialEq, prost::Message)]
struct Content {
    #[prost(message, optional, tag = "1")]
    action: Option<ScheduledPowerAction>,
    /// The life of the kernel in which it was scheduled.
    #[prost(string, tag = "2")]
    boot: String,
    /// [`Mechanism::name`].
    #[prost(string, tag = "3")]
    mechanism: String,
}

/// The file in a state folder.
#[derive(Debug, Clone)]
pub struct Record {
    file: PathBuf,
    lock: PathBuf,
}

impl Record {
    /// The file in this state folder; it need not exist.
    #[must_use]
    pub fn in_state(state: &Path) -> Self {
        Self { file: state.join("power"), lock: state.join("power.lock") }
    }

    /// Waits until no other process changes what is scheduled; the right to do so ends when the answer is dropped.
    ///
    /// # Errors
    /// What the system says.
    pub fn lock(&self) -> io::Result<File> {
        let lock = lock::open(&self.lock)?;
        lock.lock()?;
        Ok(lock)
    }

    /// As [`Record::lock`], but does not wait: `None` when another process changes it.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_lock(&self) -> io::Result<Option<File>> {
        let lock = lock::open(&self.lock)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether anything is written down, be it of this life of the kernel or not.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.file.exists()
    }

    /// What was scheduled in this life of the kernel. What is left of an earlier one, or cannot be read, counts as
    /// nothing: a restart is never repeated.
    #[must_use]
    pub fn load(&self) -> Option<Scheduled> {
        self.load_in(&boot_id().ok()?)
    }

    fn load_in(&self, boot: &str) -> Option<Scheduled> {
        let content = match fs::read(&self.file) {
            Ok(bytes) => Content::decode(bytes.as_slice()).ok()?,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::error!(path = %self.file.display(), %error, "cannot read what is scheduled");
                }
                return None;
            }
        };
        if content.boot != boot {
            return None;
        }
        let action = content.action?;
        Some(Scheduled {
            run: action.run_uuid.parse().ok()?,
            restart: action.restart,
            time: time::from_proto(action.scheduled_time.as_ref()?)?,
            latest: time::from_proto(action.latest_time.as_ref()?)?,
            may_cancel: action.may_cancel,
            mechanism: [Mechanism::Logind, Mechanism::Program]
                .into_iter()
                .find(|mechanism| mechanism.name() == content.mechanism)?,
        })
    }

    /// Writes down what is scheduled in this life of the kernel, or that nothing is.
    ///
    /// # Errors
    /// What the system says; what was written before is still there then.
    pub fn store(&self, scheduled: Option<&Scheduled>) -> io::Result<()> {
        match scheduled {
            Some(scheduled) => self.store_in(scheduled, boot_id()?),
            None => match fs::remove_file(&self.file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed.and_then(|()| durable::sync_parent(&self.file)),
            },
        }
    }

    /// As [`Record::store`], in this life of the kernel.
    pub(super) fn store_in(&self, scheduled: &Scheduled, boot: String) -> io::Result<()> {
        let mechanism = scheduled.mechanism.name().to_owned();
        let content = Content { action: Some(scheduled.into()), boot, mechanism };
        durable::write(&self.file, &content.encode_to_vec())
    }
}

impl From<&Scheduled> for ScheduledPowerAction {
    fn from(scheduled: &Scheduled) -> Self {
        Self {
            restart: scheduled.restart,
            scheduled_time: Some(time::to_proto(scheduled.time)),
            latest_time: Some(time::to_proto(scheduled.latest)),
            may_cancel: scheduled.may_cancel,
            run_uuid: scheduled.run.to_string(),
        }
    }
}

/// Names the present life of the kernel.
fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::pb::era::common::data_definition::task::os::{Postpone, PowerActions};
    use guardhouse_model::{RunId, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn scheduled() -> Scheduled {
        let actions = PowerActions { cancel_action: true, postpone: Postpone::OneDay.into() };
        let noon: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a moment");
        Scheduled::plan(RunId(Uuid::from_u128(7)), true, &actions, noon)
    }

    #[test]
    fn what_is_scheduled_is_known_until_the_device_restarts() {
        let folder = tempfile::tempdir().expect("a folder");
        let record = Record::in_state(folder.path());
        assert_eq!(record.load(), None);
        record.store(Some(&scheduled())).expect("written");
        assert_eq!(record.load(), Some(scheduled()), "another process of this life");

        record.store_in(&scheduled(), "an earlier life".to_owned()).expect("written");
        assert_eq!(record.load(), None, "it is not repeated");
        assert_eq!(record.load_in("an earlier life"), Some(scheduled()));

        record.store(None).expect("removed");
        record.store(None).expect("nothing to remove");
        assert_eq!(record.load_in("an earlier life"), None);
    }

    #[test]
    fn what_is_spoilt_counts_as_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let record = Record::in_state(folder.path());
        record.store(Some(&scheduled())).expect("written");
        let bytes = fs::read(&record.file).expect("read");
        for length in 0..bytes.len() {
            fs::write(&record.file, &bytes[..length]).expect("written");
            assert_eq!(record.load(), None, "{length} bytes are left");
        }
    }

    #[test]
    fn one_process_at_a_time_changes_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let record = Record::in_state(folder.path());
        let held = record.lock().expect("free");
        assert!(record.try_lock().expect("asked").is_none());
        drop(held);
        // A fork of another test may hold a copy for a moment: it is waited for.
        record.lock().expect("free again");
    }
}
