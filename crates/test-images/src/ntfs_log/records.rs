//! Pieces of file records and of indexes, as bytes.

use super::{
    log::put,
    machine::{RECORD, u16_at, u32_at},
};

/// A text as NTFS has it.
fn utf16(name: &str) -> Vec<u8> {
    name.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The value of a name: what an index has of it as well.
pub(super) fn name_value(folder: (u64, u16), name: &str, size: u64, is_folder: bool) -> Vec<u8> {
    let mut value = vec![0; 66];
    put(&mut value, 0, &(folder.0 | u64::from(folder.1) << 48).to_le_bytes());
    put(&mut value, 40, &size.next_multiple_of(8).to_le_bytes());
    put(&mut value, 48, &size.to_le_bytes());
    put(&mut value, 56, &if is_folder { 0x1000_0000_u32 } else { 0x20 }.to_le_bytes());
    value[64] = name.encode_utf16().count() as u8;
    value[65] = 1;
    value.extend(utf16(name));
    value
}

/// An attribute that is kept in its record.
pub(super) fn resident(kind: u32, number: u16, name: &str, value: &[u8], is_indexed: bool) -> Vec<u8> {
    let start = (24 + name.len() * 2).next_multiple_of(8);
    let mut bytes = vec![0; (start + value.len()).next_multiple_of(8)];
    let length = bytes.len() as u32;
    put(&mut bytes, 0, &kind.to_le_bytes());
    put(&mut bytes, 4, &length.to_le_bytes());
    bytes[9] = name.len() as u8;
    put(&mut bytes, 10, &24_u16.to_le_bytes());
    put(&mut bytes, 14, &number.to_le_bytes());
    put(&mut bytes, 16, &(value.len() as u32).to_le_bytes());
    put(&mut bytes, 20, &(start as u16).to_le_bytes());
    bytes[22] = u8::from(is_indexed);
    put(&mut bytes, 24, &utf16(name));
    put(&mut bytes, start, value);
    bytes
}

/// The used part of a file record.
pub(super) fn record_bytes(number: u64, attributes: &[Vec<u8>], is_folder: bool) -> Vec<u8> {
    let mut record = vec![0; 56];
    put(&mut record, 0, b"FILE\x30\0\x03\0");
    put(&mut record, 16, &[1, 0, 1, 0, 56, 0, if is_folder { 3 } else { 1 }]);
    put(&mut record, 28, &(RECORD as u32).to_le_bytes());
    put(&mut record, 40, &(attributes.len() as u16).to_le_bytes());
    put(&mut record, 44, &(number as u32).to_le_bytes());
    record[48] = 3;
    record.extend(attributes.iter().flatten());
    record.extend([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    let used = record.len() as u32;
    put(&mut record, 24, &used.to_le_bytes());
    record
}

/// An entry of an index.
pub(super) fn entry(file: (u64, u16), value: &[u8], below: Option<u64>) -> Vec<u8> {
    let length = (16 + value.len()).next_multiple_of(8) + if below.is_some() { 8 } else { 0 };
    let mut entry = vec![0; length];
    put(&mut entry, 0, &(file.0 | u64::from(file.1) << 48).to_le_bytes());
    put(&mut entry, 8, &(length as u16).to_le_bytes());
    put(&mut entry, 10, &(value.len() as u16).to_le_bytes());
    put(&mut entry, 16, value);
    if let Some(block) = below {
        entry[12] = 1;
        put(&mut entry, length - 8, &block.to_le_bytes());
    }
    entry
}

/// Adds to a number of four bytes.
pub(super) fn add(bytes: &mut [u8], at: usize, by: isize) {
    let sum = u32_at(bytes, at).checked_add_signed(by).expect("a length") as u32;
    put(bytes, at, &sum.to_le_bytes());
}

/// Replaces bytes; those that follow move.
pub(super) fn replace(bytes: &mut Vec<u8>, at: usize, length: usize, new: &[u8]) {
    let size = bytes.len();
    bytes.splice(at..at + length, new.iter().copied());
    bytes.resize(size, 0);
}

/// The same in a file record.
pub(super) fn replace_in_record(record: &mut Vec<u8>, at: usize, length: usize, new: &[u8]) {
    replace(record, at, length, new);
    add(record, 24, new.len() as isize - length as isize);
}

/// Where a name is among the entries of a node, or belongs; and whether it is there.
pub(super) fn find(bytes: &[u8], head: usize, name: &str) -> (usize, bool) {
    let mut at = head + u32_at(bytes, head);
    let wanted = name.to_uppercase();
    while u16_at(bytes, at + 12) & 2 == 0 {
        let length = usize::from(bytes[at + 80]);
        let units: Vec<u16> = (0..length).map(|index| u16_at(bytes, at + 82 + index * 2) as u16).collect();
        let found = String::from_utf16(&units).expect("a name").to_uppercase();
        if found >= wanted {
            return (at, found == wanted);
        }
        at += u16_at(bytes, at + 8);
    }
    (at, false)
}
