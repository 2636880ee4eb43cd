//! Lines of a file that may be larger than memory, and stanzas of `Name: value` lines.

use std::io::{self, BufRead as _};

use crate::bytes::{fill, text};
use crate::format::{Input, ParseError, Source};

/// The lines of a file, read in large parts.
pub(crate) struct Lines<'a> {
    source: &'a mut dyn Source,
    /// Where the next part of the file begins.
    offset: u64,
    buffer: Vec<u8>,
    /// What of the buffer was read from the file, and where the next line begins in it.
    filled: usize,
    next: usize,
    number: u64,
}

/// What is behind this many bytes of a file of lines is not read: a hundred times what large systems have.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A line.
pub(crate) struct Line<'a> {
    /// From 1 on.
    pub(crate) number: u64,
    /// Without the end of line. Of a line longer than [`Lines::LONGEST`] only the beginning.
    pub(crate) bytes: &'a [u8],
    /// Whether an end of line follows.
    pub(crate) ended: bool,
}

impl<'a> Lines<'a> {
    /// Lines are at most this long, in bytes; the rest of a longer one is left out.
    pub(crate) const LONGEST: usize = 256 * 1024;

    pub(crate) fn new(source: &'a mut dyn Source) -> Self {
        Self { source, offset: 0, buffer: Vec::new(), filled: 0, next: 0, number: 0 }
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let (mut len, mut ended) = self.line_here()?;
        if !ended && self.next > 0 {
            self.buffer.copy_within(self.next..self.filled, 0);
            self.filled -= self.next;
            self.next = 0;
            self.read_more()?;
            (len, ended) = self.line_here()?;
        } else if !ended && self.filled < Self::LONGEST {
            self.read_more()?;
            (len, ended) = self.line_here()?;
        }
        if len == 0 {
            return Ok(None);
        }
        let start = self.next;
        self.next += len;
        self.number += 1;
        let end = start + len - usize::from(ended);
        if !ended && len == Self::LONGEST {
            ended = self.skip_rest_of_line()?;
        }
        let bytes = self.buffer.get(start..end).unwrap_or_default();
        Ok(Some(Line { number: self.number, bytes, ended }))
    }

    /// How long the next line is, as far as it is in the buffer and with its end, and whether its end is.
    fn line_here(&self) -> io::Result<(usize, bool)> {
        let mut rest = self.buffer.get(self.next..self.filled).unwrap_or_default();
        let all = rest;
        let len = rest.skip_until(b'\n')?;
        Ok((len, len > 0 && all.get(len - 1) == Some(&b'\n')))
    }

    /// An error when there was more than is read.
    pub(crate) fn end(&self) -> Result<(), ParseError> {
        match self.source.len() {
            size if size > LARGEST => Err(ParseError::TooLarge { size, at_most: LARGEST }),
            _ => Ok(()),
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        if self.offset >= LARGEST {
            return Ok(());
        }
        self.buffer.resize(Self::LONGEST, 0);
        let read = fill(self.source, self.offset, self.buffer.get_mut(self.filled..).unwrap_or_default())?;
        self.offset = self.offset.saturating_add(read as u64);
        self.filled += read;
        Ok(())
    }

    /// Passes over the rest of a line that fills the buffer, which keeps its beginning.
    fn skip_rest_of_line(&mut self) -> io::Result<bool> {
        let mut part = vec![0; 64 * 1024];
        while self.offset < LARGEST {
            let read = fill(self.source, self.offset, &mut part)?;
            let mut rest = part.get(..read).unwrap_or_default();
            let skipped = rest.skip_until(b'\n')?;
            self.offset = self.offset.saturating_add(skipped as u64);
            if skipped == 0 {
                return Ok(false);
            }
            if part.get(skipped - 1) == Some(&b'\n') {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What a reader of stanzas wants: the names of its fields, and whether case matters in them.
pub(crate) struct Wanted<const N: usize> {
    pub(crate) names: [&'static str; N],
    pub(crate) any_case: bool,
}

/// Some lines of the form `Name: value` with an empty line after them.
pub(crate) struct Stanza<const N: usize> {
    /// The number of its first line.
    pub(crate) line: u64,
    values: [Vec<u8>; N],
    /// Bit i: field i was there, in a line that was not cut off.
    seen: u32,
}

impl<const N: usize> Stanza<N> {
    /// The value of the field at this place of the wanted names; `None` when the stanza has none.
    pub(crate) fn get(&self, field: usize) -> Option<String> {
        (self.seen >> field & 1 == 1).then(|| self.values.get(field).map(|value| text(value)))?
    }
}

/// Reads all stanzas. A field that is there twice counts once, the first time; lines that go on with a line before are
/// passed over.
///
/// # Errors
/// What the source says; [`ParseError::TooLarge`] after 256 MiB. [`ParseError::Malformed`] for a last line without its end: the file was cut off there. What
/// came before was handed out, the last stanza too, without that line.
pub(crate) fn stanzas<const N: usize>(
    input: &mut Input<'_>,
    wanted: &Wanted<N>,
    each: &mut dyn FnMut(&Stanza<N>),
) -> Result<(), ParseError> {
    let mut lines = Lines::new(input.source);
    let mut stanza = Stanza { line: 0, values: std::array::from_fn(|_| Vec::new()), seen: 0 };
    let mut cut_off = None;
    while let Some(line) = lines.next()? {
        if line.bytes.trim_ascii().is_empty() {
            if stanza.line > 0 {
                each(&stanza);
            }
            (stanza.line, stanza.seen) = (0, 0);
            continue;
        }
        if stanza.line == 0 {
            stanza.line = line.number;
        }
        if !line.ended {
            cut_off = Some(line.number);
            break;
        }
        let Some((field, value)) = field_of(line.bytes, wanted) else { continue };
        if let Some(place) = stanza.values.get_mut(field)
            && stanza.seen >> field & 1 == 0
        {
            place.clear();
            place.extend_from_slice(value);
            stanza.seen |= 1 << field;
        }
    }
    if stanza.line > 0 {
        each(&stanza);
    }
    lines.end()?;
    match cut_off {
        Some(line) => {
            Err(ParseError::Malformed(format!("line {line}: the file ends in the middle of a line")))
        }
        None => Ok(()),
    }
}

/// Which of the wanted fields a line is, and its value.
fn field_of<'l, const N: usize>(line: &'l [u8], wanted: &Wanted<N>) -> Option<(usize, &'l [u8])> {
    let field = wanted.names.iter().position(|name| match line.split_at_checked(name.len()) {
        Some((start, [b':', ..])) if wanted.any_case => start.eq_ignore_ascii_case(name.as_bytes()),
        Some((start, [b':', ..])) => start == name.as_bytes(),
        _ => false,
    })?;
    let name = wanted.names.get(field)?;
    line.get(name.len() + 1..).map(|value| (field, value))
}
