//! The disks of `VirtualBox`: `VBox/Storage/VDICore.h` of its sources describes them. A head, a table with an entry for
//! each block, then the blocks in the order in which they were first written.

use std::{io, sync::Arc};

use super::{
    BlockRead, Cached, by_chunk,
    container::{Container, ContainerError, Context},
    damaged, le32, le64,
};
use crate::{target::TargetKind, volume::Reason};

pub(super) const MAGIC: u32 = 0xbeda_107f;
pub(super) const MAGIC_AT: usize = 0x40;
const WHAT: &str = "VDI image";

/// Entries of the table that are no place.
const FREE: u32 = 0xffff_ffff;
const ZERO: u32 = 0xffff_fffe;

#[derive(Debug)]
struct Vdi {
    file: Arc<dyn BlockRead>,
    /// The same file; its small reads are kept.
    tables: Cached,
    size: u64,
    table: u64,
    data: u64,
    block: u64,
    /// Bytes before each block that are not part of the disk.
    extra: u64,
}

pub(super) fn open(file: Arc<dyn BlockRead>, context: &Context<'_>) -> Result<Container, ContainerError> {
    let mut head = [0; 0x200];
    file.read_at(0, &mut head)?;
    let version = le32(&head, 0x44);
    if version >> 16 != 1 {
        return Err(ContainerError::unsupported(
            WHAT,
            format!("version {}.{} is not known", version >> 16, version & 0xffff),
        ));
    }
    match le32(&head, 0x4c) {
        1 | 2 => {}
        3 | 4 => {
            let detail =
                "it only holds what differs from another image; merge them with VBoxManage clonemedium";
            return Err(ContainerError::refused(Reason::Unsupported, "differencing VDI image", detail));
        }
        kind => return Err(ContainerError::damaged(WHAT, format!("type {kind} is not known"))),
    }
    let (size, block) = (le64(&head, 0x170), u64::from(le32(&head, 0x178)));
    if block < 512 || !block.is_power_of_two() {
        return Err(ContainerError::damaged(
            WHAT,
            format!("blocks of {block} bytes; a power of two from 512 on would be right"),
        ));
    }
    let blocks = u64::from(le32(&head, 0x180));
    if size.div_ceil(block) > blocks {
        let detail = format!("its table has {blocks} entries instead of {}", size.div_ceil(block));
        return Err(ContainerError::damaged(WHAT, detail));
    }
    let disk = Vdi {
        tables: Cached::new(Arc::clone(&file), context.cache),
        file,
        size,
        table: u64::from(le32(&head, 0x154)),
        data: u64::from(le32(&head, 0x158)),
        block,
        extra: u64::from(le32(&head, 0x17c)),
    };
    Ok(Container { kind: TargetKind::Vdi, disk: Arc::new(disk), notes: Vec::new() })
}

impl BlockRead for Vdi {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        by_chunk(self.size, self.block, offset, buffer, |number, within, part| {
            let mut entry = [0; 4];
            self.tables.read_at(self.table + number * 4, &mut entry)?;
            match u32::from_le_bytes(entry) {
                FREE | ZERO => {
                    part.fill(0);
                    Ok(())
                }
                place => {
                    let place = u64::from(place).checked_mul(self.block + self.extra);
                    let place = place.and_then(|place| place.checked_add(self.data + self.extra + within));
                    self.file
                        .read_at(place.ok_or_else(|| damaged(format!("block {number} lies nowhere")))?, part)
                }
            }
        })
    }
}
