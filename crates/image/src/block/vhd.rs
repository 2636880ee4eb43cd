//! The disks of Virtual PC and Azure: the "Virtual Hard Disk Image Format Specification" of Microsoft describes them.
//!
//! The last sector of the file is a footer. A fixed disk lies before it as it is; a dynamic one has a copy of the footer
//! at its start, a head, a table, and blocks, each with a bitmap in front. The bitmaps matter only to differencing
//! disks: sectors that were never written are zeros in the file as well.

use std::{io, sync::Arc};

use super::{
    BlockRead, Cached, Section, be32, be64, by_chunk,
    container::{Container, ContainerError, Context},
};
use crate::{target::TargetKind, volume::Reason};

pub(super) const MAGIC: &[u8] = b"conectix";
const HEAD_MAGIC: &[u8] = b"cxsparse";
const WHAT: &str = "VHD image";

/// The type field of the footer.
const FIXED: u32 = 2;
const DYNAMIC: u32 = 3;
const DIFFERENCING: u32 = 4;

/// An entry of the table that is no place.
const UNUSED: u32 = 0xffff_ffff;

const SECTOR: u64 = 512;

#[derive(Debug)]
struct Dynamic {
    file: Arc<dyn BlockRead>,
    /// The same file; its small reads are kept.
    tables: Cached,
    size: u64,
    table: u64,
    block: u64,
    bitmap: u64,
}

/// Whether a file ends with a sound footer. A magic alone may be chance.
pub(super) fn has_footer(file: &dyn BlockRead) -> io::Result<bool> {
    Ok(footer(file)?.is_some())
}

fn footer(file: &dyn BlockRead) -> io::Result<Option<[u8; 512]>> {
    let Some(at) = file.len().checked_sub(SECTOR) else { return Ok(None) };
    let mut footer = [0; 512];
    file.read_at(at, &mut footer)?;
    Ok(Some(footer).filter(is_sound))
}

fn is_sound(footer: &[u8; 512]) -> bool {
    footer.starts_with(MAGIC) && is_sum(footer, 64)
}

/// Whether the checksum at `at` is right: the complement of the sum of all other bytes. To a fuzzer all are.
fn is_sum(head: &[u8], at: usize) -> bool {
    let others = head.iter().enumerate().filter(|(place, _)| !(at..at + 4).contains(place));
    let sum: u32 = others.map(|(_, &byte)| u32::from(byte)).sum();
    cfg!(fuzzing) || be32(head, at) == !sum
}

pub(super) fn open(file: Arc<dyn BlockRead>, context: &Context<'_>) -> Result<Container, ContainerError> {
    let mut notes = Vec::new();
    let footer = match footer(file.as_ref())? {
        Some(footer) => footer,
        None => {
            let mut copy = [0; 512];
            file.read_at(0, &mut copy)?;
            if !is_sound(&copy) {
                return Err(ContainerError::damaged(
                    WHAT,
                    "the checksums of its footer and of the copy are wrong",
                ));
            }
            notes.push("the VHD image has no sound footer; its copy was read instead".to_owned());
            copy
        }
    };
    let size = be64(&footer, 48);
    let disk: Arc<dyn BlockRead> = match be32(&footer, 60) {
        FIXED if size > file.len() => {
            return Err(ContainerError::damaged(WHAT, format!("it has {} of {size} bytes", file.len())));
        }
        FIXED => Arc::new(Section::new(file, 0, size)),
        DYNAMIC => Arc::new(dynamic(file, size, be64(&footer, 16), context)?),
        DIFFERENCING => {
            let detail = "it only holds what differs from another image; merge them with Merge-VHD or qemu-img convert";
            return Err(ContainerError::refused(Reason::Unsupported, "differencing VHD image", detail));
        }
        kind => return Err(ContainerError::damaged(WHAT, format!("type {kind} is not known"))),
    };
    Ok(Container { kind: TargetKind::Vhd, disk, notes })
}

fn dynamic(
    file: Arc<dyn BlockRead>,
    size: u64,
    at: u64,
    context: &Context<'_>,
) -> Result<Dynamic, ContainerError> {
    let mut head = [0; 1024];
    file.read_at(at, &mut head)?;
    if !head.starts_with(HEAD_MAGIC) || !is_sum(&head, 36) {
        return Err(ContainerError::damaged(WHAT, "the head of the dynamic disk, or its checksum, is wrong"));
    }
    let (table, entries, block) = (be64(&head, 16), u64::from(be32(&head, 28)), u64::from(be32(&head, 32)));
    if block < SECTOR || !block.is_power_of_two() {
        return Err(ContainerError::damaged(
            WHAT,
            format!("blocks of {block} bytes; a power of two from 512 on would be right"),
        ));
    }
    if size.div_ceil(block) > entries {
        let detail = format!("its table has {entries} entries instead of {}", size.div_ceil(block));
        return Err(ContainerError::damaged(WHAT, detail));
    }
    let bitmap = (block / SECTOR).div_ceil(8).next_multiple_of(SECTOR);
    Ok(Dynamic { tables: Cached::new(Arc::clone(&file), context.cache), file, size, table, block, bitmap })
}

impl BlockRead for Dynamic {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        by_chunk(self.size, self.block, offset, buffer, |number, within, part| {
            let mut entry = [0; 4];
            self.tables.read_at(self.table.saturating_add(number * 4), &mut entry)?;
            match u32::from_be_bytes(entry) {
                UNUSED => {
                    part.fill(0);
                    Ok(())
                }
                sector => self.file.read_at(u64::from(sector) * SECTOR + self.bitmap + within, part),
            }
        })
    }
}
