//! A part of a disk as a disk of its own.

use std::{io, sync::Arc};

use super::{BlockRead, chunks::check_end};

/// A partition, or an extent.
#[derive(Debug)]
pub struct Section {
    disk: Arc<dyn BlockRead>,
    start: u64,
    length: u64,
}

impl Section {
    /// The bytes of `disk` from `start` on. What of it lies beyond the end of the disk is not there: reading it is
    /// `UnexpectedEof`, as for a disk that was copied in part.
    #[must_use]
    pub fn new(disk: Arc<dyn BlockRead>, start: u64, length: u64) -> Self {
        Self { disk, start, length }
    }
}

impl BlockRead for Section {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_end(self.length, offset, buffer)?;
        self.disk.read_at(self.start.saturating_add(offset), buffer)
    }
}
