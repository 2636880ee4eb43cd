//! `Packages.db`: rpm's own format, which SUSE uses. A table of slots, each of which says where the header of a package
//! is, in units of 16 bytes. Numbers are little-endian. See lib/backend/ndb/rpmpkg.c of rpm.

use crate::bytes::{Order, Window, part};
use crate::format::{Input, ParseError};

use super::LONGEST_HEADER;

pub(super) const MAGIC: &[u8] = b"RpmP";

const LITTLE: Order = Order::Little;
/// Sizes in bytes: a page of slots, a slot, what stands before the first slot, a block, the head of a header.
const PAGE: usize = 4096;
const SLOT: usize = 16;
const FILE_HEAD: usize = 32;
const BLOCK: u64 = 16;
const BLOB_HEAD: usize = 16;

/// Hands out each header in the database.
///
/// # Errors
/// What the source says; [`ParseError::Unsupported`] for another version; [`ParseError::Malformed`] at the first slot
/// that contradicts the format.
pub(super) fn headers(input: &mut Input<'_>, each: &mut dyn FnMut(&[u8])) -> Result<(), ParseError> {
    let mut file = Window::new(input.source);
    let mut head = [0; FILE_HEAD];
    if !file.read(0, &mut head)? {
        return Err(ParseError::Malformed("it ends within its first 32 bytes".to_owned()));
    }
    let version = LITTLE.u32(&head, 4).unwrap_or_default();
    if version != 0 {
        return Err(ParseError::Unsupported(format!("version {version} of ndb")));
    }
    let slot_pages = LITTLE.u32(&head, 12).unwrap_or_default();
    // Headers do not overlap: together they are not longer than the file.
    let mut left = file.len();
    let (mut page, mut blob) = (vec![0; PAGE], Vec::new());
    for number in 0..slot_pages {
        if !file.read(u64::from(number) * PAGE as u64, &mut page)? {
            return Err(ParseError::Malformed("it ends within its table of packages".to_owned()));
        }
        let skipped = if number == 0 { FILE_HEAD } else { 0 };
        for slot in page.get(skipped..).unwrap_or_default().chunks_exact(SLOT) {
            let slot = Slot::new(slot).ok_or_else(|| {
                ParseError::Malformed(format!("page {number} of its table of packages is none"))
            })?;
            if slot.block == 0 {
                continue; // free
            }
            slot.read(&mut file, &mut blob)?;
            left = left
                .checked_sub(blob.len() as u64)
                .ok_or_else(|| slot.malformed("its header is also another's"))?;
            each(&blob);
        }
    }
    Ok(())
}

struct Slot {
    package: u32,
    /// The first of its blocks; 0 in a slot that is free.
    block: u32,
    blocks: u32,
}

impl Slot {
    fn new(bytes: &[u8]) -> Option<Self> {
        let is_slot = part(bytes, 0, 4)? == b"Slot";
        let word = |at| LITTLE.u32(bytes, at);
        is_slot.then_some(Self { package: word(4)?, block: word(8)?, blocks: word(12)? })
    }

    /// Reads the header of the package into `blob`.
    fn read(&self, file: &mut Window<'_>, blob: &mut Vec<u8>) -> Result<(), ParseError> {
        let start = u64::from(self.block) * BLOCK;
        let mut head = [0; BLOB_HEAD];
        if !file.read(start, &mut head)?
            || !head.starts_with(b"BlbS")
            || LITTLE.u32(&head, 4) != Some(self.package)
        {
            return Err(self.malformed("its header is not where the table says"));
        }
        let len = LITTLE.u32(&head, 12).unwrap_or_default();
        let room = (u64::from(self.blocks) * BLOCK).saturating_sub(BLOB_HEAD as u64);
        let end = start.saturating_add(BLOB_HEAD as u64).saturating_add(u64::from(len));
        let fits = u64::from(len) <= room && end <= file.len();
        let len = usize::try_from(len).ok().filter(|len| fits && *len <= LONGEST_HEADER);
        blob.resize(len.ok_or_else(|| self.malformed("its header is longer than the room for it"))?, 0);
        match file.read(start + BLOB_HEAD as u64, blob)? {
            true => Ok(()),
            false => Err(self.malformed("the file ends within its header")),
        }
    }

    fn malformed(&self, what: &str) -> ParseError {
        ParseError::Malformed(format!("package number {}: {what}", self.package))
    }
}
