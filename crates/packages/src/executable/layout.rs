//! What the readers of ELF, PE and Mach-O have in common: where the bytes of an executable are.

use crate::bytes::fill;
use crate::format::{Input, ParseError};

/// Where the parts of an executable are in its file.
#[derive(Default)]
pub(super) struct Layout {
    /// The sections of interest.
    pub(super) sections: Vec<Section>,
    /// What is loaded into memory, in the order of the file's tables.
    pub(super) segments: Vec<Segment>,
    /// Whether a program of Go may have its information in a section without a name, or has lost the names: then it is
    /// searched for at the beginning of this segment.
    pub(super) search: Option<usize>,
}

/// A part of a file with a name.
pub(super) struct Section {
    /// One of the names of interest.
    pub(super) name: &'static [u8],
    /// Its place in the file, in bytes.
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// A part of a file that is loaded into memory.
pub(super) struct Segment {
    /// Where it is in memory.
    pub(super) address: u64,
    /// Its place in the file, in bytes.
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Layout {
    /// The section with one of these names.
    pub(super) fn section(&self, names: &[&[u8]]) -> Option<&Section> {
        self.sections.iter().find(|section| names.contains(&section.name))
    }

    /// Where an address of memory is in the file, and how many bytes follow it in its segment.
    pub(super) fn file_range(&self, address: u64) -> Option<(u64, u64)> {
        self.segments.iter().find_map(|segment| {
            let within = address.checked_sub(segment.address)?;
            let left = segment.size.checked_sub(within).filter(|left| *left > 0)?;
            Some((segment.offset.checked_add(within)?, left))
        })
    }
}

/// Which of the names of interest this is; names in tables of fixed width end with zeros.
pub(super) fn wanted(name: &[u8]) -> Option<&'static [u8]> {
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    super::SECTIONS.into_iter().find(|wanted| name.get(..end) == Some(wanted))
}

/// Reads a part of the file, which must be there and at most `at_most` bytes long; `what` it is, for the error.
pub(super) fn read_part(
    input: &mut Input<'_>,
    (offset, size): (u64, u64),
    at_most: u64,
    what: &str,
) -> Result<Vec<u8>, ParseError> {
    let end = offset.checked_add(size).filter(|end| *end <= input.source.len());
    if end.is_none() {
        return Err(ParseError::Malformed(format!("{what} is outside of the file")));
    }
    let len = usize::try_from(size).ok().filter(|_| size <= at_most);
    let len = len.ok_or_else(|| {
        ParseError::Malformed(format!("{what} is {size} bytes long, and at most {at_most} are read"))
    })?;
    let mut bytes = vec![0; len];
    match fill(input.source, offset, &mut bytes)? == len {
        true => Ok(bytes),
        false => Err(ParseError::Malformed(format!("the file ends within {what}"))),
    }
}
