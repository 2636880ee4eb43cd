//! `Packages`: a hash of Berkeley DB, as rpm wrote it until 4.15: CentOS 7, RHEL 8, SUSE 12. Keys are numbers of packages,
//! values are headers, most of them too long for a page of the hash and continued on pages of their own. Numbers are in
//! the order of the machine that wrote them. See dbinc/db_page.h of Berkeley DB.

use crate::bytes::{Order, Window, part};
use crate::format::{Input, ParseError};

use super::LONGEST_HEADER;

const HASH_MAGIC: u32 = 0x0006_1561;
/// What stands at the beginning of each page, in bytes.
const PAGE_HEAD: usize = 26;

// Types of pages.
const OVERFLOW: u8 = 7;
const HASH_META: u8 = 8;
const HASH_UNSORTED: u8 = 2;
const HASH_SORTED: u8 = 13;
// Types of entries.
const ON_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

/// Whether a file that begins like this is a hash with numbers in this order.
pub(super) fn is_hash(order: Order, head: &[u8]) -> bool {
    order.u32(head, 12) == Some(HASH_MAGIC)
}

/// Hands out each header in the database.
///
/// # Errors
/// What the source says; [`ParseError::Unsupported`] for an encrypted one; [`ParseError::Malformed`] at the first page
/// that contradicts the format.
pub(super) fn headers(
    input: &mut Input<'_>,
    order: Order,
    each: &mut dyn FnMut(&[u8]),
) -> Result<(), ParseError> {
    let mut database = Database::open(input, order)?;
    let (mut page, mut part_of_value, mut value) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..database.pages {
        database.page(number, &mut page)?;
        if !matches!(page.get(25), Some(&(HASH_UNSORTED | HASH_SORTED))) {
            continue;
        }
        let pairs = Pairs::new(order, &page);
        for pair in pairs.ok_or_else(|| malformed(number, "its table of entries is longer than it"))? {
            let (key, entry) =
                pair.ok_or_else(|| malformed(number, "an entry is outside of it, or inside of another"))?;
            match entry.split_first() {
                // Number 0 is no package: rpm counts there.
                _ if key.get(1..).is_some_and(|key| key.iter().all(|byte| *byte == 0)) => {}
                Some((&ON_PAGE, header)) => each(header),
                Some((&OFF_PAGE, _)) => {
                    let first =
                        order.u32(entry, 4).ok_or_else(|| malformed(number, "an entry is outside of it"))?;
                    let len =
                        order.u32(entry, 8).ok_or_else(|| malformed(number, "an entry is outside of it"))?;
                    database.overflow(first, len, &mut part_of_value, &mut value)?;
                    each(&value);
                }
                _ => return Err(malformed(number, "an entry is of a kind that rpm does not write")),
            }
        }
    }
    match database.missing {
        0 => Ok(()),
        missing => Err(ParseError::Malformed(format!("the file ends {missing} pages before its end"))),
    }
}

struct Database<'a> {
    file: Window<'a>,
    order: Order,
    page_size: usize,
    pages: u32,
    /// How many pages it tells of and does not have: it was cut off.
    missing: u32,
    /// How many pages may still be read for values that are continued: values share none.
    left: u32,
}

impl<'a> Database<'a> {
    fn open(input: &'a mut Input<'_>, order: Order) -> Result<Self, ParseError> {
        let mut file = Window::new(input.source);
        let mut head = [0; 72];
        if !file.read(0, &mut head)? || head.get(25) != Some(&HASH_META) {
            return Err(malformed(0, "this is no description of a hash"));
        }
        let word = |at| order.u32(&head, at).unwrap_or_default();
        if head.get(24) != Some(&0) {
            return Err(ParseError::Unsupported("a database that is encrypted".to_owned()));
        }
        let page_size = usize::try_from(word(20)).unwrap_or_default();
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(malformed(0, "pages have an impossible size"));
        }
        let in_file = u32::try_from(file.len() / page_size as u64).unwrap_or(u32::MAX);
        let told = word(32).saturating_add(1);
        let pages = told.min(in_file);
        Ok(Self { file, order, page_size, pages, missing: told - pages, left: pages })
    }

    fn page(&mut self, number: u32, page: &mut Vec<u8>) -> Result<(), ParseError> {
        page.resize(self.page_size, 0);
        match number < self.pages && self.file.read(u64::from(number) * self.page_size as u64, page)? {
            true => Ok(()),
            false => Err(malformed(number, "there is no such page")),
        }
    }

    /// Reads a value of `len` bytes that is continued from page `next` on.
    fn overflow(
        &mut self,
        mut next: u32,
        len: u32,
        page: &mut Vec<u8>,
        value: &mut Vec<u8>,
    ) -> Result<(), ParseError> {
        let len = usize::try_from(len).ok().filter(|len| *len <= LONGEST_HEADER);
        let len = len.ok_or_else(|| malformed(next, "a header is longer than 64 MiB"))?;
        value.clear();
        while value.len() < len {
            self.left = self
                .left
                .checked_sub(1)
                .ok_or_else(|| malformed(next, "pages refer to each other in a circle"))?;
            self.page(next, page)?;
            let here = usize::from(self.order.u16(page, 22).unwrap_or_default());
            let bytes = part(page, PAGE_HEAD, here).filter(|_| page.get(25) == Some(&OVERFLOW));
            value.extend_from_slice(bytes.ok_or_else(|| malformed(next, "it does not continue a value"))?);
            next = self.order.u32(page, 16).unwrap_or_default();
        }
        value.truncate(len);
        Ok(())
    }
}

/// Keys and values of a page of the hash, each with its type in front.
struct Pairs<'a> {
    order: Order,
    page: &'a [u8],
    entries: usize,
    next: usize,
    /// How many bytes of entries may still be in the page: they do not overlap.
    left: usize,
}

impl<'a> Pairs<'a> {
    fn new(order: Order, page: &'a [u8]) -> Option<Self> {
        let entries = usize::from(order.u16(page, 20)?);
        (PAGE_HEAD + 2 * entries <= page.len()).then_some(Self {
            order,
            page,
            entries,
            next: 0,
            left: page.len(),
        })
    }

    /// An entry reaches from where it begins to where the one before it begins: they are written from the end.
    fn entry(&mut self, entry: usize) -> Option<&'a [u8]> {
        let begin = |entry| self.order.u16(self.page, PAGE_HEAD + 2 * entry).map(usize::from);
        let end = entry.checked_sub(1).map_or(Some(self.page.len()), begin)?;
        let bytes = self.page.get(begin(entry)?..end)?;
        self.left = self.left.checked_sub(bytes.len())?;
        Some(bytes)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Option<(&'a [u8], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.next;
        if key + 1 >= self.entries {
            return None;
        }
        self.next += 2;
        Some(self.entry(key).zip(self.entry(key + 1)))
    }
}

fn malformed(page: u32, what: &str) -> ParseError {
    ParseError::Malformed(format!("page {page}: {what}"))
}
