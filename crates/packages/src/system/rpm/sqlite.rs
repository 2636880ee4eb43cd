//! `rpmdb.sqlite`: the rows of its table `Packages`, with what its write-ahead log adds to it. Reads the pages that belong
//! to that table, and no other. See <https://www.sqlite.org/fileformat2.html>.

use crate::bytes::{Order, Window, part};
use crate::format::{Input, ParseError};

use super::LONGEST_HEADER;
use super::wal::Wal;

pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// A tree of SQLite is never deeper.
const DEEPEST: u32 = 20;
const BIG: Order = Order::Big;

/// Hands out each header in the database.
///
/// # Errors
/// What the source says; [`ParseError::Malformed`] at the first page that contradicts the format.
pub(super) fn headers(
    input: &mut Input<'_>,
    limits: &mut Vec<String>,
    each: &mut dyn FnMut(&[u8]),
) -> Result<(), ParseError> {
    let Some(mut database) = Database::open(input, limits)? else { return Ok(()) };
    let mut root = None;
    // The table of tables: type, name, name of the table, root page, SQL.
    database.rows(1, &mut |row| {
        if column(row, 0) == Some(b"table") && column(row, 1) == Some(b"Packages") {
            root = column(row, 3).and_then(integer);
        }
    })?;
    let root = root.ok_or_else(|| ParseError::Malformed("there is no table \"Packages\"".to_owned()))?;
    // The number of the package, which is the key of the row, and its header.
    database.rows(root, &mut |row| each(column(row, 1).unwrap_or_default()))
}

struct Database<'a> {
    file: Window<'a>,
    wal: Wal,
    page_size: usize,
    /// What of a page is used, in bytes.
    usable: usize,
    pages: u32,
    /// How many pages may still be visited, and how many bytes of rows may still be in them: a good tree has each page
    /// once, and its rows do not overlap.
    visits: u64,
    bytes: u64,
}

impl<'a> Database<'a> {
    /// `None` when it has no page yet.
    fn open(input: &'a mut Input<'_>, limits: &mut Vec<String>) -> Result<Option<Self>, ParseError> {
        let size = input.source.len();
        let wal = Wal::beside(input, limits)?;
        let mut file = Window::new(input.source);
        let mut head = [0; 100];
        if let Some(page_one) = wal.page(1) {
            head.copy_from_slice(part(page_one, 0, 100).ok_or_else(|| malformed(1, "it is too short"))?);
        } else if size == 0 {
            return Ok(None);
        } else if !file.read(0, &mut head)? || !head.starts_with(MAGIC) {
            return Err(ParseError::Malformed("it does not begin like a database of SQLite".to_owned()));
        }
        let page_size = match BIG.u16(&head, 16) {
            Some(1) => 65536,
            Some(size) if size.is_power_of_two() && size >= 512 => usize::from(size),
            _ => return Err(ParseError::Malformed("its pages have an impossible size".to_owned())),
        };
        if wal.page_size().is_some_and(|size| size != page_size) {
            return Err(ParseError::Malformed("its write-ahead log has pages of another size".to_owned()));
        }
        let usable = page_size - usize::from(head.get(20).copied().unwrap_or_default());
        let in_file = u32::try_from(size / page_size as u64).unwrap_or(u32::MAX);
        // Whatever the log says, there are no more than these, and that bounds the work.
        let most = in_file.saturating_add(wal.pages_in_log());
        let pages = wal.pages().unwrap_or(in_file).min(most);
        Ok(Some(Self { file, wal, page_size, usable, pages, visits: 0, bytes: 0 }))
    }

    /// Reads a page into `page`.
    fn page(&mut self, number: u32, page: &mut Vec<u8>) -> Result<(), ParseError> {
        self.visits = self
            .visits
            .checked_sub(1)
            .ok_or_else(|| malformed(number, "pages refer to each other in a circle"))?;
        if number == 0 || number > self.pages {
            return Err(malformed(number, "there is no such page"));
        }
        page.clear();
        if let Some(newer) = self.wal.page(number) {
            page.extend_from_slice(newer);
            return Ok(());
        }
        page.resize(self.page_size, 0);
        match self.file.read(u64::from(number - 1) * self.page_size as u64, page)? {
            true => Ok(()),
            false => Err(malformed(number, "the file ends before it")),
        }
    }

    /// Hands out the rows of the table whose tree begins at `root`, in the order of their keys.
    fn rows(&mut self, root: u32, each: &mut dyn FnMut(&[u8])) -> Result<(), ParseError> {
        self.visits = u64::from(self.pages);
        self.bytes = self.visits * self.page_size as u64;
        let mut to_visit = vec![(root, 0)];
        let (mut page, mut overflow, mut row) = (Vec::new(), Vec::new(), Vec::new());
        while let Some((number, depth)) = to_visit.pop() {
            self.page(number, &mut page)?;
            let node =
                Node::new(&page, number).ok_or_else(|| malformed(number, "this is no page of a table"))?;
            if node.is_leaf {
                for cell in 0..node.cells {
                    let cell = node.cell(cell).ok_or_else(|| malformed(number, "a cell is outside of it"))?;
                    self.row(number, cell, &mut row, &mut overflow)?;
                    each(&row);
                }
                continue;
            }
            if depth >= DEEPEST {
                return Err(malformed(number, "the tree is too deep"));
            }
            // The last one first, as the stack gives the last one back first.
            let children = (0..node.cells).rev().map(|cell| BIG.u32(node.cell(cell)?, 0));
            for child in std::iter::once(BIG.u32(&page, node.start + 8)).chain(children) {
                let child = child.ok_or_else(|| malformed(number, "a cell is outside of it"))?;
                to_visit.push((child, depth + 1));
            }
        }
        Ok(())
    }

    /// Puts a row together from its cell in a leaf and the pages that hold what did not fit there.
    fn row(
        &mut self,
        number: u32,
        cell: &[u8],
        row: &mut Vec<u8>,
        page: &mut Vec<u8>,
    ) -> Result<(), ParseError> {
        let outside = || malformed(number, "a row is outside of it");
        let (len, after_len) = varint(cell).ok_or_else(outside)?;
        let (_key, payload) = varint(after_len).ok_or_else(outside)?;
        let len = usize::try_from(len).ok().filter(|len| *len <= LONGEST_HEADER);
        let len = len.ok_or_else(|| malformed(number, "a row is longer than 64 MiB"))?;
        let left = self.bytes.checked_sub(len as u64);
        self.bytes = left.ok_or_else(|| malformed(number, "rows overlap"))?;
        let local = self.local(len);
        row.clear();
        row.extend_from_slice(part(payload, 0, local).ok_or_else(outside)?);
        if local == len {
            return Ok(());
        }
        let mut next = BIG.u32(payload, local).ok_or_else(outside)?;
        while row.len() < len {
            self.page(next, page)?;
            let here = (len - row.len()).min(self.usable - 4);
            row.extend_from_slice(part(page, 4, here).ok_or_else(|| malformed(next, "it is too short"))?);
            next = BIG.u32(page, 0).unwrap_or_default();
        }
        Ok(())
    }

    /// How much of a row of this length lies in the leaf itself.
    fn local(&self, len: usize) -> usize {
        // The arithmetic of the file format, "Cell Payload Overflow Pages"; `usable` is at least 512 - 255.
        let (most, least) = (self.usable - 35, (self.usable - 12) * 32 / 255 - 23);
        if len <= most {
            return len;
        }
        let fitting = least + (len - least) % (self.usable - 4);
        if fitting <= most { fitting } else { least }
    }
}

/// A page of the tree of a table.
struct Node<'a> {
    page: &'a [u8],
    /// Where its own header begins: page 1 begins with that of the file.
    start: usize,
    is_leaf: bool,
    cells: usize,
}

impl<'a> Node<'a> {
    fn new(page: &'a [u8], number: u32) -> Option<Self> {
        let start = if number == 1 { 100 } else { 0 };
        let is_leaf = match page.get(start)? {
            0x0d => true,
            0x05 => false,
            _ => return None,
        };
        Some(Self { page, start, is_leaf, cells: usize::from(BIG.u16(page, start + 3)?) })
    }

    /// The page from where a cell begins.
    fn cell(&self, cell: usize) -> Option<&'a [u8]> {
        let pointers = self.start + if self.is_leaf { 8 } else { 12 };
        let offset = BIG.u16(self.page, pointers + 2 * cell)?;
        self.page.get(usize::from(offset)..)
    }
}

/// A number of one to nine bytes, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate().take(9) {
        if place == 8 {
            return Some((value << 8 | u64::from(*byte), bytes.get(9..)?));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
}

/// The bytes of a column of a row.
fn column(row: &[u8], wanted: usize) -> Option<&[u8]> {
    let (header_len, _) = varint(row)?;
    let header_len = usize::try_from(header_len).ok()?;
    let (_, mut types) = varint(row.get(..header_len)?)?;
    let mut at = header_len;
    for index in 0.. {
        let (kind, rest) = varint(types)?;
        let len = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None, // never in a file
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        if index == wanted {
            return part(row, at, len);
        }
        at = at.checked_add(len)?;
        types = rest;
    }
    None
}

/// An integer of up to four bytes.
fn integer(bytes: &[u8]) -> Option<u32> {
    (bytes.len() <= 4).then(|| bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

fn malformed(page: u32, what: &str) -> ParseError {
    ParseError::Malformed(format!("page {page}: {what}"))
}
