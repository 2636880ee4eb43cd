//! The log (`$LogFile`): changes that were logged and are not in their places yet are made in memory.
//!
//! Below is a log of pages and records (LFS); the records are those of NTFS, which tell for each change how it is made
//! again and how it is taken back. As Windows does when it mounts a volume, three passes go through it: what was open
//! and unfinished, then every change that may be missing, then those of unfinished transactions backwards. The
//! places in the records are trusted no further than the volume reaches, and the log as a whole only as long as each
//! record fits what it changes: otherwise nothing is changed.
//!
//! The format is described by the drivers of Linux (fs/ntfs3) and by ntfsrecover of ntfs-3g.

mod analysis;
mod file_record;
mod index;
mod operation;
mod pages;
mod passes;
mod restart;
mod tables;

use std::sync::Arc;

use self::{
    pages::{Pages, Record},
    passes::Replay,
};
use super::{
    super::{ReadError, disk::Disk, overlay::Overlay},
    stream::Stream,
    volume::Volume,
};

/// How many bytes of the volume may differ after a replay; a log of 64 MiB, the usual most, changes fewer.
const CHANGED: u64 = 64 << 20;

/// How much work a log may make: bytes of records, and entries of tables. Real ones stay below a thousandth.
const WORK: u64 = 1 << 33;

/// What became of the log.
pub enum Outcome {
    /// It is empty, or was closed.
    Closed,
    /// It was in use, and everything in it is in its place.
    Nothing,
    /// Changes were made: the volume lies on this disk now.
    Replayed { disk: Disk, redone: u64, undone: u64 },
}

/// Replays the log.
///
/// # Errors
/// What in the log is not understood or contradicts itself; the volume is as it was then.
pub fn replay(volume: &Volume, log: Stream) -> Result<Outcome, ReadError> {
    let mut log = LogFile { stream: log, disk: volume.disk.clone() };
    let Some(restart) = restart::find(&mut log)? else { return Ok(Outcome::Closed) };
    let mut budget = Budget(WORK);
    let mut pages = Pages::new(log, restart.layout)?;
    let analysis = analysis::analyse(&mut pages, &restart, &mut budget)?;
    let mut replay = Replay {
        pages: &mut pages,
        restart: &restart,
        analysis: &analysis,
        budget: &mut budget,
        volume,
        overlay: Overlay::new(volume.disk.clone(), CHANGED),
    };
    let (redone, undone) = (replay.redo()?, replay.undo()?);
    if redone == 0 && undone == 0 {
        return Ok(Outcome::Nothing);
    }
    Ok(Outcome::Replayed { disk: Disk::new(Arc::new(replay.overlay)), redone, undone })
}

/// The bytes of the log.
#[derive(Debug)]
struct LogFile {
    stream: Stream,
    disk: Disk,
}

impl LogFile {
    fn size(&self) -> u64 {
        self.stream.size
    }

    /// Fills `buffer`; what is beyond the end is an error.
    fn read(&mut self, place: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        if self.stream.read_at(&self.disk, place, buffer)? < buffer.len() {
            return Err(damaged("it is shorter than it says"));
        }
        Ok(())
    }
}

/// What work is left.
#[derive(Debug)]
struct Budget(u64);

impl Budget {
    /// Every step counts, whatever it does.
    fn spend(&mut self, work: usize) -> Result<(), ReadError> {
        let left = self.0.checked_sub((work as u64).saturating_add(64));
        self.0 = left.ok_or(ReadError::Limit { what: "steps to replay", limit: WORK })?;
        Ok(())
    }
}

fn damaged(what: &str) -> ReadError {
    ReadError::Damaged(what.into())
}

/// Says in which record an error was found.
fn in_record(record: &Record, error: ReadError) -> ReadError {
    let number = record.number;
    match error {
        ReadError::Damaged(what) => ReadError::Damaged(format!("record {number:#x}: {what}")),
        ReadError::Unsupported(what) => ReadError::Unsupported(format!("record {number:#x}: {what}")),
        error => error,
    }
}
