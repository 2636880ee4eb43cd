//! The partition table of UEFI: chapter 5.3 of its specification. A head in the second sector, a table of entries, and
//! a copy of both at the end of the disk.

use super::{Partition, Role, SECTORS, Table};
use crate::{
    block::{BlockRead, le16, le32, le64},
    limits,
};

const MAGIC: &[u8] = b"EFI PART";

/// The shortest head, and the least that an entry has, in bytes.
const HEAD: usize = 92;
const ENTRY: usize = 128;

/// The longest table of entries that is read, in bytes; 128 entries have 16 KiB.
const LONGEST: u64 = 1 << 20;

/// Kinds of partitions without files.
const NO_FILES: [(&str, &str); 4] = [
    ("21686148-6449-6e6f-744e-656564454649", "bios-boot"),
    ("e3c9e316-0b5c-4db8-817d-f92df00215ae", "microsoft-reserved"),
    ("9e1a2d38-c612-4316-aa26-8b49521e5a8b", "prep-boot"),
    ("fe3a2a5d-4f32-41a7-b725-accc3285a309", "chromeos-kernel"),
];

/// Kinds of partitions of systems that spread a volume over disks in their own way.
const NOT_READ: [(&str, &str); 3] = [
    ("5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", "Windows dynamic disk"),
    ("af9b60a0-1431-4f62-bc68-3311714a69ad", "Windows dynamic disk"),
    ("e75caf8f-f680-4cee-afa3-b001e56efc2d", "Windows storage space"),
];

/// The table at the start of a disk, or what is wrong with it.
pub(super) fn primary(disk: &dyn BlockRead) -> Result<Table, String> {
    first_sound(|sector| read(disk, sector, sector))
}

/// The table at the end of a disk, or what is wrong with it.
pub(super) fn backup(disk: &dyn BlockRead) -> Result<Table, String> {
    first_sound(|sector| read(disk, sector, (disk.len() / sector).saturating_sub(1) * sector))
}

/// The first that is sound; otherwise the mistake of the first that is there at all.
fn first_sound(read: impl Fn(u64) -> Result<Table, Option<String>>) -> Result<Table, String> {
    let mut mistake = None;
    for sector in SECTORS {
        match read(sector) {
            Ok(table) => return Ok(table),
            Err(detail) => mistake = mistake.or(detail),
        }
    }
    Err(mistake.unwrap_or_else(|| "there is none".to_owned()))
}

/// Whether a checksum is right. To a fuzzer all are.
fn is_sum(bytes: &[u8], sum: u32) -> bool {
    cfg!(fuzzing) || crc32fast::hash(bytes) == sum
}

/// Reads the table whose head is at a place. The error is `None` where there is no head.
fn read(disk: &dyn BlockRead, sector: u64, at: u64) -> Result<Table, Option<String>> {
    let mistake = |detail: &str| Some(detail.to_owned());
    let mut head = vec![0; 512];
    disk.read_at(at, &mut head).map_err(|error| Some(error.to_string()))?;
    if !head.starts_with(MAGIC) {
        return Err(None);
    }
    let length = le32(&head, 12) as usize;
    let mut summed =
        head.get(..length.max(HEAD)).ok_or_else(|| mistake("its head has an impossible length"))?.to_vec();
    summed[16..20].fill(0);
    if !is_sum(&summed, le32(&head, 16)) {
        return Err(mistake("the checksum of its head is wrong"));
    }
    if le64(&head, 24).checked_mul(sector) != Some(at) {
        // The head of a disk with sectors of the other size.
        return Err(mistake("its head belongs elsewhere"));
    }
    let (count, size) = (le32(&head, 80), le32(&head, 84) as usize);
    let bytes = u64::from(count).saturating_mul(size as u64);
    if size < ENTRY || bytes > LONGEST {
        return Err(Some(format!("{count} entries of {size} bytes are not possible")));
    }
    let place = le64(&head, 72).checked_mul(sector).ok_or_else(|| mistake("its entries lie nowhere"))?;
    let mut entries = vec![0; bytes as usize];
    disk.read_at(place, &mut entries).map_err(|error| Some(format!("its entries: {error}")))?;
    if !is_sum(&entries, le32(&head, 88)) {
        return Err(mistake("the checksum of its entries is wrong"));
    }
    let mut table = Table::default();
    for (number, entry) in (1..).zip(entries.chunks_exact(size)) {
        let kind = guid(entry, 0);
        if kind == EMPTY {
            continue;
        }
        if table.partitions.len() == limits::VOLUMES {
            table
                .notes
                .push(format!("the GPT has more than {} partitions; the rest is not read", limits::VOLUMES));
            break;
        }
        let (first, last) = (le64(entry, 32), le64(entry, 40));
        let span = last.checked_sub(first).and_then(|span| span.checked_add(1)?.checked_mul(sector));
        let (Some(start), Some(length)) = (first.checked_mul(sector), span) else {
            return Err(Some(format!("its partition {number} ends before it begins")));
        };
        let (uuid, label, role) = (guid(entry, 16), name(&entry[56..ENTRY]), role(&kind));
        table.partitions.push(Partition { number, start, length, uuid, label, role });
    }
    Ok(table)
}

const EMPTY: &str = "00000000-0000-0000-0000-000000000000";

fn role(kind: &str) -> Role {
    let find =
        |words: &[(&str, &'static str)]| words.iter().find(|(id, _)| *id == kind).map(|(_, word)| *word);
    match (find(&NO_FILES), find(&NOT_READ)) {
        (Some(word), _) => Role::NoFiles(word),
        (_, Some(word)) => Role::NotRead(word),
        _ => Role::Any,
    }
}

/// A GUID as fstab writes it: its first three parts are little-endian.
fn guid(bytes: &[u8], at: usize) -> String {
    let (first, second, third) = (le32(bytes, at), le16(bytes, at + 4), le16(bytes, at + 6));
    let last = bytes.get(at + 8..at + 16).unwrap_or_default();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (fourth, last) = last.split_at(last.len().min(2));
    format!("{first:08x}-{second:04x}-{third:04x}-{}-{}", hex(fourth), hex(last))
}

/// A name of UTF-16, up to its first zero.
fn name(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|unit| le16(unit, 0)).take_while(|&unit| unit != 0);
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
