//! Tar archives: where each entry's bytes lie, without reading them.
//!
//! Read as the `archive/tar` package of Go reads them, because that is what unpacks layers in the container engines: an
//! archive that looks different to a scanner than to an engine hides something. A reader of our own, because the `tar`
//! crate keeps extended headers of any length in memory, knows nothing of the sparse files of PAX, and reads on where Go
//! reports an error.

mod header;
mod pax;
mod sparse;

use std::{io, sync::Arc};

use header::{BLOCK, Header};
use pax::Extended;

use crate::block::BlockRead;

/// How long an extended header or a long name may be: Go takes as much.
const EXTENDED_BYTES: u64 = 1 << 20;

/// How many extended headers may come before one entry.
const EXTENDED_IN_A_ROW: usize = 16;

/// How much is read at once to find the next header.
const WINDOW: usize = 8 * 1024;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Folder,
    Symlink,
    HardLink,
    /// A device or a pipe.
    Other,
    /// A type that no standard has; Go's engines refuse it.
    Unknown(u8),
}

/// An entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// As it is written.
    pub path: Vec<u8>,
    pub kind: EntryKind,
    /// Where a link leads, as it is written.
    pub target: Vec<u8>,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds since 1970.
    pub modified: i64,
    /// How long the file is, holes included.
    pub size: u64,
    /// Where its bytes begin in the archive.
    pub data: u64,
    /// Parts that are kept, when the file has holes; the others are zeros. In the order of the file, and in this order
    /// one after the other from `data` on.
    pub sparse: Option<Vec<Part>>,
}

/// A part of a file with holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Where in the file.
    pub at: u64,
    pub length: u64,
}

/// Why an archive cannot be read further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("the archive is damaged at byte {at}: {what}")]
    Damaged { at: u64, what: &'static str },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// An archive, from entry to entry.
pub(crate) struct Archive {
    bytes: Arc<dyn BlockRead>,
    /// Where the next header is.
    at: u64,
    global: Extended,
    window: Vec<u8>,
    window_at: u64,
}

/// Whether an archive begins with this: the magic number of every tar since 1988, or a sum that is right.
#[must_use]
pub(crate) fn is_header(head: &[u8]) -> bool {
    let is_right = head.first_chunk().is_some_and(|block| Header::new(*block).is_right());
    is_right || head.get(257..262) == Some(b"ustar")
}

impl Archive {
    pub fn new(bytes: Arc<dyn BlockRead>) -> Self {
        Self { bytes, at: 0, global: Extended::default(), window: Vec::new(), window_at: 0 }
    }

    /// The next entry; `None` at the end, which is two blocks of zeros, or the end of the bytes.
    pub fn next(&mut self) -> Result<Option<Entry>, ArchiveError> {
        let mut extended = Extended::default();
        let (mut long_path, mut long_target) = (None, None);
        for _ in 0..EXTENDED_IN_A_ROW {
            let Some(header) = self.header()? else { return Ok(None) };
            let content = self.at;
            let field = |what| self.damaged(what);
            let size = header.size().ok_or_else(|| field("the size of an entry is no number"))?;
            match header.kind() {
                b'x' => {
                    let bytes = self.content(size)?;
                    extended.read(&bytes).map_err(|what| self.damaged(what))?;
                }
                b'g' => {
                    let bytes = self.content(size)?;
                    let mut global = std::mem::take(&mut self.global);
                    global.read(&bytes).map_err(|what| self.damaged(what))?;
                    self.global = global;
                }
                b'L' => long_path = Some(header::until_zero(&self.content(size)?).to_vec()),
                b'K' => long_target = Some(header::until_zero(&self.content(size)?).to_vec()),
                _ => {
                    // Names of GNU headers go before those of PAX in Go as well.
                    let mut merged = self.global.with(extended);
                    merged.path = long_path.or(merged.path);
                    merged.target = long_target.or(merged.target);
                    return self.entry(&header, size, content, merged).map(Some);
                }
            }
        }
        Err(self.damaged("too many extended headers for one entry"))
    }

    fn entry(
        &mut self,
        header: &Header,
        size: u64,
        content: u64,
        extended: Extended,
    ) -> Result<Entry, ArchiveError> {
        let path = extended.path.clone().unwrap_or_else(|| header.path());
        let kind = match header.kind() {
            // Before there was a type for folders.
            b'0' | 0 | b'7' | b'S' if path.ends_with(b"/") => EntryKind::Folder,
            b'0' | 0 | b'7' | b'S' => EntryKind::File,
            b'1' => EntryKind::HardLink,
            b'2' => EntryKind::Symlink,
            b'5' => EntryKind::Folder,
            b'3' | b'4' | b'6' => EntryKind::Other,
            other => EntryKind::Unknown(other),
        };
        // The others have nothing behind their header, whatever it says.
        let stored = match kind {
            EntryKind::File | EntryKind::Unknown(_) => extended.size.unwrap_or(size),
            EntryKind::Folder if header.kind() != b'5' => extended.size.unwrap_or(size),
            _ => 0,
        };
        let mut entry = Entry {
            kind,
            target: extended.target.clone().unwrap_or_else(|| header.target()),
            mode: header.mode() & 0o7777,
            uid: extended.uid.unwrap_or_else(|| header.uid()),
            gid: extended.gid.unwrap_or_else(|| header.gid()),
            modified: extended.modified.unwrap_or_else(|| header.modified()),
            size: stored,
            data: content,
            sparse: None,
            path,
        };
        let end = content.checked_add(stored).filter(|&end| end <= self.bytes.len());
        let mut end = end.ok_or_else(|| self.damaged("it ends in the middle of a file"))?;
        if kind == EntryKind::File {
            match header.kind() {
                b'S' => {
                    // Further parts of its map come between header and bytes, and are not counted in its size.
                    let (map, real, blocks) = self.gnu_map(header)?;
                    entry.data = content.saturating_add(blocks);
                    end = end.saturating_add(blocks);
                    self.with_holes(&mut entry, map, real, stored)?;
                }
                _ if extended.is_sparse() => self.pax_map(&mut entry, &extended, stored)?,
                _ => {}
            }
        }
        if end > self.bytes.len() {
            return Err(self.damaged("it ends in the middle of a file"));
        }
        self.at = end.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
        Ok(entry)
    }

    /// Checks a map against what it is about.
    fn with_holes(
        &self,
        entry: &mut Entry,
        map: Vec<Part>,
        real: u64,
        stored: u64,
    ) -> Result<(), ArchiveError> {
        sparse::check(&map, real, stored).map_err(|what| self.damaged(what))?;
        entry.size = real;
        entry.sparse = Some(map);
        Ok(())
    }

    /// The header at `at`, behind which `at` is then.
    fn header(&mut self) -> Result<Option<Header>, ArchiveError> {
        // The padding of the last file may be missing.
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let header = self.block(self.at)?;
        if header.is_zero() {
            let next = self.at.saturating_add(BLOCK);
            if next >= self.bytes.len() || self.block(next)?.is_zero() {
                return Ok(None);
            }
            return Err(self.damaged("a single block of zeros"));
        }
        if !header.is_right() {
            return Err(self.damaged("no header where one should be, or its sum is wrong"));
        }
        self.at = self.at.saturating_add(BLOCK);
        Ok(Some(header))
    }

    fn block(&mut self, at: u64) -> Result<Header, ArchiveError> {
        if at.checked_add(BLOCK).is_none_or(|end| end > self.bytes.len()) {
            return Err(ArchiveError::Damaged { at, what: "it ends in the middle of a header" });
        }
        let start = at.checked_sub(self.window_at).and_then(|start| usize::try_from(start).ok());
        let known = start.and_then(|start| self.window.get(start..)?.first_chunk::<{ BLOCK as usize }>());
        if let Some(block) = known {
            return Ok(Header::new(*block));
        }
        let left = usize::try_from(self.bytes.len() - at).unwrap_or(WINDOW);
        self.window.resize(WINDOW.min(left), 0);
        self.bytes.read_at(at, &mut self.window)?;
        self.window_at = at;
        let block = self.window.first_chunk().copied();
        Ok(Header::new(block.unwrap_or([0; BLOCK as usize])))
    }

    /// What lies behind an extended header, behind which `at` is then.
    fn content(&mut self, size: u64) -> Result<Vec<u8>, ArchiveError> {
        let end = self.at.checked_add(size).filter(|&end| end <= self.bytes.len());
        if end.is_none() || size > EXTENDED_BYTES {
            return Err(self.damaged("an extended header is longer than the archive, or than a megabyte"));
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.bytes.read_at(self.at, &mut bytes)?;
        self.at = self.at.saturating_add(size).checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
        Ok(bytes)
    }

    fn damaged(&self, what: &'static str) -> ArchiveError {
        ArchiveError::Damaged { at: self.at, what }
    }
}
