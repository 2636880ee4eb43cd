//! Records of the master file table, and the attributes in them.

use super::super::{ReadError, disk::Fields as _};

/// Types of attributes.
pub mod kind {
    pub const STANDARD_INFORMATION: u32 = 0x10;
    pub const ATTRIBUTE_LIST: u32 = 0x20;
    pub const VOLUME_NAME: u32 = 0x60;
    pub const VOLUME_INFORMATION: u32 = 0x70;
    pub const DATA: u32 = 0x80;
    pub const INDEX_ROOT: u32 = 0x90;
    pub const INDEX_ALLOCATION: u32 = 0xa0;
    pub const BITMAP: u32 = 0xb0;
    pub const REPARSE_POINT: u32 = 0xc0;
}

/// A record, whose sectors were checked and mended.
#[derive(Clone, Debug)]
pub struct Record {
    bytes: Vec<u8>,
}

/// An attribute as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    pub kind: u32,
    /// UTF-16; empty for most.
    pub name: &'a [u8],
    pub flags: u16,
    pub is_resident: bool,
    bytes: &'a [u8],
}

impl Record {
    /// Takes the bytes of a record.
    pub fn new(mut bytes: Vec<u8>, number: u64) -> Result<Self, ReadError> {
        if bytes.get(..4) != Some(b"FILE") || !mend(&mut bytes) {
            return Err(ReadError::Damaged(format!("record {number} of the file table")));
        }
        Ok(Self { bytes })
    }

    pub fn is_used(&self) -> bool {
        self.bytes.u16(22) & 1 != 0
    }

    pub fn is_folder(&self) -> bool {
        self.bytes.u16(22) & 2 != 0
    }

    /// How often the record was used for another file.
    pub fn sequence(&self) -> u16 {
        self.bytes.u16(16)
    }

    /// The attributes in this record; more may lie in others.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        let mut rest = self.bytes.get(usize::from(self.bytes.u16(20))..).unwrap_or_default();
        std::iter::from_fn(move || {
            let length = usize::try_from(rest.u32(4)).ok()?;
            if rest.u32(0) == u32::MAX || length < 24 {
                return None;
            }
            let (bytes, next) = rest.split_at_checked(length)?;
            rest = next;
            let name = usize::from(bytes.u16(10));
            let name = bytes.get(name..name + usize::from(bytes.u8(9)) * 2).unwrap_or_default();
            Some(Attribute {
                kind: bytes.u32(0),
                name,
                flags: bytes.u16(12),
                is_resident: bytes.u8(8) == 0,
                bytes,
            })
        })
    }

    /// The value of an attribute that is kept in the record.
    pub fn value(&self, kind: u32) -> Option<&[u8]> {
        self.attributes().find(|found| found.kind == kind && found.is_resident)?.value()
    }
}

impl<'a> Attribute<'a> {
    pub fn value(&self) -> Option<&'a [u8]> {
        let start = usize::from(self.bytes.u16(20));
        self.bytes.get(start..start.checked_add(usize::try_from(self.bytes.u32(16)).ok()?)?)
    }

    /// The first cluster of the stream that this part of it describes.
    pub fn first_cluster(&self) -> u64 {
        if self.is_resident { 0 } else { self.bytes.u64(16) }
    }

    pub fn runs(&self) -> &'a [u8] {
        self.bytes.get(usize::from(self.bytes.u16(32))..).unwrap_or_default()
    }

    /// The power of two of clusters that are compressed together; 0 without compression.
    pub fn unit(&self) -> u16 {
        self.bytes.u16(34)
    }

    pub fn size(&self) -> u64 {
        self.bytes.u64(48)
    }

    /// What lies behind was never written, and is zeros.
    pub fn initialized(&self) -> u64 {
        self.bytes.u64(56)
    }
}

/// The last two bytes of every 512 are a number that says whether all of them were written; what belongs there is kept
/// in an array at the front. Puts it back; `false` when a sector was not written with the others.
pub fn mend(bytes: &mut [u8]) -> bool {
    let (start, count) = (usize::from(bytes.u16(4)), usize::from(bytes.u16(6)));
    let array = bytes.get(start..start + count * 2).unwrap_or_default().to_vec();
    if count != bytes.len() / 512 + 1 || array.len() != count * 2 {
        return false;
    }
    let (number, kept) = array.split_at(2);
    for (sector, kept) in bytes.chunks_exact_mut(512).zip(kept.chunks_exact(2)) {
        let Some(end) = sector.get_mut(510..) else { return false };
        if end != number {
            return false;
        }
        end.copy_from_slice(kept);
    }
    true
}

/// Does what [`mend`] takes back, with the number that is there; `false` when there is no room for the array.
pub fn protect(bytes: &mut [u8]) -> bool {
    let (start, count) = (usize::from(bytes.u16(4)), usize::from(bytes.u16(6)));
    if count != bytes.len() / 512 + 1 || start < 8 || start + count * 2 > 510 {
        return false;
    }
    let number = bytes.u16(start).to_le_bytes();
    for sector in 1..count {
        let (end, kept) = (sector * 512 - 2, start + sector * 2);
        bytes.copy_within(end..end + 2, kept);
        bytes.get_mut(end..end + 2).unwrap_or_default().copy_from_slice(&number);
    }
    true
}
