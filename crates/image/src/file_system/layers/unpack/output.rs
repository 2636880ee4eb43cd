//! Bytes on their way from an archive into a temporary file.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

use super::{CHUNK, Scratch, UnpackError, digest::Digest, digest::Hasher};
use crate::{
    block::{BlockRead, FileDisk},
    limits,
};

/// What a hole reads as.
static ZEROS: [u8; CHUNK] = [0; CHUNK];

/// Bytes from the first to the last, and their digest.
pub(super) struct Stream {
    bytes: Arc<dyn BlockRead>,
    at: u64,
    hasher: Option<Hasher>,
}

impl Stream {
    pub fn new(bytes: Arc<dyn BlockRead>, digest: Option<&Digest>) -> Self {
        Self { bytes, at: 0, hasher: digest.map(Hasher::new) }
    }

    /// Reads to the end.
    pub fn check(&mut self, digest: &Digest) -> Result<(), UnpackError> {
        io::copy(&mut BufReader::with_capacity(CHUNK, &mut *self), &mut io::sink())
            .map_err(UnpackError::Damaged)?;
        match self.hasher.take().is_none_or(|hasher| hasher.is(digest)) {
            true => Ok(()),
            false => Err(UnpackError::Digest),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.bytes.len().saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        self.bytes.read_at(self.at, buffer)?;
        self.at = self.at.saturating_add(count as u64);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(buffer);
        }
        Ok(count)
    }
}

/// The unpacked bytes.
pub(super) struct Output<'a> {
    scratch: &'a Scratch,
    /// How long it may get for its ratio.
    most: u64,
    written: u64,
    hasher: Option<Hasher>,
    file: Option<File>,
}

impl<'a> Output<'a> {
    pub fn new(scratch: &'a Scratch, packed: u64, digest: Option<&Digest>) -> Self {
        let most = packed.saturating_mul(limits::UNPACKED_RATIO).max(limits::UNPACKED_ANYWAY_BYTES);
        Self { scratch, most, written: 0, hasher: digest.map(Hasher::new), file: None }
    }

    pub fn fill(&mut self, mut unpacked: impl Read) -> Result<(), UnpackError> {
        let failed = |error| self.scratch.failed(error);
        let file = tempfile::tempfile_in(&self.scratch.folder).map_err(failed)?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = match unpacked.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(UnpackError::Damaged(error)),
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            if self.written.saturating_add(count as u64) > self.most {
                return Err(UnpackError::Ratio(limits::UNPACKED_RATIO));
            }
            self.scratch.take(count as u64)?;
            if let Some(hasher) = &mut self.hasher {
                hasher.update(bytes);
            }
            // Zeros are left out as holes: a bomb of them needs no room.
            if ZEROS.get(..count) != Some(bytes) {
                file.write_all_at(bytes, self.written).map_err(failed)?;
            }
            self.written += count as u64;
        }
        file.set_len(self.written).map_err(failed)?;
        self.file = Some(file);
        Ok(())
    }

    pub fn end(self, digest: Option<&Digest>) -> Result<Arc<dyn BlockRead>, UnpackError> {
        if let (Some(hasher), Some(digest)) = (self.hasher, digest)
            && !hasher.is(digest)
        {
            return Err(UnpackError::Digest);
        }
        let failed = |error| self.scratch.failed(error);
        let file = self.file.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        Ok(Arc::new(FileDisk::of(file).map_err(failed)?))
    }
}
