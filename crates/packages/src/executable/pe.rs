//! PE: Windows. See "PE Format" in Microsoft's documentation of Win32.

use crate::bytes::{Order, part};
use crate::format::{Input, ParseError};

use super::layout::{Layout, Section, Segment, read_part, wanted};
use super::malformed;

const LITTLE: Order = Order::Little;
/// Bytes of the file header with its signature, and of an entry of the table of sections.
const FILE_HEADER: u64 = 24;
const SECTION_HEADER: usize = 40;

/// `None` for a program of DOS, which begins alike.
pub(super) fn layout(input: &mut Input<'_>, head: &[u8]) -> Result<Option<Layout>, ParseError> {
    let Some(start) = LITTLE.u32(head, 0x3c).map(u64::from) else { return Ok(None) };
    if start.saturating_add(FILE_HEADER) > input.source.len() {
        return Ok(None);
    }
    let header = read_part(input, (start, FILE_HEADER), FILE_HEADER, "the header")?;
    if !header.starts_with(b"PE\0\0") {
        return Ok(None);
    }
    let number = |at| LITTLE.u16(&header, at).map(u64::from).unwrap_or_default();
    let (sections, optional_size) = (number(6), number(20));
    // The optional header, which every program has, and behind it the table of sections.
    let size = optional_size + sections * SECTION_HEADER as u64; // all come from 16 bits
    let tables = read_part(input, (start + FILE_HEADER, size), 4 << 20, "the table of sections")?;
    let base = match LITTLE.u16(&tables, 0) {
        Some(0x10b) => LITTLE.u32(&tables, 28).map(u64::from),
        Some(0x20b) => LITTLE.u64(&tables, 24),
        _ => None, // an object file
    };
    let mut layout = Layout::default();
    let table = usize::try_from(optional_size).ok().and_then(|at| tables.get(at..)).unwrap_or_default();
    for entry in table.chunks_exact(SECTION_HEADER) {
        const DATA: u32 = 0x0000_0040;
        const READABLE: u32 = 0x4000_0000;
        const WRITABLE: u32 = 0x8000_0000;
        let word = |at| LITTLE.u32(entry, at).map(u64::from).unwrap_or_default();
        let (virtual_size, address, raw_size, offset) = (word(8), word(12), word(16), word(20));
        // The file is padded behind what is loaded.
        let size = if virtual_size == 0 { raw_size } else { raw_size.min(virtual_size) };
        let flags = LITTLE.u32(entry, 36).unwrap_or_default();
        if layout.search.is_none() && flags & (DATA | READABLE | WRITABLE) == DATA | READABLE | WRITABLE {
            layout.search = Some(layout.segments.len()); // .data, where Go's linker puts its information
        }
        if let Some(name) = part(entry, 0, 8).and_then(wanted) {
            layout.sections.push(Section { name, offset, size });
        }
        let address = base
            .unwrap_or_default()
            .checked_add(address)
            .ok_or_else(|| malformed("a section is beyond all memory"))?;
        layout.segments.push(Segment { address, offset, size });
    }
    Ok(Some(layout))
}
