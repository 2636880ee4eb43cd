//! What Go builds into its programs: the version of Go, and the modules. See debug/buildinfo of Go's library.

use crate::bytes::{Order, fill, part};
use crate::format::{Found, Input, ParseError};
use crate::go::build_list;

use super::layout::{Layout, read_part};
use super::malformed;

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// It begins at a multiple of this, and its own head is twice as long.
const ALIGNMENT: usize = 16;
const HEAD: usize = 32;
/// How far it is searched for where no section names it.
const SEARCHED: u64 = 1024 * 1024;
/// Texts longer than this are not read. A thousand modules are 100 KiB.
const LONGEST_TEXT: u64 = 16 * 1024 * 1024;
const TEXT: &str = "the list of modules";

// The flags in its head.
const BIG_ENDIAN: u8 = 1;
const TEXTS_FOLLOW: u8 = 2;

/// Finds the modules that are in a program, and Go's own library.
pub(super) fn read(
    input: &mut Input<'_>,
    layout: &Layout,
    found: &mut dyn FnMut(Found),
) -> Result<(), ParseError> {
    let Some((offset, end)) = place(input, layout)? else { return Ok(()) };
    let head = read_part(input, (offset, HEAD as u64), HEAD as u64, "the information of Go")?;
    let (pointer_size, flags) = match head.get(14..16) {
        Some(&[size, flags]) => (usize::from(size), flags),
        _ => return Ok(()),
    };
    let (version, modules) = if flags & TEXTS_FOLLOW != 0 {
        // Go 1.18 and newer.
        let (version, next) = text_at(input, offset + HEAD as u64, end)?;
        let (modules, _) = text_at(input, next, end)?;
        (version, modules)
    } else {
        let order = if flags & BIG_ENDIAN != 0 { Order::Big } else { Order::Little };
        let pointers = Pointers { order, size: pointer_size };
        let mut text = |at| {
            pointers.get(&head, at).map_or(Ok(Vec::new()), |address| pointers.text(input, layout, address))
        };
        (text(ALIGNMENT)?, text(ALIGNMENT + pointer_size)?)
    };
    build_list::packages(&version, list_of(&modules), found);
    Ok(())
}

/// Where the information begins, and where what may belong to it ends.
fn place(input: &mut Input<'_>, layout: &Layout) -> Result<Option<(u64, u64)>, ParseError> {
    let (start, size) = match (layout.section(&[b".go.buildinfo", b"__go_buildinfo"]), layout.search) {
        (Some(section), _) => (section.offset, section.size),
        (None, Some(segment)) => match layout.segments.get(segment) {
            Some(segment) => (segment.offset, segment.size),
            None => return Ok(None),
        },
        (None, None) => return Ok(None),
    };
    let mut searched =
        vec![0; usize::try_from(size.min(SEARCHED).min(input.source.len())).unwrap_or_default()];
    let len = fill(input.source, start, &mut searched)?;
    let mut chunks = searched.get(..len).unwrap_or_default().chunks(ALIGNMENT);
    let Some(index) = chunks.position(|chunk| chunk.starts_with(MAGIC)) else { return Ok(None) };
    Ok(Some((start.saturating_add((index * ALIGNMENT) as u64), start.saturating_add(size))))
}

/// A text with its length in front, as a number of seven bits a byte; and where what follows it begins.
fn text_at(input: &mut Input<'_>, offset: u64, end: u64) -> Result<(Vec<u8>, u64), ParseError> {
    let mut prefix = [0; 10];
    let filled = fill(input.source, offset, &mut prefix)?;
    let mut len = 0;
    for (place, byte) in prefix.iter().take(filled).enumerate().take(9) {
        len |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let start = offset + place as u64 + 1;
            if start.checked_add(len).is_none_or(|after| after > end) {
                return Err(malformed("the list of modules is outside of its section"));
            }
            return Ok((read_part(input, (start, len), LONGEST_TEXT, TEXT)?, start + len));
        }
    }
    Err(malformed("the length of the list of modules is none"))
}

/// Addresses of texts, as Go had them up to 1.17: the address of an address and a length.
struct Pointers {
    order: Order,
    size: usize,
}

impl Pointers {
    fn get(&self, bytes: &[u8], at: usize) -> Option<u64> {
        match self.size {
            4 => self.order.u32(bytes, at).map(u64::from),
            8 => self.order.u64(bytes, at),
            _ => None,
        }
    }

    /// The text whose description is at this address; none when that is nowhere in the file.
    fn text(&self, input: &mut Input<'_>, layout: &Layout, address: u64) -> Result<Vec<u8>, ParseError> {
        let Some((offset, left)) = layout.file_range(address) else { return Ok(Vec::new()) };
        let size = 2 * self.size as u64;
        if left < size {
            return Ok(Vec::new());
        }
        let description = read_part(input, (offset, size), size, TEXT)?;
        let range = self.get(&description, 0).zip(self.get(&description, self.size));
        match range.and_then(|(address, len)| Some((layout.file_range(address)?, len))) {
            Some(((offset, left), len)) if len <= left => read_part(input, (offset, len), LONGEST_TEXT, TEXT),
            _ => Ok(Vec::new()),
        }
    }
}

/// The list of modules, which stands between two marks of 16 bytes.
fn list_of(text: &[u8]) -> &[u8] {
    let marked = text.len().checked_sub(2 * ALIGNMENT).and_then(|len| part(text, ALIGNMENT, len));
    marked.filter(|list| list.ends_with(b"\n")).unwrap_or_default()
}
