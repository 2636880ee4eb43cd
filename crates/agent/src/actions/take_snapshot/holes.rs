//! Files with holes, as GNU tar writes them: a map of what is there, then only that.

use std::{fs::File, io, io::Read, os::unix::fs::FileExt as _};

use rustix::{
    fs::{SeekFrom, seek},
    io::Errno,
};
use tar::{EntryType, GnuExtSparseHeader, Header};

/// The most parts in the map of one file. What comes behind them is written as a whole: readers have a limit, too.
const MOST_PARTS: usize = 50_000;

/// How many parts the header of an entry has room for.
const IN_HEADER: usize = 4;

/// A part of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) at: u64,
    pub(super) length: u64,
}

/// What of a file of `size` bytes is there: one part where it has no holes.
pub(super) fn parts(file: &File, size: u64) -> Vec<Part> {
    let whole = || vec![Part { at: 0, length: size }];
    let mut parts: Vec<Part> = Vec::new();
    let mut at = 0;
    while at < size {
        let begin = match seek(file, SeekFrom::Data(at)) {
            Ok(begin) => begin,
            // Only a hole is left.
            Err(Errno::NXIO) => break,
            Err(_) => return whole(),
        };
        let Ok(end) = seek(file, SeekFrom::Hole(begin)) else { return whole() };
        let end = end.min(size);
        if begin < at || end <= begin {
            break;
        }
        if parts.len() + 1 == MOST_PARTS {
            parts.push(Part { at: begin, length: size - begin });
            break;
        }
        parts.push(Part { at: begin, length: end - begin });
        at = end;
    }
    parts
}

/// Makes a header that of a file with holes; answers what comes between it and the bytes.
pub(super) fn describe(header: &mut Header, parts: &[Part], size: u64) -> Vec<u8> {
    let end = Part { at: size, length: 0 };
    let mut map = parts.iter().chain([&end]);
    let stored = parts.iter().map(|part| part.length).sum();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(stored);
    if let Some(header) = header.as_gnu_mut() {
        header.set_real_size(size);
        for (field, part) in header.sparse.iter_mut().zip(map.by_ref()) {
            field.set_offset(part.at);
            field.set_length(part.length);
        }
        header.set_is_extended(parts.len() + 1 > IN_HEADER);
    }
    let rest: Vec<&Part> = parts.iter().chain([&end]).skip(IN_HEADER).collect();
    let mut blocks = Vec::new();
    let fields = GnuExtSparseHeader::new().sparse.len();
    let count = rest.len().div_ceil(fields);
    for (number, chunk) in rest.chunks(fields).enumerate() {
        let mut block = GnuExtSparseHeader::new();
        for (field, part) in block.sparse.iter_mut().zip(chunk) {
            field.set_offset(part.at);
            field.set_length(part.length);
        }
        block.set_is_extended(number + 1 < count);
        blocks.extend_from_slice(block.as_bytes());
    }
    blocks
}

/// The bytes of these parts, one behind the other. What cannot be read is zeros: the header has said already how much comes.
#[derive(Debug)]
pub(super) struct Content<'a> {
    file: &'a File,
    parts: &'a [Part],
    /// How much of the first of `parts` has been read.
    done: u64,
    /// Why something could not be read.
    pub(super) trouble: Option<io::Error>,
}

impl<'a> Content<'a> {
    pub(super) fn new(file: &'a File, parts: &'a [Part]) -> Self {
        Self { file, parts, done: 0, trouble: None }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((part, rest)) = self.parts.split_first() else { return Ok(0) };
        if self.done == part.length {
            (self.parts, self.done) = (rest, 0);
            return self.read(buffer);
        }
        let left = usize::try_from(part.length - self.done).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        let read = match &self.trouble {
            None => match self.file.read_at(buffer, part.at + self.done) {
                Ok(0) if length > 0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early")),
                read => read,
            },
            Some(_) => {
                buffer.fill(0);
                Ok(length)
            }
        };
        let read = match read {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.trouble = Some(error);
                buffer.fill(0);
                length
            }
        };
        self.done += read as u64;
        Ok(read)
    }
}
