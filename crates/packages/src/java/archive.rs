//! ZIP archives: the directory, and single entries.
//!
//! Own code and not the `zip` crate, because that one reserves memory for as many entries as the archive says it has (90
//! million in a sparse file of 4 GB), and keeps all of them, of which a handful is wanted here.

use std::{
    io::{self, Read},
    ops::ControlFlow,
};

use super::bytes::Bytes;

const END: &[u8; 4] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";
const ENTRY: &[u8; 4] = b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;
const LOCAL: &[u8; 4] = b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;
/// The comment at the end has a length of 16 bits.
const COMMENT_AT_MOST: usize = 0xffff;
/// What stands in a comment or behind the archive may look like the record of its end.
const CANDIDATES_AT_MOST: usize = 16;

/// An archive.
pub(super) struct Archive<'a> {
    bytes: Bytes<'a>,
    /// What stands before it: a shell script that starts it. Offsets count from its end.
    prefix: u64,
    directory: Bytes<'a>,
}

/// An entry of the directory.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    encrypted: bool,
    method: u16,
    compressed: u64,
    pub(super) size: u64,
    header: u64,
}

/// Why an archive or an entry cannot be read, in a half-sentence.
#[derive(Debug)]
pub(super) enum Fault {
    /// It contradicts the format.
    Damaged(&'static str),
    /// A bound is reached or it is in a form that is not read.
    NotRead(String),
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::Damaged("it is cut off or damaged")
            }
            _ => Self::Io(error),
        }
    }
}

impl<'a> Archive<'a> {
    /// Finds the directory.
    pub(super) fn open(bytes: Bytes<'a>) -> Result<Self, Fault> {
        let tail_length = bytes.len().min((END_LENGTH + COMMENT_AT_MOST) as u64);
        let tail_start = bytes.len().saturating_sub(tail_length);
        let mut tail = vec![0; usize::try_from(tail_length).unwrap_or(0)];
        bytes.fill(tail_start, &mut tail)?;
        let signatures =
            (0..=tail.len().saturating_sub(END_LENGTH)).rev().filter_map(|at| Some((at, tail.get(at..)?)));
        let candidates = signatures.filter(|(_, tail)| tail.starts_with(END)).take(CANDIDATES_AT_MOST);
        for (at, tail) in candidates {
            let Some(record) = tail.get(..END_LENGTH) else { continue };
            let comment = u64::from(u16_at(record, 20));
            let end = tail_start.saturating_add(at as u64);
            if end.saturating_add(END_LENGTH as u64).saturating_add(comment) > bytes.len() {
                continue;
            }
            if let Some(archive) = Self::with_end(&bytes, end, record)? {
                return Ok(archive);
            }
        }
        Err(Fault::Damaged("there is no directory of a ZIP archive at its end"))
    }

    /// The archive whose record of the end is at `end`; `None` when no directory is before it. One without entries has to end
    /// the file: such a record is soon found in other bytes.
    fn with_end(bytes: &Bytes<'a>, end: u64, record: &[u8]) -> Result<Option<Self>, Fault> {
        let (mut entries, mut length) = (u64::from(u16_at(record, 10)), u64::from(u32_at(record, 12)));
        let (mut offset, mut directory_end) = (u64::from(u32_at(record, 16)), end);
        if (entries == 0xffff || length == 0xffff_ffff || offset == 0xffff_ffff)
            && let Some((at, record)) = end_64(bytes, end)?
        {
            (entries, length, offset) = (u64_at(&record, 32), u64_at(&record, 40), u64_at(&record, 48));
            directory_end = at;
        }
        // What is before the archive shifts the directory against its own offset.
        let shifted = directory_end.checked_sub(length);
        for start in [shifted, Some(offset)].into_iter().flatten() {
            let Some(directory) = bytes.part(start, length) else { continue };
            let mut signature = [0; 4];
            let begins = if entries == 0 {
                length == 0 && end.checked_add(END_LENGTH as u64) == Some(bytes.len())
            } else {
                directory.fill(0, &mut signature).is_ok() && &signature == ENTRY
            };
            if let (true, Some(prefix)) = (begins, start.checked_sub(offset)) {
                return Ok(Some(Self { bytes: bytes.clone(), prefix, directory }));
            }
        }
        Ok(None)
    }

    /// Hands over each entry until told to stop. The entry is reused for the next one.
    pub(super) fn entries(&self, mut each: impl FnMut(&Entry) -> ControlFlow<()>) -> Result<(), Fault> {
        let mut entry =
            Entry { name: Vec::new(), encrypted: false, method: 0, compressed: 0, size: 0, header: 0 };
        let (mut at, mut header) = (0, [0; ENTRY_LENGTH]);
        while at < self.directory.len() {
            self.directory.fill(at, &mut header)?;
            if !header.starts_with(ENTRY) {
                return Err(Fault::Damaged("its directory has something else in it"));
            }
            entry.encrypted = u16_at(&header, 8) & 1 != 0;
            entry.method = u16_at(&header, 10);
            (entry.compressed, entry.size) = (u64::from(u32_at(&header, 20)), u64::from(u32_at(&header, 24)));
            entry.header = u64::from(u32_at(&header, 42));
            let (name, extra, comment) = (u16_at(&header, 28), u16_at(&header, 30), u16_at(&header, 32));
            at = at.saturating_add(ENTRY_LENGTH as u64);
            entry.name.resize(usize::from(name), 0);
            self.directory.fill(at, &mut entry.name)?;
            at = at.saturating_add(u64::from(name));
            if [entry.compressed, entry.size, entry.header].contains(&0xffff_ffff) {
                let mut bytes = vec![0; usize::from(extra)];
                self.directory.fill(at, &mut bytes)?;
                entry.widen(&bytes);
            }
            at = at.saturating_add(u64::from(extra)).saturating_add(u64::from(comment));
            if each(&entry).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The bytes of an entry as they stand in the archive.
    fn packed(&self, entry: &Entry) -> Result<Bytes<'a>, Fault> {
        let outside = || Fault::Damaged("its place is outside of the archive");
        if entry.encrypted {
            return Err(Fault::NotRead("it is encrypted".to_owned()));
        }
        let header = self.prefix.checked_add(entry.header).ok_or_else(outside)?;
        let mut local = [0; LOCAL_LENGTH];
        self.bytes.fill(header, &mut local)?;
        if !local.starts_with(LOCAL) {
            return Err(Fault::Damaged("its own header is not where the directory says"));
        }
        let variable = u64::from(u16_at(&local, 26)).saturating_add(u64::from(u16_at(&local, 28)));
        let start = header.saturating_add(LOCAL_LENGTH as u64).saturating_add(variable);
        self.bytes.part(start, entry.compressed).ok_or_else(outside)
    }

    /// The bytes of an entry that is not compressed, without copying them; `None` when it is compressed.
    pub(super) fn stored(&self, entry: &Entry) -> Result<Option<Bytes<'a>>, Fault> {
        if entry.method == 0 { self.packed(entry).map(Some) } else { Ok(None) }
    }

    /// An entry, unpacked.
    ///
    /// # Errors
    /// `NotRead` when it is longer than `at_most` bytes or compressed otherwise than by Deflate.
    pub(super) fn read(&self, entry: &Entry, at_most: u64) -> Result<Vec<u8>, Fault> {
        if entry.size > at_most {
            let size = entry.size;
            return Err(Fault::NotRead(format!("it is {size} bytes long, and at most {at_most} are read")));
        }
        let bytes = self.unpack(entry, entry.size.saturating_add(1))?;
        if bytes.len() as u64 > entry.size {
            return Err(Fault::Damaged("it unpacks to more than the directory says"));
        }
        Ok(bytes)
    }

    /// The first bytes of an entry, unpacked, or all where there are less.
    ///
    /// # Errors
    /// `NotRead` when it is compressed otherwise than by Deflate.
    pub(super) fn unpack(&self, entry: &Entry, at_most: u64) -> Result<Vec<u8>, Fault> {
        let packed = self.packed(entry)?;
        let mut bytes = Vec::new();
        match entry.method {
            0 => packed.reader().take(at_most).read_to_end(&mut bytes)?,
            8 => {
                let packed = io::BufReader::with_capacity(16 << 10, packed.reader());
                flate2::bufread::DeflateDecoder::new(packed).take(at_most).read_to_end(&mut bytes)?
            }
            method => {
                return Err(Fault::NotRead(format!("its compression (method {method}) is not supported")));
            }
        };
        Ok(bytes)
    }
}

impl Entry {
    /// How many bytes it unpacks to for each that is stored, rounded down.
    pub(super) fn ratio(&self) -> u64 {
        self.size / self.compressed.max(1)
    }

    /// Takes the values that do not fit into 32 bits from the field with the tag 1.
    fn widen(&mut self, mut extra: &[u8]) {
        while let Some((head, rest)) = extra.split_at_checked(4) {
            let Some((field, after)) = rest.split_at_checked(usize::from(u16_at(head, 2))) else { return };
            if u16_at(head, 0) == 1 {
                let mut values = field.chunks_exact(8).map(|value| u64_at(value, 0));
                for value in [&mut self.size, &mut self.compressed, &mut self.header] {
                    if *value == 0xffff_ffff {
                        *value = values.next().unwrap_or(*value);
                    }
                }
                return;
            }
            extra = after;
        }
    }
}

/// The record with 64-bit values, and where it is: directly before its locator, whatever is before the archive.
fn end_64(bytes: &Bytes<'_>, end: u64) -> Result<Option<(u64, [u8; 56])>, Fault> {
    let mut locator = [0; 20];
    let Some(at) = end.checked_sub(20) else { return Ok(None) };
    bytes.fill(at, &mut locator)?;
    if !locator.starts_with(LOCATOR_64) {
        return Ok(None);
    }
    for at in [Some(u64_at(&locator, 8)), at.checked_sub(56)].into_iter().flatten() {
        let mut record = [0; 56];
        if bytes.part(at, 56).is_some_and(|part| part.fill(0, &mut record).is_ok())
            && record.starts_with(END_64)
        {
            return Ok(Some((at, record)));
        }
    }
    Ok(None)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |value| u16::from_le_bytes(*value))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |value| u32::from_le_bytes(*value))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |value| u64::from_le_bytes(*value))
}
