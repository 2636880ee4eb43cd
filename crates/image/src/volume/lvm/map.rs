//! The bytes of a logical volume.

use std::{io, sync::Arc};

use crate::block::{BlockRead, by_chunk, check_end};

/// A logical volume: segments one after the other.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    /// In their order; each begins where the one before ends.
    segments: Vec<Segment>,
    length: u64,
}

/// The stripes of a segment on one disk.
#[derive(Debug)]
pub(super) struct Stripes {
    pub(super) disk: Arc<dyn BlockRead>,
    /// Where the first one begins.
    pub(super) start: u64,
}

/// A part of a logical volume that is kept in one way.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) start: u64,
    pub(super) length: u64,
    /// The disks that its stripes go to in turn; none for zeros.
    pub(super) stripes: Vec<Stripes>,
    /// How long a stripe is; of no meaning with one disk.
    pub(super) stripe: u64,
}

impl Mapped {
    /// Adds the next segment; `None` when it does not begin where the one before ends.
    pub(super) fn push(&mut self, segment: Segment) -> Option<()> {
        let end = segment.start.checked_add(segment.length)?;
        if segment.start != self.length || segment.stripes.len() > 1 && segment.stripe == 0 {
            return None;
        }
        self.length = end;
        self.segments.push(segment);
        Some(())
    }
}

impl BlockRead for Mapped {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_end(self.length, offset, buffer)?;
        let (mut at, mut rest) = (offset, buffer);
        while !rest.is_empty() {
            let next = self.segments.partition_point(|segment| segment.start <= at);
            // The first begins at 0, and `check_end` saw to it that the last has not ended.
            let Some(segment) = next.checked_sub(1).and_then(|last| self.segments.get(last)) else { break };
            let within = at - segment.start;
            let take = usize::try_from(segment.length - within).unwrap_or(usize::MAX).min(rest.len());
            let (part, after) = rest.split_at_mut(take);
            segment.read_at(within, part)?;
            at += take as u64;
            rest = after;
        }
        Ok(())
    }
}

impl Segment {
    fn read_at(&self, within: u64, part: &mut [u8]) -> io::Result<()> {
        match self.stripes.as_slice() {
            [] => {
                part.fill(0);
                Ok(())
            }
            [Stripes { disk, start }] => disk.read_at(start.saturating_add(within), part),
            stripes => by_chunk(self.length, self.stripe, within, part, |number, within, part| {
                let count = stripes.len() as u64;
                let Stripes { disk, start } = &stripes[(number % count) as usize];
                disk.read_at(start.saturating_add(number / count * self.stripe + within), part)
            }),
        }
    }
}
