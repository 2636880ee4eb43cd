//! Bytes at random: a file, an archive in memory, or a part of either.

use std::{cell::RefCell, io, rc::Rc};

use crate::Source;

/// How much of the file is read at once, and kept.
const BLOCK: u64 = 128 << 10;

/// Some bytes. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Bytes<'a> {
    origin: Origin<'a>,
    start: u64,
    length: u64,
}

#[derive(Clone)]
enum Origin<'a> {
    File(&'a RefCell<Blocks<'a>>),
    Memory(Rc<[u8]>),
}

/// A file, of which the last block that was read is kept: a directory of an archive is read in pieces of 50 bytes.
pub(super) struct Blocks<'a> {
    source: &'a mut dyn Source,
    block: Vec<u8>,
    /// Where the block begins; `None` before the first.
    start: Option<u64>,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(source: &'a mut dyn Source) -> Self {
        Self { source, block: Vec::new(), start: None }
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.len() as u64 >= BLOCK {
            return self.source.read_at(offset, buffer);
        }
        let start = offset - offset % BLOCK;
        if self.start != Some(start) {
            self.start = None;
            self.block.resize(BLOCK as usize, 0);
            let mut filled = 0;
            while let Some(rest) = self.block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match self.source.read_at(start.saturating_add(filled as u64), rest)? {
                    0 => break,
                    read => filled = filled.saturating_add(read),
                }
            }
            self.block.truncate(filled);
            self.start = Some(start);
        }
        Ok(copy(&self.block, offset - start, buffer))
    }
}

impl<'a> Bytes<'a> {
    /// The whole file.
    pub(super) fn of_file(blocks: &'a RefCell<Blocks<'a>>) -> Self {
        let length = blocks.borrow().source.len();
        Self { origin: Origin::File(blocks), start: 0, length }
    }

    /// Bytes in memory.
    pub(super) fn of_memory(bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        Self { origin: Origin::Memory(bytes.into()), start: 0, length }
    }

    /// A part; `None` when it is not wholly in here.
    pub(super) fn part(&self, start: u64, length: u64) -> Option<Self> {
        let end = start.checked_add(length)?;
        (end <= self.length).then_some(())?;
        Some(Self { origin: self.origin.clone(), start: self.start.checked_add(start)?, length })
    }

    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Reads as much as fits and is there; 0 at the end.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let fits = left.min(buffer.len());
        let (Some(buffer), Some(offset)) = (buffer.get_mut(..fits), self.start.checked_add(offset)) else {
            return Ok(0);
        };
        if buffer.is_empty() {
            return Ok(0);
        }
        match &self.origin {
            Origin::File(blocks) => blocks.borrow_mut().read_at(offset, buffer),
            Origin::Memory(bytes) => Ok(copy(bytes, offset, buffer)),
        }
    }

    /// Fills the buffer.
    ///
    /// # Errors
    /// What the source says; `UnexpectedEof` when there is less.
    pub(super) fn fill(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(offset, buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    offset = offset.saturating_add(read as u64);
                    buffer = buffer.get_mut(read..).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    /// A reader from the beginning on.
    pub(super) fn reader(&self) -> impl io::Read + '_ {
        Sequential { bytes: self, offset: 0 }
    }
}

struct Sequential<'b, 'a> {
    bytes: &'b Bytes<'a>,
    offset: u64,
}

impl io::Read for Sequential<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read_at(self.offset, buffer)?;
        self.offset = self.offset.saturating_add(read as u64);
        Ok(read)
    }
}

fn copy(from: &[u8], offset: u64, buffer: &mut [u8]) -> usize {
    let from = usize::try_from(offset).ok().and_then(|offset| from.get(offset..)).unwrap_or_default();
    let length = from.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..length), from.get(..length)) {
        to.copy_from_slice(from);
    }
    length
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, io};

    use proptest::prelude::*;

    use super::{Blocks, Bytes};
    use crate::Source;

    /// Gives a few bytes at a time, as a source may.
    struct Slow(Vec<u8>);

    impl Source for Slow {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            let few = buffer.len().min(50_000);
            Ok(super::copy(&self.0, offset, &mut buffer[..few]))
        }

        fn sibling(&mut self, _: &[u8], _: u64) -> io::Result<Option<Vec<u8>>> {
            Ok(None)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_part_reads_as_the_whole(start in 0u64..400_000, length in 0u64..300_000, offset in 0u64..300_000, want in 0usize..200_000) {
            let whole: Vec<u8> = (0..400_000u32).map(|at| (at % 251) as u8).collect();
            let mut source = Slow(whole.clone());
            let blocks = RefCell::new(Blocks::new(&mut source));
            for bytes in [Bytes::of_memory(whole.clone()), Bytes::of_file(&blocks)] {
                let part = bytes.part(start, length);
                prop_assert_eq!(part.is_some(), start + length <= 400_000);
                let Some(part) = part else { continue };
                let mut buffer = vec![0; want];
                let filled = part.fill(offset, &mut buffer).is_ok();
                prop_assert_eq!(filled, want == 0 || offset + want as u64 <= length);
                if filled {
                    let begin = (start + offset) as usize;
                    prop_assert_eq!(&buffer[..], whole.get(begin..begin + want).unwrap_or_default());
                }
            }
        }
    }
}
