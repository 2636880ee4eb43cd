//! Numbers in bytes that somebody else wrote, and reading parts of a file without many small reads.

use std::io;

use crate::format::Source;

/// In which order the bytes of a number stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = array(bytes, at)?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = array(bytes, at)?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }

    pub(crate) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let bytes = array(bytes, at)?;
        Some(match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        })
    }
}

/// `N` bytes from `at` on, when they are there.
fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// `len` bytes from `at` on, when they are there.
pub(crate) fn part(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

/// A text of a package: without the white space around it, readable, and at most 4 KiB long. No name or version is that
/// long, and a report must not grow by what an attacker writes.
pub(crate) fn text(bytes: &[u8]) -> String {
    const AT_MOST: usize = 4096;
    let bytes = bytes.trim_ascii();
    String::from_utf8_lossy(bytes.get(..AT_MOST).unwrap_or(bytes)).into_owned()
}

/// Reads until `buffer` is full or the file ends; how much it read.
pub(crate) fn fill(source: &mut dyn Source, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read_at(offset.saturating_add(filled as u64), rest)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// A view of a file that reads it in large parts: for formats that are made of small pages.
pub(crate) struct Window<'a> {
    source: &'a mut dyn Source,
    start: u64,
    buffer: Vec<u8>,
    filled: usize,
}

impl<'a> Window<'a> {
    /// How much is read where reads follow each other, and where they do not, in bytes.
    const FOLLOWING: usize = 128 * 1024;
    const ALONE: usize = 16 * 1024;

    pub(crate) fn new(source: &'a mut dyn Source) -> Self {
        Self { source, start: 0, buffer: Vec::new(), filled: 0 }
    }

    pub(crate) fn len(&self) -> u64 {
        self.source.len()
    }

    /// Fills `into` from `offset` on; `false` when the file ends before that.
    pub(crate) fn read(&mut self, offset: u64, into: &mut [u8]) -> io::Result<bool> {
        let mut done = 0;
        while done < into.len() {
            let at = offset.saturating_add(done as u64);
            let seen = self.seen(at)?;
            let rest = into.get_mut(done..).unwrap_or_default();
            let step = seen.len().min(rest.len());
            if step == 0 {
                return Ok(false);
            }
            rest.iter_mut().zip(seen).for_each(|(to, from)| *to = *from);
            done += step;
        }
        Ok(true)
    }

    /// What the window holds from `at` on; moves it when it does not hold that.
    fn seen(&mut self, at: u64) -> io::Result<&[u8]> {
        let end = self.start.saturating_add(self.filled as u64);
        if at < self.start || at >= end {
            self.buffer.resize(if at == end { Self::FOLLOWING } else { Self::ALONE }, 0);
            self.filled = 0;
            self.start = at;
            self.filled = fill(self.source, at, &mut self.buffer)?;
        }
        let within = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        Ok(self.buffer.get(within..self.filled).unwrap_or_default())
    }
}
