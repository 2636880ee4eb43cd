//! The agent's memory: what it was told to do, what it began, and what came of it.
//!
//! An append-only file. A change counts when it is synced to disk, never before; everything the agent says to
//! the server or does to the machine comes after the record that allows it. That is what makes "at least once,
//! applied once" true through crashes and power cuts.

mod frames;
mod ledger;
mod record;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

pub use frames::{Damage, Parsed, encode, header, parse};
use guardhouse_model::Environment;
pub use ledger::{Entry, Ledger, Run, keep_until};
pub use record::{Record, Settled};

use crate::{durable, kill_points, kill_points::KillPoint};

/// How far the file grows beyond its last compaction before the next one, in bytes.
const COMPACT_AFTER: u64 = 1024 * 1024;

/// Why the journal cannot be used. The file is untouched in every case.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refuses.
    #[error("cannot use the journal {}", .path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The content is not what the agent wrote.
    #[error(
        "the journal {0} is damaged: {1}. The agent does not start, because it could repeat actions. Restore the \
         file from a backup, or set it aside (mv {0} {0}.damaged) and start again: actions whose folder is still \
         in the folder \"runs\" are not repeated then either, results that were not yet delivered are lost",
        .path.display(), .damage
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
}

/// The open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    salt: [u8; 8],
    length: u64,
    compact_at: u64,
    ledger: Ledger,
    environment: Environment,
    kill_point: KillPoint,
}

impl Journal {
    /// Opens or makes the journal, replays it and compacts it.
    ///
    /// A torn end, which a crash in the middle of an append leaves, is cut off: its records never counted.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when anything else is wrong with the content.
    pub fn open(path: &Path, environment: Environment, kill_point: KillPoint) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Io { path: path.to_owned(), source };
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(failed)?,
        };
        let parsed =
            parse(&bytes).map_err(|damage| JournalError::Damaged { path: path.to_owned(), damage })?;
        if parsed.torn > 0 {
            tracing::warn!(
                journal = %path.display(), bytes = parsed.torn,
                "the last append was interrupted; what it would have recorded had no effect yet"
            );
        }
        let mut ledger = Ledger::default();
        parsed.records.iter().for_each(|record| ledger.apply(record));

        let (file, salt, length) = rewrite(path, &ledger, &environment).map_err(failed)?;
        ledger.forget(environment.now());
        Ok(Self {
            path: path.to_owned(),
            file,
            salt,
            length,
            compact_at: length + COMPACT_AFTER,
            ledger,
            environment,
            kill_point,
        })
    }

    /// What the journal says about all runs.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Records what happened, in one synced write; nothing is recorded for an empty list.
    ///
    /// # Errors
    /// After an error it is unknown what reached the disk: the agent must stop and open the journal again.
    pub fn append(&mut self, records: Vec<Record>) -> Result<(), JournalError> {
        if records.is_empty() {
            return Ok(());
        }
        self.reach(&records, kill_point_before);
        self.write(&records).map_err(|source| JournalError::Io { path: self.path.clone(), source })?;
        self.reach(&records, kill_point_after);
        records.iter().for_each(|record| self.ledger.apply(record));
        Ok(())
    }

    fn write(&mut self, records: &[Record]) -> io::Result<()> {
        if self.length > self.compact_at {
            (self.file, self.salt, self.length) = rewrite(&self.path, &self.ledger, &self.environment)?;
            self.ledger.forget(self.environment.now());
            self.compact_at = self.length + COMPACT_AFTER;
        }
        let frame = encode(self.salt, records);
        self.file.write_all(&frame)?;
        self.file.sync_data()?;
        self.length += frame.len() as u64;
        Ok(())
    }

    fn reach(&self, records: &[Record], step: fn(&Record) -> Option<&'static str>) {
        records.iter().filter_map(step).for_each(|step| self.kill_point.reach(step));
    }
}

/// Replaces the file by one that holds what is still needed, and opens it for appending.
fn rewrite(path: &Path, ledger: &Ledger, environment: &Environment) -> io::Result<(File, [u8; 8], u64)> {
    let salt = environment.random();
    let mut bytes = header(salt);
    let kept = ledger.records(environment.now());
    if !kept.is_empty() {
        bytes.extend(encode(salt, &kept));
    }
    durable::write(path, &bytes)?;
    Ok((OpenOptions::new().append(true).open(path)?, salt, bytes.len() as u64))
}

fn kill_point_before(record: &Record) -> Option<&'static str> {
    match record {
        Record::Accepted(..) => Some(kill_points::ACCEPTED_BEFORE),
        Record::Started(_) => Some(kill_points::STARTED_BEFORE),
        Record::Ended(..) => Some(kill_points::ENDED_BEFORE),
        Record::Settled(_, Settled::Acknowledged, _) => Some(kill_points::ACKNOWLEDGED_BEFORE),
        Record::Settled(_, Settled::Withdrawn, _) => None,
    }
}

fn kill_point_after(record: &Record) -> Option<&'static str> {
    match record {
        Record::Accepted(..) => Some(kill_points::ACCEPTED_AFTER),
        Record::Started(_) => Some(kill_points::STARTED_AFTER),
        Record::Ended(..) => Some(kill_points::ENDED_AFTER),
        Record::Settled(_, Settled::Acknowledged, _) => Some(kill_points::ACKNOWLEDGED_AFTER),
        Record::Settled(_, Settled::Withdrawn, _) => None,
    }
}

#[cfg(test)]
mod tests;
