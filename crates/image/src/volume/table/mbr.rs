//! The partition table of MS-DOS: four entries in the first sector; one of them may hold a chain of sectors, each with a
//! partition and the place of the next.

use std::{collections::HashSet, io};

use super::{Partition, Role, SECTORS, Table};
use crate::{
    block::{BlockRead, le16, le32},
    limits,
    volume::{Reason, Refusal},
};

/// The entry that says that the disk has a GPT.
pub(super) const PROTECTIVE: u8 = 0xee;

const SIGNATURE: &[u8] = b"\x55\xaa";
const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];
const DYNAMIC_DISK: u8 = 0x42;
const PREP_BOOT: u8 = 0x41;

/// An entry that is not empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// 1 to 4.
    number: u32,
    pub(super) kind: u8,
    /// In sectors.
    start: u64,
    /// In sectors.
    length: u64,
}

/// The entries of a first sector; `None` when it has no table: no entry, impossible ones, or the head of a FAT or NTFS
/// volume, which ends with the same signature.
pub(super) fn entries(sector: &[u8], disk: u64) -> Option<Vec<Entry>> {
    if sector.get(510..) != Some(SIGNATURE) || is_boot_sector(sector) {
        return None;
    }
    let mut entries = Vec::new();
    for (number, entry) in (1..).zip(sector.get(446..510)?.chunks_exact(16)) {
        if !matches!(entry.first(), Some(0 | 0x80)) {
            return None;
        }
        let (kind, start, length) = (*entry.get(4)?, u64::from(le32(entry, 8)), u64::from(le32(entry, 12)));
        if kind == 0 || length == 0 {
            continue;
        }
        // Sectors have 512 bytes at least.
        if start == 0 && kind != PROTECTIVE || start > disk / 512 {
            return None;
        }
        entries.push(Entry { number, kind, start, length });
    }
    Some(entries).filter(|entries| !entries.is_empty())
}

/// Whether a sector is the head of a FAT, exFAT or NTFS volume.
fn is_boot_sector(sector: &[u8]) -> bool {
    let jumps = matches!(sector.first(), Some(0xeb | 0xe9));
    let named = matches!(sector.get(3..11), Some(b"NTFS    " | b"EXFAT   " | b"-FVE-FS-" | b"ReFS\0\0\0\0"));
    let (bytes, per_cluster) = (le16(sector, 11), sector.get(13).copied().unwrap_or(0));
    let fats = sector.get(16).copied().unwrap_or(0);
    let media = sector.get(21).copied().unwrap_or(0);
    let is_fat = bytes.is_power_of_two()
        && (512..=4096).contains(&bytes)
        && per_cluster.is_power_of_two()
        && matches!(fats, 1 | 2)
        && (media == 0xf0 || media >= 0xf8);
    jumps && (named || is_fat)
}

pub(super) fn read(
    disk: &dyn BlockRead,
    first: &[u8],
    entries: &[Entry],
    knows: &dyn Fn(u64) -> bool,
) -> io::Result<Table> {
    let signature = le32(first, 440);
    let uuid =
        |number: u32| if signature == 0 { String::new() } else { format!("{signature:08x}-{number:02x}") };
    let sector = sector_size(entries, knows);
    let mut table = Table::default();
    for entry in entries {
        let is_extended = EXTENDED.contains(&entry.kind);
        let role = match entry.kind {
            _ if is_extended => Role::Extended,
            PREP_BOOT => Role::NoFiles("prep-boot"),
            DYNAMIC_DISK => Role::NotRead("Windows dynamic disk"),
            _ => Role::Any,
        };
        let (start, length) = (entry.start * sector, entry.length * sector);
        let (number, label) = (entry.number, String::new());
        table.partitions.push(Partition { number, start, length, uuid: uuid(number), label, role });
        if is_extended {
            chain(disk, sector, entry.start, &uuid, &mut table)?;
        }
    }
    Ok(table)
}

/// In what sectors the table counts: 512 bytes, unless something begins where 4096 would have it, and nothing where 512
/// has it.
fn sector_size(entries: &[Entry], knows: &dyn Fn(u64) -> bool) -> u64 {
    let begins = |sector: u64| entries.iter().any(|entry| knows(entry.start * sector));
    match SECTORS {
        [small, large] if !begins(small) && begins(large) => large,
        [small, _] => small,
    }
}

/// Follows the chain of an extended partition. The places of partitions count from the sector that names them, the
/// places of sectors from the start of the chain.
fn chain(
    disk: &dyn BlockRead,
    sector: u64,
    start: u64,
    uuid: &dyn Fn(u32) -> String,
    table: &mut Table,
) -> io::Result<()> {
    let mut refuse = |detail: String| {
        let refusal = Refusal { reason: Reason::Damaged, what: "extended partition".to_owned(), detail };
        table.refused.push(("extended partition".to_owned(), refusal));
    };
    let mut seen = HashSet::new();
    let (mut at, mut number) = (start, 5);
    loop {
        if !seen.insert(at) {
            refuse(format!("the chain of its partitions goes round in a circle at sector {at}"));
            return Ok(());
        }
        if seen.len() > limits::VOLUMES {
            refuse(format!("it has more than {} partitions; the rest is not read", limits::VOLUMES));
            return Ok(());
        }
        let mut bytes = [0; 512];
        if let Err(error) = disk.read_at(at * sector, &mut bytes) {
            refuse(format!("sector {at}, which names the next partition, cannot be read: {error}"));
            return Ok(());
        }
        if !bytes.ends_with(SIGNATURE) {
            refuse(format!("sector {at}, which names the next partition, has no signature"));
            return Ok(());
        }
        let mut next = None;
        for entry in bytes[446..510].chunks_exact(16) {
            let (kind, place, length) = (entry[4], u64::from(le32(entry, 8)), u64::from(le32(entry, 12)));
            if kind == 0 || length == 0 {
                continue;
            }
            if EXTENDED.contains(&kind) {
                next = next.or(Some(start + place));
                continue;
            }
            let (start, length) = ((at + place) * sector, length * sector);
            let partition = Partition { number, start, length, uuid: uuid(number), ..Partition::default() };
            table.partitions.push(partition);
            number += 1;
        }
        match next {
            Some(next) => at = next,
            None => return Ok(()),
        }
    }
}
