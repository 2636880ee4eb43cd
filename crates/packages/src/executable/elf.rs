//! ELF: Linux and its relatives. See elf(5).

use crate::bytes::{Order, part};
use crate::format::{Input, ParseError};

use super::layout::{Layout, Section, Segment, read_part, wanted};
use super::{Words, malformed};

const PROGRAM_HEADERS: &str = "the table of segments";
const SECTION_HEADERS: &str = "the table of sections";
const SECTION_NAMES: &str = "the table of names of sections";

/// Tables longer than this are not read, in bytes: programs have some dozens of entries of at most 64 bytes.
const LONGEST_TABLE: u64 = 1024 * 1024;

pub(super) fn layout(input: &mut Input<'_>, head: &[u8]) -> Result<Layout, ParseError> {
    let wide = match head.get(4) {
        Some(1) => false,
        Some(2) => true,
        _ => return Err(malformed("its words have neither 32 nor 64 bits")),
    };
    let order = match head.get(5) {
        Some(1) => Order::Little,
        Some(2) => Order::Big,
        _ => return Err(malformed("its byte order is none")),
    };
    let words = Words { order, wide };
    let mut layout = Layout::default();
    let cut = || malformed("it ends within its first header");
    let field =
        |narrow, wide_at| order.u16(head, if wide { wide_at } else { narrow }).map(u64::from).ok_or_else(cut);

    let segments = Table {
        offset: words.get(head, 28, 32).ok_or_else(cut)?,
        entry: field(42, 54)?,
        count: field(44, 56)?,
    };
    let mut data = None;
    for entry in segments
        .read(input, head, if wide { 56 } else { 32 }, PROGRAM_HEADERS)?
        .chunks_exact(segments.width())
    {
        const LOAD: u32 = 1;
        const WRITABLE: u32 = 2;
        if order.u32(entry, 0) != Some(LOAD) {
            continue;
        }
        let flags = order.u32(entry, if wide { 4 } else { 24 }).unwrap_or_default();
        let number = |narrow, wide| words.get(entry, narrow, wide).unwrap_or_default();
        if flags & WRITABLE != 0 && data.is_none() {
            data = Some(layout.segments.len());
        }
        layout.segments.push(Segment { offset: number(4, 8), address: number(8, 16), size: number(16, 32) });
    }

    let sections = Table {
        offset: words.get(head, 32, 40).ok_or_else(cut)?,
        entry: field(46, 58)?,
        count: field(48, 60)?,
    };
    if sections.offset == 0 || sections.count == 0 {
        // Stripped of its sections. Go finds its information at the beginning of the writable data then.
        layout.search = data;
        return Ok(layout);
    }
    let table = sections.read(input, head, if wide { 64 } else { 40 }, SECTION_HEADERS)?;
    let names = usize::try_from(field(50, 62)?)
        .ok()
        .and_then(|index| table.chunks_exact(sections.width()).nth(index));
    let names = names.ok_or_else(|| malformed("the names of its sections are in none of them"))?;
    let range = |entry: &[u8]| Some((words.get(entry, 16, 24)?, words.get(entry, 20, 32)?));
    let names = read_part(input, range(names).unwrap_or_default(), LONGEST_TABLE, SECTION_NAMES)?;
    for entry in table.chunks_exact(sections.width()) {
        /// Enough to tell the names of interest from all others.
        const LONGEST_NAME: usize = 32;
        const NO_BITS: u32 = 8;
        if order.u32(entry, 4) == Some(NO_BITS) {
            continue;
        }
        let name = order.u32(entry, 0).and_then(|at| names.get(usize::try_from(at).ok()?..));
        let name = name.map(|name| name.get(..LONGEST_NAME).unwrap_or(name));
        if let Some((name, (offset, size))) = name.and_then(wanted).zip(range(entry)) {
            layout.sections.push(Section { name, offset, size });
        }
    }
    Ok(layout)
}

/// A table of entries of one width.
struct Table {
    offset: u64,
    entry: u64,
    count: u64,
}

impl Table {
    /// The bytes of an entry; at least 1, for `chunks_exact`.
    fn width(&self) -> usize {
        usize::try_from(self.entry).unwrap_or(usize::MAX).max(1)
    }

    /// Reads the table, out of the beginning of the file where that has it.
    fn read(
        &self,
        input: &mut Input<'_>,
        head: &[u8],
        least: u64,
        what: &str,
    ) -> Result<Vec<u8>, ParseError> {
        if self.count == 0 {
            return Ok(Vec::new());
        }
        if self.entry < least {
            return Err(ParseError::Malformed(format!(
                "{what}: an entry of {} bytes is too short",
                self.entry
            )));
        }
        let size = self.entry * self.count; // both come from 16 bits
        let at = usize::try_from(self.offset).ok().zip(usize::try_from(size).ok());
        match at.and_then(|(offset, size)| part(head, offset, size)) {
            Some(table) => Ok(table.to_vec()),
            None => read_part(input, (self.offset, size), LONGEST_TABLE, what),
        }
    }
}
