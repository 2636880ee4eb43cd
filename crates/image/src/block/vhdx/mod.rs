//! The disks of Hyper-V: [MS-VHDX] describes them.
//!
//! Two heads, of which the newer one counts, and two copies of a table of regions lead to the metadata and to a table
//! with an entry for each block. Changes of these tables go through a log first; what a log holds that was not carried
//! out yet is laid over the file in memory.

mod log;

use std::{io, sync::Arc};

use crc32c::{crc32c, crc32c_append};

use self::log::Replayed;
use super::{
    BlockRead, Cached, by_chunk,
    container::{Container, ContainerError, Context},
    damaged, le16, le32, le64,
};
use crate::{target::TargetKind, volume::Reason};

pub(super) const MAGIC: &[u8] = b"vhdxfile";
const WHAT: &str = "VHDX image";

const HEADS: [u64; 2] = [64 << 10, 128 << 10];
const HEAD_BYTES: usize = 4 << 10;
const REGION_TABLES: [u64; 2] = [192 << 10, 256 << 10];
const TABLE_BYTES: usize = 64 << 10;
/// How many entries a table of regions, and one of metadata, has at most.
const ENTRIES: u32 = 2047;

/// What regions and metadata are called, as they lie on the disk.
const BAT: u128 = guid(0x2dc2_7766, 0xf623, 0x4200, 0x9d64_115e_9bfd_4a08);
const METADATA: u128 = guid(0x8b7c_a206, 0x4790, 0x4b9a, 0xb8fe_575f_050f_886e);
const FILE_PARAMETERS: u128 = guid(0xcaa1_6737, 0xfa36, 0x4d43, 0xb3b6_33f0_aa44_e76b);
const DISK_SIZE: u128 = guid(0x2fa5_4224, 0xcd1b, 0x4876, 0xb211_5dbe_d83b_f4b8);
const SECTOR_SIZE: u128 = guid(0x8141_bf1d, 0xa96f, 0x4709, 0xba47_f233_a8fa_ab5f);

/// A GUID as the number that its 16 bytes are: the first three parts are little-endian.
const fn guid(first: u32, second: u16, third: u16, last: u64) -> u128 {
    first as u128 | (second as u128) << 32 | (third as u128) << 48 | (last.swap_bytes() as u128) << 64
}

/// States of a block.
const FULLY_PRESENT: u64 = 6;
const PARTIALLY_PRESENT: u64 = 7;

#[derive(Debug)]
struct Vhdx {
    file: Arc<dyn BlockRead>,
    /// The same file; its small reads are kept.
    tables: Cached,
    size: u64,
    block: u64,
    table: u64,
    /// After so many entries for blocks comes one for the bitmap of a differencing disk.
    ratio: u64,
}

pub(super) fn open(file: Arc<dyn BlockRead>, context: &Context<'_>) -> Result<Container, ContainerError> {
    let head = newest_head(file.as_ref())?;
    let mut notes = Vec::new();
    let file: Arc<dyn BlockRead> = match log::replay(&file, &head)? {
        None => file,
        Some(replayed) => {
            notes.push("the VHDX image was not closed; its log was replayed in memory".to_owned());
            Arc::new(Replayed::new(file, replayed))
        }
    };
    let regions = regions(file.as_ref())?;
    let metadata = metadata(file.as_ref(), regions.metadata)?;
    let Metadata { block, has_parent, size, sector } = metadata;
    if has_parent {
        let detail =
            "it only holds what differs from another image; merge them with Merge-VHD or qemu-img convert";
        return Err(ContainerError::refused(Reason::Unsupported, "differencing VHDX image", detail));
    }
    let (block, sector) = (u64::from(block), u64::from(sector));
    if !block.is_power_of_two() || !(1 << 20..=256 << 20).contains(&block) || !matches!(sector, 512 | 4096) {
        let detail = format!(
            "blocks of {block} bytes and sectors of {sector}; 1 to 256 MiB, and 512 or 4096, would be right"
        );
        return Err(ContainerError::damaged(WHAT, detail));
    }
    let ratio = (sector << 23) / block;
    let blocks = size.div_ceil(block);
    let entries = blocks + blocks.saturating_sub(1) / ratio;
    if size > 64 << 40 || entries * 8 > regions.bat.length {
        let detail = format!("its block table has no place for a disk of {size} bytes");
        return Err(ContainerError::damaged(WHAT, detail));
    }
    let tables = Cached::new(Arc::clone(&file), context.cache);
    let disk = Vhdx { file, tables, size, block, table: regions.bat.start, ratio };
    Ok(Container { kind: TargetKind::Vhdx, disk: Arc::new(disk), notes })
}

/// What counts of a head.
struct Head {
    sequence: u64,
    /// Which entries of the log count; 0 when none does.
    log_guid: u128,
    log: Region,
}

#[derive(Clone, Copy)]
struct Region {
    start: u64,
    length: u64,
}

fn newest_head(file: &dyn BlockRead) -> Result<Head, ContainerError> {
    let mut newest: Option<Head> = None;
    for at in HEADS {
        let mut bytes = vec![0; HEAD_BYTES];
        file.read_at(at, &mut bytes)?;
        if !is_sound(&bytes, b"head") || le16(&bytes, 66) != 1 {
            continue;
        }
        let log = Region { start: le64(&bytes, 72), length: u64::from(le32(&bytes, 68)) };
        let head = Head { sequence: le64(&bytes, 8), log_guid: number(&bytes, 48), log };
        if newest.as_ref().is_none_or(|newest| newest.sequence < head.sequence) {
            newest = Some(head);
        }
    }
    newest.ok_or_else(|| ContainerError::damaged(WHAT, "neither of its two heads is sound"))
}

/// Whether a structure begins with its name and has the right checksum, which counts as 0 itself. To a fuzzer
/// every checksum is right.
fn is_sound(bytes: &[u8], name: &[u8; 4]) -> bool {
    let after = bytes.get(8..).unwrap_or_default();
    let sum = || crc32c_append(crc32c_append(crc32c(name), &[0; 4]), after);
    bytes.starts_with(name) && (cfg!(fuzzing) || le32(bytes, 4) == sum())
}

fn number(bytes: &[u8], at: usize) -> u128 {
    u128::from(le64(bytes, at)) | u128::from(le64(bytes, at + 8)) << 64
}

struct Regions {
    bat: Region,
    metadata: Region,
}

fn regions(file: &dyn BlockRead) -> Result<Regions, ContainerError> {
    for at in REGION_TABLES {
        let mut bytes = vec![0; TABLE_BYTES];
        file.read_at(at, &mut bytes)?;
        if !is_sound(&bytes, b"regi") {
            continue;
        }
        let (mut bat, mut metadata) = (None, None);
        for entry in bytes[16..].chunks_exact(32).take(le32(&bytes, 8).min(ENTRIES) as usize) {
            let region = Region { start: le64(entry, 16), length: u64::from(le32(entry, 24)) };
            match number(entry, 0) {
                BAT => bat = Some(region),
                METADATA => metadata = Some(region),
                _ if le32(entry, 28) & 1 == 1 => {
                    return Err(ContainerError::unsupported(
                        WHAT,
                        "it has a region that is required and not known",
                    ));
                }
                _ => {}
            }
        }
        let (Some(bat), Some(metadata)) = (bat, metadata) else { continue };
        if bat.start > i64::MAX as u64 || metadata.start > i64::MAX as u64 {
            continue;
        }
        return Ok(Regions { bat, metadata });
    }
    Err(ContainerError::damaged(WHAT, "neither of its two tables of regions is sound"))
}

struct Metadata {
    block: u32,
    has_parent: bool,
    size: u64,
    sector: u32,
}

fn metadata(file: &dyn BlockRead, region: Region) -> Result<Metadata, ContainerError> {
    let mut table = vec![0; TABLE_BYTES];
    file.read_at(region.start, &mut table)?;
    if !table.starts_with(b"metadata") {
        return Err(ContainerError::damaged(WHAT, "its metadata is not where it should be"));
    }
    let item = |id: u128| {
        let count = u32::from(le16(&table, 10)).min(ENTRIES) as usize;
        let mut entries = table[32..].chunks_exact(32).take(count);
        let entry = entries.find(|entry| number(entry, 0) == id);
        let entry =
            entry.ok_or_else(|| ContainerError::damaged(WHAT, "its metadata lacks an item that all have"))?;
        let mut value = [0; 8];
        let length = (le32(entry, 20) as usize).min(8);
        file.read_at(region.start + u64::from(le32(entry, 16)), &mut value[..length])?;
        Ok::<_, ContainerError>(value)
    };
    let parameters = item(FILE_PARAMETERS)?;
    Ok(Metadata {
        block: le32(&parameters, 0),
        has_parent: le32(&parameters, 4) & 2 != 0,
        size: u64::from_le_bytes(item(DISK_SIZE)?),
        sector: le32(&item(SECTOR_SIZE)?, 0),
    })
}

impl BlockRead for Vhdx {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        by_chunk(self.size, self.block, offset, buffer, |number, within, part| {
            let mut entry = [0; 8];
            self.tables.read_at(self.table + (number + number / self.ratio) * 8, &mut entry)?;
            let entry = u64::from_le_bytes(entry);
            match entry & 7 {
                FULLY_PRESENT => self.file.read_at((entry >> 20 << 20).saturating_add(within), part),
                PARTIALLY_PRESENT => {
                    Err(damaged(format!("block {number} is in part in a parent, which the image lacks")))
                }
                _ => {
                    part.fill(0);
                    Ok(())
                }
            }
        })
    }
}
