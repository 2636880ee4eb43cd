//! The pages of the log, and the records in them.
//!
//! Every record holds its own number, which says where it lies and in which round of the log it was written. So a
//! record is there when its number stands at its place, and the log ends where the next number does not.

use std::collections::BTreeMap;

use super::{
    super::{
        super::{ReadError, disk::Fields as _},
        record::mend,
    },
    LogFile, damaged,
    restart::Layout,
};

/// How long a record may be, in bytes; Windows writes at most half of it.
const RECORD: u32 = 256 << 10;

/// How many pages Windows writes together, at most, with room to spare.
const TOGETHER: u64 = 64;

/// What a record is.
pub mod kind {
    pub const CHANGE: u32 = 1;
    pub const CHECKPOINT: u32 = 2;
}

/// A record of the log, from as many pages as it takes.
#[derive(Debug)]
pub struct Record {
    /// Its number (LSN).
    pub number: u64,
    /// What is undone next, when this record is.
    pub undo_next: u64,
    /// See [`super::restart::Restart::client`].
    pub client: (u16, u16),
    pub kind: u32,
    pub transaction: u32,
    pub data: Vec<u8>,
    /// The page it ends in, where in it, and in which round of the log.
    end: (u64, usize, u64),
}

/// A page that is whole.
#[derive(Clone, Debug)]
struct Page {
    bytes: Vec<u8>,
    /// The last record of which a part lies in it.
    last: u64,
    /// The last record that ends in it.
    last_end: u64,
}

/// All pages, each in its newest version.
#[derive(Debug)]
pub struct Pages {
    log: LogFile,
    layout: Layout,
    /// Copies, by the place of the page that they are of.
    copies: BTreeMap<u64, Page>,
    /// What was read last; `None` when it is not whole.
    read: Option<(u64, Option<Page>)>,
}

impl Pages {
    pub fn new(log: LogFile, layout: Layout) -> Result<Self, ReadError> {
        let mut pages = Self { log, layout, copies: BTreeMap::new(), read: None };
        let mut place = layout.page * 2;
        while place < layout.first {
            if let Some((home, page)) = pages.copy(place)? {
                let is_newer = pages.copies.get(&home).is_none_or(|known| known.last_end < page.last_end);
                if is_newer {
                    pages.copies.insert(home, page);
                }
            }
            place += layout.page;
        }
        Ok(pages)
    }

    fn read(&mut self, place: u64) -> Result<Option<Page>, ReadError> {
        let mut bytes = vec![0; usize::try_from(self.layout.page).unwrap_or(0)];
        self.log.read(place, &mut bytes)?;
        if bytes.get(..4) != Some(b"RCRD") || !mend(&mut bytes) {
            return Ok(None);
        }
        let (last, last_end) = (bytes.u64(8), bytes.u64(32));
        Ok(Some(Page { bytes, last, last_end }))
    }

    /// A copy of a page that was going to be written again, and where that is.
    fn copy(&mut self, place: u64) -> Result<Option<(u64, Page)>, ReadError> {
        let Some(mut page) = self.read(place)? else { return Ok(None) };
        let home = if self.layout.is_second {
            u64::from(page.bytes.u32(60))
        } else {
            // Here the first version has the place instead of the last record.
            std::mem::replace(&mut page.last, page.last_end)
        };
        let is_page =
            home.is_multiple_of(self.layout.page) && (self.layout.first..self.layout.end).contains(&home);
        Ok(is_page.then_some((home, page)))
    }

    /// The page at `place`, or its copy when that is newer; `None` when neither is whole.
    fn page(&mut self, place: u64) -> Result<Option<&Page>, ReadError> {
        if self.read.as_ref().is_none_or(|(read, _)| *read != place) {
            let page = self.read(place)?;
            let copy = self.copies.get(&place);
            let page = match (page, copy) {
                (Some(page), Some(copy)) if copy.last > page.last.max(page.last_end) => Some(copy.clone()),
                (None, copy) => copy.cloned(),
                (page, _) => page,
            };
            self.read = Some((place, page));
        }
        Ok(self.read.as_ref().and_then(|(_, page)| page.as_ref()))
    }

    /// The record of that number; `None` when it is not there.
    pub fn record(&mut self, number: u64) -> Result<Option<Record>, ReadError> {
        let layout = self.layout;
        let at = (number & ((1 << layout.place_bits) - 1)) << 3;
        let (mut place, mut round) = (at / layout.page * layout.page, number >> layout.place_bits);
        let start = usize::try_from(at % layout.page).unwrap_or(usize::MAX);
        if !(layout.first..layout.end).contains(&place) || start < layout.data {
            return Ok(None);
        }
        let Some(page) = self.page(place)? else { return Ok(None) };
        let Some(head) = page.bytes.get(start..start + layout.head) else { return Ok(None) };
        if head.u64(0) != number || number == 0 {
            return Ok(None);
        }
        let length = head.u32(24);
        if length > RECORD {
            return Err(damaged(&format!("record {number:#x} has {length} bytes")));
        }
        let length = usize::try_from(length).unwrap_or(0);
        let mut record = Record {
            number,
            undo_next: head.u64(16),
            client: (head.u16(28), head.u16(30)),
            kind: head.u32(32),
            transaction: head.u32(36),
            data: Vec::new(),
            end: (place, start + layout.head, round),
        };
        loop {
            let Some(page) = self.page(place)? else { return Ok(None) };
            let from = record.end.1;
            let there = page.bytes.get(from..).unwrap_or_default();
            let there = there.get(..length - record.data.len()).unwrap_or(there);
            record.data.extend_from_slice(there);
            record.end = (place, from + there.len(), round);
            if record.data.len() == length {
                let ends = page.bytes.u32(16) & 1 != 0 && page.last_end >= number;
                return Ok(ends.then_some(record));
            }
            if page.last < number {
                return Ok(None);
            }
            let (next, is_round) = layout.after(place);
            (place, round) = (next, round + u64::from(is_round));
            record.end.1 = layout.data;
        }
    }

    /// The record after another one, of whichever client; `None` at the end of the log.
    pub fn next(&mut self, record: &Record) -> Result<Option<Record>, ReadError> {
        let layout = self.layout;
        let (place, end, round) = record.end;
        let start = end.next_multiple_of(8);
        if start + layout.head <= usize::try_from(layout.page).unwrap_or(0)
            && let Some(next) = self.record(number(&layout, place + start as u64, round))?
        {
            return Ok(Some(next));
        }
        let (next, is_round) = layout.after(place);
        self.record(number(&layout, next + layout.data as u64, round + u64::from(is_round)))
    }

    /// Whether the log really ends with this record: pages that were begun to be written later must not be there.
    /// Those that were written together with a missing one may.
    pub fn ends_with(&mut self, record: &Record) -> Result<bool, ReadError> {
        let mut place = record.end.0;
        for _ in 0..TOGETHER.min(self.layout.end / self.layout.page) {
            place = self.layout.after(place).0;
            if place == record.end.0 {
                break;
            }
            let Some(page) = self.page(place)? else { continue };
            let position = page.bytes.u16(22);
            // The first page after the end may be the rest of a record that was not finished.
            let is_rest = page.bytes.u32(16) & 1 == 0;
            if page.last_end > record.number && position <= 1 && !is_rest {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The number of a record at a place.
fn number(layout: &Layout, place: u64, round: u64) -> u64 {
    place >> 3 | round.checked_shl(layout.place_bits).unwrap_or(0)
}
