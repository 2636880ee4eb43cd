//! A file in the hands of the analysers.

use std::io;

use guardhouse_image::{FilePath, Metadata, ReadError, TreeReader, tree::TreePlace};
use guardhouse_packages::Source;
use sha2::{Digest as _, Sha256};

/// How much is read at once, in bytes, while reads jump about.
const WINDOW: usize = 128 << 10;

/// How much is read at once, in bytes, while reads follow each other.
const STRIDE: usize = 1 << 20;

/// Files up to this length, in bytes, are held in memory as a whole once somebody wants all of them.
pub(super) const WHOLE: usize = 4 << 20;

/// A part of a file in memory: one per thread, used for one file after the other.
#[derive(Debug, Default)]
pub struct Window {
    /// Room for the longest part so far: making room means writing zeros to it.
    room: Vec<u8>,
    /// How much of the room is filled.
    length: usize,
    /// Where the part begins in the file.
    start: u64,
}

impl Window {
    fn bytes(&self) -> &[u8] {
        self.room.get(..self.length).unwrap_or_default()
    }

    fn end(&self) -> u64 {
        self.start.saturating_add(self.length as u64)
    }

    /// The bytes from `offset` on; empty when they are not here.
    fn from(&self, offset: u64) -> &[u8] {
        offset
            .checked_sub(self.start)
            .and_then(|skip| usize::try_from(skip).ok())
            .and_then(|skip| self.bytes().get(skip..))
            .unwrap_or_default()
    }
}

/// A regular file that analysers look at. What was read for one is there for the next.
pub struct ScannedFile<'w> {
    reader: &'w mut TreeReader,
    window: &'w mut Window,
    place: &'w TreePlace,
    metadata: &'w Metadata,
    sha256: Option<[u8; 32]>,
    read: u64,
}

impl<'w> ScannedFile<'w> {
    pub(super) fn new(
        reader: &'w mut TreeReader,
        window: &'w mut Window,
        place: &'w TreePlace,
        metadata: &'w Metadata,
    ) -> Self {
        window.length = 0;
        window.start = 0;
        Self { reader, window, place, metadata, sha256: None, read: 0 }
    }

    /// Where it is in its tree.
    #[must_use]
    pub fn path(&self) -> &FilePath {
        &self.place.path
    }

    /// What is known about it.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        self.metadata
    }

    /// How many bytes were read from the target so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Reads as much as fits and is there, from `offset` on; 0 at the end.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if offset >= self.metadata.size || buffer.is_empty() {
            return Ok(0);
        }
        if self.window.from(offset).is_empty() {
            if buffer.len() >= WINDOW {
                let read = self.reader.read_at(self.place, offset, buffer)?;
                self.read += read as u64;
                return Ok(read);
            }
            self.move_window(offset)?;
        }
        let here = self.window.from(offset);
        let count = here.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), here.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    /// The first bytes: as many as asked for, or the whole file when it is shorter. At most 128 KiB.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn head(&mut self, length: usize) -> Result<&[u8], ReadError> {
        let wanted = (length.min(WINDOW) as u64).min(self.metadata.size);
        if (self.window.from(0).len() as u64) < wanted {
            self.fill(0, WINDOW)?;
        }
        let here = self.window.from(0);
        Ok(here.get(..length).unwrap_or(here))
    }

    /// The whole file; `None` when it is longer than `at_most` or than 4 MiB: then it is read in pieces.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn content(&mut self, at_most: usize) -> Result<Option<&[u8]>, ReadError> {
        let Some(size) = self.whole().filter(|&size| size <= at_most) else { return Ok(None) };
        if self.window.from(0).len() < size {
            self.fill(0, size)?;
        }
        Ok(Some(self.window.from(0)))
    }

    /// The SHA-256 of its bytes. Computed once.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn sha256(&mut self) -> Result<[u8; 32], ReadError> {
        if let Some(digest) = self.sha256 {
            return Ok(digest);
        }
        let digest = if self.content(WHOLE)?.is_some() {
            Sha256::digest(self.window.from(0))
        } else {
            let mut sha256 = Sha256::new();
            let mut offset = 0;
            loop {
                self.fill(offset, STRIDE)?;
                if self.window.length == 0 {
                    break sha256.finalize();
                }
                sha256.update(self.window.bytes());
                offset = self.window.end();
            }
        };
        Ok(*self.sha256.insert(digest.into()))
    }

    /// Its length, when it may be held as a whole.
    fn whole(&self) -> Option<usize> {
        usize::try_from(self.metadata.size).ok().filter(|&size| size <= WHOLE)
    }

    /// Puts the window where `offset` is inside: behind the last one when reads follow each other, from a round number
    /// on otherwise, so that a reader that goes backwards finds what it wants next.
    fn move_window(&mut self, offset: u64) -> Result<(), ReadError> {
        if self.window.length > 0 && offset == self.window.end() {
            return self.fill(offset, (self.window.length * 2).clamp(WINDOW, STRIDE));
        }
        let start = offset - offset % (WINDOW as u64 / 2);
        self.fill(start, WINDOW)
    }

    /// Reads a part of the file into the window; shorter at the end of the file.
    fn fill(&mut self, start: u64, length: usize) -> Result<(), ReadError> {
        let rest = self.metadata.size.saturating_sub(start);
        let length = usize::try_from(rest).map_or(length, |rest| rest.min(length));
        if self.window.room.len() < length {
            self.window.room.resize(length, 0);
        }
        self.window.start = start;
        self.window.length = 0;
        let room = self.window.room.get_mut(..length).unwrap_or_default();
        let mut filled = 0;
        let outcome = loop {
            let Some(buffer) = room.get_mut(filled..).filter(|buffer| !buffer.is_empty()) else {
                break Ok(());
            };
            match self.reader.read_at(self.place, start.saturating_add(filled as u64), buffer) {
                Ok(0) => break Ok(()),
                Ok(read) => filled += read,
                // What was read before the damage is of use; the next read meets the damage alone.
                Err(error) => break if filled == 0 { Err(error) } else { Ok(()) },
            }
        };
        self.window.length = filled;
        self.read += filled as u64;
        outcome
    }

    fn read_sibling(&mut self, name: &[u8], at_most: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(folder) = self.place.path.parent() else { return Ok(None) };
        let Some(place) = self.reader.find(&folder.join(name))? else { return Ok(None) };
        let size = self.reader.metadata(&place)?.size;
        let length = usize::try_from(size).ok().filter(|_| size <= at_most);
        let Some(length) = length else { return Err(io::Error::from(io::ErrorKind::FileTooLarge).into()) };
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while let Some(buffer) = bytes.get_mut(filled..).filter(|buffer| !buffer.is_empty()) {
            match self.reader.read_at(&place, filled as u64, buffer)? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        self.read += filled as u64;
        Ok(Some(bytes))
    }
}

impl Source for ScannedFile<'_> {
    fn len(&self) -> u64 {
        self.metadata.size
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Self::read_at(self, offset, buffer).map_err(io_error)
    }

    fn sibling(&mut self, name: &[u8], at_most: u64) -> io::Result<Option<Vec<u8>>> {
        self.read_sibling(name, at_most).map_err(io_error)
    }
}

fn io_error(error: ReadError) -> io::Error {
    match error {
        ReadError::Io(error) => error,
        error => io::Error::other(error),
    }
}
