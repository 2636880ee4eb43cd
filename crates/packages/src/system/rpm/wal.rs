//! The write-ahead log beside a database of SQLite. A system that was not shut down, or whose snapshot was taken while it
//! ran, has its newest packages only there. See <https://www.sqlite.org/fileformat2.html#walformat>.

use std::collections::HashMap;
use std::io;

use crate::bytes::{Order, part};
use crate::format::{Input, ParseError};

/// A log longer than this is not read. SQLite writes one back every few MiB.
const LONGEST: u64 = 256 * 1024 * 1024;
/// A rollback journal of more than this many bytes is taken for one of a transaction that did not end.
const SHORT_JOURNAL: u64 = 1024 * 1024;
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The newest version of the pages that the log holds, as the last transaction in it left them.
#[derive(Default)]
pub(super) struct Wal {
    bytes: Vec<u8>,
    page_size: Option<usize>,
    /// Where a page is in `bytes`.
    offsets: HashMap<u32, usize>,
    pages: Option<u32>,
}

impl Wal {
    /// Reads the log of the database `input`; an empty one when there is none, or when nothing in it was committed. A
    /// rollback journal, which rpm does not use, is only told of.
    pub(super) fn beside(input: &mut Input<'_>, limits: &mut Vec<String>) -> Result<Self, ParseError> {
        let name = input.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let beside = |suffix: &str| [name, suffix.as_bytes()].concat();
        let journal = input.source.sibling(&beside("-journal"), SHORT_JOURNAL);
        let too_large = |error: &io::Error| error.kind() == io::ErrorKind::FileTooLarge;
        if journal.map_or_else(|error| too_large(&error), |journal| is_hot(journal.as_deref())) {
            limits.push(
                "a rollback journal is beside it, and was not applied: packages may be listed that a \
                transaction would have removed again"
                    .to_owned(),
            );
        }
        match input.source.sibling(&beside("-wal"), LONGEST) {
            Ok(bytes) => Ok(bytes.and_then(Self::parse).unwrap_or_default()),
            Err(error) if too_large(&error) => {
                limits.push(format!(
                    "its write-ahead log is longer than {LONGEST} bytes and was not read: the newest \
                    changes are missing"
                ));
                Ok(Self::default())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The newest version of a page, when the log has it.
    pub(super) fn page(&self, number: u32) -> Option<&[u8]> {
        part(&self.bytes, *self.offsets.get(&number)?, self.page_size?)
    }

    /// How many bytes a page has; `None` without a committed transaction.
    pub(super) fn page_size(&self) -> Option<usize> {
        self.pages.and(self.page_size)
    }

    /// How many different pages the log holds.
    pub(super) fn pages_in_log(&self) -> u32 {
        u32::try_from(self.offsets.len()).unwrap_or(u32::MAX)
    }

    /// How many pages the database has after the last transaction; `None` without one.
    pub(super) fn pages(&self) -> Option<u32> {
        self.pages
    }

    /// `None` for what is no log, or one that was begun and not filled: SQLite ignores those too.
    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let big = Order::Big;
        // The last bit of the magic number says how the words of the checksums are read.
        let order = match big.u32(&bytes, 0)? {
            0x377f_0682 => Order::Little,
            0x377f_0683 => Order::Big,
            _ => return None,
        };
        let page_size = usize::try_from(big.u32(&bytes, 8)?).ok()?;
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return None;
        }
        let salt = part(&bytes, 16, 8)?;
        let mut sums = checksum(order, (0, 0), part(&bytes, 0, 24)?)?;
        if sums != (big.u32(&bytes, 24)?, big.u32(&bytes, 28)?) {
            return None;
        }
        let mut wal = Self { page_size: Some(page_size), ..Self::default() };
        let mut uncommitted = Vec::new();
        let mut at = HEADER;
        // A frame counts when its checksum follows from all before it; what stands behind is of an earlier round.
        while let Some(frame) = part(&bytes, at, FRAME_HEADER + page_size) {
            sums = checksum(order, sums, part(frame, 0, 8)?)?;
            sums = checksum(order, sums, part(frame, FRAME_HEADER, page_size)?)?;
            if part(frame, 8, 8) != Some(salt) || sums != (big.u32(frame, 16)?, big.u32(frame, 20)?) {
                break;
            }
            uncommitted.push((big.u32(frame, 0)?, at + FRAME_HEADER));
            let pages = big.u32(frame, 4)?;
            if pages != 0 {
                wal.offsets.extend(uncommitted.drain(..));
                wal.pages = Some(pages);
            }
            at += FRAME_HEADER + page_size;
        }
        wal.bytes = bytes;
        Some(wal)
    }
}

/// Whether a rollback journal is of a transaction that did not end: afterwards it is empty, or its head is zeros.
fn is_hot(journal: Option<&[u8]>) -> bool {
    journal.is_some_and(|bytes| bytes.starts_with(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]))
}

/// The checksum of the log, continued over `bytes`, which are a multiple of eight.
fn checksum(order: Order, (mut a, mut b): (u32, u32), bytes: &[u8]) -> Option<(u32, u32)> {
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(order.u32(pair, 0)?).wrapping_add(b);
        b = b.wrapping_add(order.u32(pair, 4)?).wrapping_add(a);
    }
    Some((a, b))
}
