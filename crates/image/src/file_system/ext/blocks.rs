//! The blocks of the file system as they are after the journal was replayed.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    super::{ReadError, disk::Disk},
    changed::ChangedFiles,
};

/// How much is read at once for metadata, in bytes.
const CHUNK: usize = 32 << 10;

/// How many chunks a reader keeps.
const KEPT: usize = 16;

/// Blocks by number; a block that the journal has a newer version of comes from there.
#[derive(Clone, Debug)]
pub struct Blocks {
    pub disk: Disk,
    pub size: u32,
    /// How many there are.
    pub count: u64,
    pub replayed: Arc<BTreeMap<u64, Replayed>>,
    /// Files that fast commits have changed.
    pub changed: Arc<ChangedFiles>,
}

/// The newer version of a block.
#[derive(Clone, Copy, Debug)]
pub struct Replayed {
    /// Where it lies: a block of the journal's file.
    pub block: u64,
    /// Its first four bytes are the journal's magic number, which the journal itself must not hold there.
    pub escaped: bool,
}

impl Blocks {
    /// Fills `buffer` from `within` bytes after the start of `block` on, across as many blocks as it takes.
    pub fn fill(&self, block: u64, within: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let size = u64::from(self.size);
        let start = block.checked_mul(size).and_then(|start| start.checked_add(within));
        let end = start.and_then(|start| start.checked_add(buffer.len() as u64));
        let (Some(start), Some(end)) = (start, end.filter(|&end| end <= self.count.saturating_mul(size)))
        else {
            return Err(ReadError::Damaged(format!("block {block} lies beyond the end of the file system")));
        };
        self.disk.fill(start, buffer)?;
        for (&block, newer) in self.replayed.range(start / size..end.div_ceil(size)) {
            let at = block * size;
            let (from, to) = (at.max(start), at.saturating_add(size).min(end));
            let Some(piece) = slice(buffer, from - start, to.saturating_sub(from)) else { continue };
            self.disk.fill(newer.block.saturating_mul(size).saturating_add(from - at), piece)?;
            if newer.escaped {
                for (byte, magic) in
                    piece.iter_mut().zip(super::journal::MAGIC.iter().skip((from - at) as usize))
                {
                    *byte = *magic;
                }
            }
        }
        Ok(())
    }
}

fn slice(buffer: &mut [u8], start: u64, length: u64) -> Option<&mut [u8]> {
    let start = usize::try_from(start).ok()?;
    buffer.get_mut(start..start.checked_add(usize::try_from(length).ok()?)?)
}

/// Metadata that one reader has read last.
#[derive(Debug, Default)]
pub struct Cache {
    chunks: Vec<Chunk>,
    clock: u64,
}

#[derive(Debug)]
struct Chunk {
    number: u64,
    used: u64,
    bytes: Vec<u8>,
}

impl Cache {
    /// A part of a block.
    pub fn read(
        &mut self,
        blocks: &Blocks,
        block: u64,
        within: u32,
        length: usize,
    ) -> Result<&[u8], ReadError> {
        let damaged = || ReadError::Damaged(format!("block {block} lies beyond the end of the file system"));
        let size = u64::from(blocks.size);
        let chunk_size = (CHUNK as u64).max(size);
        let end = blocks.count.saturating_mul(size);
        let at =
            block.checked_mul(size).and_then(|at| at.checked_add(u64::from(within))).ok_or_else(damaged)?;
        if block >= blocks.count {
            return Err(damaged());
        }
        let number = at / chunk_size;
        self.clock += 1;
        let index = match self.chunks.iter().position(|chunk| chunk.number == number) {
            Some(index) => index,
            None => {
                let start = number * chunk_size;
                let length = usize::try_from(chunk_size.min(end - start)).map_err(|_| damaged())?;
                let mut bytes = vec![0; length];
                blocks.fill(start / size, 0, &mut bytes)?;
                self.keep(Chunk { number, used: 0, bytes })
            }
        };
        let clock = self.clock;
        let chunk = self.chunks.get_mut(index).ok_or_else(damaged)?;
        chunk.used = clock;
        let from = usize::try_from(at % chunk_size).map_err(|_| damaged())?;
        chunk.bytes.get(from..from.saturating_add(length)).ok_or_else(damaged)
    }

    fn keep(&mut self, chunk: Chunk) -> usize {
        if self.chunks.len() >= KEPT {
            let oldest =
                self.chunks.iter().enumerate().min_by_key(|(_, chunk)| chunk.used).map_or(0, |(at, _)| at);
            if let Some(place) = self.chunks.get_mut(oldest) {
                *place = chunk;
                return oldest;
            }
        }
        self.chunks.push(chunk);
        self.chunks.len() - 1
    }
}
