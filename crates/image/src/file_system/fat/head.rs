//! The boot sector, and the table that chains clusters.

use super::super::{
    ReadError,
    disk::{Disk, Fields as _},
    names::label,
};

/// How much of the table is read at once, in bytes.
const CHUNK: u64 = 32 << 10;

/// How wide an entry of the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Fat12,
    Fat16,
    Fat32,
}

/// What the boot sector says. Offsets and lengths are in bytes.
#[derive(Debug)]
pub struct Head {
    pub disk: Disk,
    pub width: Width,
    pub cluster_size: u64,
    /// How many clusters there are; the first one has the number 2.
    pub clusters: u32,
    /// Where the root folder lies, and its length; `None` when it is a chain of clusters.
    pub fixed_root: Option<(u64, u64)>,
    /// The first cluster of the root folder, when it is a chain.
    pub root: u32,
    pub label: String,
    pub serial: String,
    table: u64,
    table_size: u64,
    data: u64,
}

impl Head {
    pub fn read(disk: Disk) -> Result<Self, ReadError> {
        let bytes = disk.read(0, 512)?;
        let damaged = |what: String| ReadError::Damaged(format!("boot sector: {what}"));
        if bytes.get(3..11) == Some(b"EXFAT   ") {
            return Err(ReadError::Unsupported("exFAT".into()));
        }
        let sector = u64::from(bytes.u16(11));
        if !sector.is_power_of_two() || !(512..=4096).contains(&sector) {
            return Err(damaged(format!("sectors of {sector} bytes")));
        }
        let per_cluster = u64::from(bytes.u8(13));
        let (reserved, tables) = (u64::from(bytes.u16(14)), u64::from(bytes.u8(16)));
        if !per_cluster.is_power_of_two() || reserved == 0 || tables == 0 {
            return Err(damaged("no clusters, or no table of them".into()));
        }
        let root_size = u64::from(bytes.u16(17)) * 32;
        let sectors = match bytes.u16(19) {
            0 => u64::from(bytes.u32(32)),
            sectors => u64::from(sectors),
        };
        if sectors * sector > disk.len() {
            return Err(damaged(format!(
                "{sectors} sectors do not fit into the volume's {} bytes",
                disk.len()
            )));
        }
        let is_32 = bytes.u16(22) == 0;
        let table_size = if is_32 { u64::from(bytes.u32(36)) } else { u64::from(bytes.u16(22)) };
        let root_at = reserved + tables * table_size;
        let data = root_at + root_size.div_ceil(sector);
        let clusters = sectors.checked_sub(data).map_or(0, |left| left / per_cluster);
        // Which width the table has follows from the number of clusters, and from nothing else.
        let (width, room) = match clusters {
            _ if is_32 => (Width::Fat32, table_size * sector / 4),
            0..4085 => (Width::Fat12, table_size * sector * 2 / 3),
            _ => (Width::Fat16, table_size * sector / 2),
        };
        if clusters == 0 || clusters > 0x0fff_fff5 || room < clusters + 2 {
            return Err(damaged(format!("{clusters} clusters, and a table for {room}")));
        }
        if is_32 && bytes.u16(42) != 0 {
            return Err(ReadError::Unsupported(format!("FAT32 of version {:#x}", bytes.u16(42))));
        }
        // FAT32 can have one of its tables in use alone.
        let active = if is_32 && bytes.u16(40) & 0x80 != 0 { u64::from(bytes.u16(40) & 0xf) } else { 0 };
        let at = if is_32 { 64 } else { 36 };
        let has_label = bytes.u8(at + 2) == 0x29;
        let serial = bytes.u32(at + 3);
        Ok(Self {
            width,
            cluster_size: per_cluster * sector,
            clusters: u32::try_from(clusters).map_err(|_| damaged("too many clusters".into()))?,
            fixed_root: (!is_32).then_some((root_at * sector, root_size)),
            root: bytes.u32(44),
            label: match label(bytes.get(at + 7..at + 18).unwrap_or_default()) {
                name if name == "NO NAME" || !has_label => String::new(),
                name => name,
            },
            serial: if has_label || bytes.u8(at + 2) == 0x28 {
                format!("{:04X}-{:04X}", serial >> 16, serial & 0xffff)
            } else {
                String::new()
            },
            table: (reserved + active.min(tables - 1) * table_size) * sector,
            table_size: table_size * sector,
            data: data * sector,
            disk,
        })
    }

    /// Where a cluster lies.
    pub fn place(&self, cluster: u32) -> Result<u64, ReadError> {
        match cluster.checked_sub(2) {
            Some(number) if number < self.clusters => Ok(self.data + u64::from(number) * self.cluster_size),
            _ => Err(ReadError::Damaged(format!("there is no cluster {cluster}"))),
        }
    }

    /// Whether the table says that the volume was not unmounted.
    pub fn is_dirty(&self) -> Result<bool, ReadError> {
        let mut table = Table::default();
        Ok(match self.width {
            Width::Fat12 => false,
            Width::Fat16 => table.entry(self, 1)? & 0x8000 == 0,
            Width::Fat32 => table.entry(self, 1)? & 0x0800_0000 == 0,
        })
    }
}

/// The part of the table that a reader has read last.
#[derive(Debug, Default)]
pub struct Table {
    start: u64,
    bytes: Vec<u8>,
}

impl Table {
    /// The cluster after another one; `None` at the end of the chain.
    pub fn next(&mut self, head: &Head, cluster: u32) -> Result<Option<u32>, ReadError> {
        head.place(cluster)?;
        let entry = self.entry(head, cluster)?;
        let end = match head.width {
            Width::Fat12 => 0xff8,
            Width::Fat16 => 0xfff8,
            Width::Fat32 => 0x0fff_fff8,
        };
        if entry >= end {
            return Ok(None);
        }
        head.place(entry)?;
        Ok(Some(entry))
    }

    fn entry(&mut self, head: &Head, cluster: u32) -> Result<u32, ReadError> {
        let number = u64::from(cluster);
        Ok(match head.width {
            Width::Fat12 => {
                let pair = u32::from(self.byte(head, number * 3 / 2)?)
                    | u32::from(self.byte(head, number * 3 / 2 + 1)?) << 8;
                if number % 2 == 0 { pair & 0xfff } else { pair >> 4 }
            }
            Width::Fat16 => {
                u32::from(self.byte(head, number * 2)?) | u32::from(self.byte(head, number * 2 + 1)?) << 8
            }
            Width::Fat32 => {
                let mut entry = 0;
                for byte in 0..4_u32 {
                    entry |= u32::from(self.byte(head, number * 4 + u64::from(byte))?) << (8 * byte);
                }
                entry & 0x0fff_ffff
            }
        })
    }

    fn byte(&mut self, head: &Head, at: u64) -> Result<u8, ReadError> {
        let start = at / CHUNK * CHUNK;
        if self.bytes.is_empty() || self.start != start {
            let length = usize::try_from(CHUNK.min(head.table_size.saturating_sub(start))).unwrap_or(0);
            self.bytes = head.disk.read(head.table.saturating_add(start), length)?;
            self.start = start;
        }
        let byte = usize::try_from(at - start).ok().and_then(|at| self.bytes.get(at));
        byte.copied().ok_or_else(|| ReadError::Damaged("the table of clusters is too short".into()))
    }
}
