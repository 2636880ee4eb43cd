//! The volume: its boot sector, its file table, and how records and streams are found.

use super::{
    super::{
        ReadError,
        disk::{Disk, Fields as _},
    },
    record::{Record, kind},
    stream::Stream,
};

/// The number of a record in a reference; the upper bits count how often it was used.
pub const NUMBER: u64 = (1 << 48) - 1;

/// How long a list of attributes is read, in bytes; Windows writes no longer one.
const LIST: u64 = 256 << 10;

/// How many records are read at once, in bytes.
const CHUNK: u64 = 32 << 10;

/// What all readers share.
#[derive(Clone, Debug)]
pub struct Volume {
    pub disk: Disk,
    pub cluster_size: u64,
    pub serial: u64,
    pub record_size: u64,
    /// How long a block of an index is, unless the index says otherwise.
    pub index_block: u64,
    table: Stream,
    chunk: (u64, Vec<u8>),
}

impl Volume {
    pub fn open(disk: Disk) -> Result<Self, ReadError> {
        let bytes = disk.read(0, 512)?;
        let damaged = |what: String| ReadError::Damaged(format!("boot sector: {what}"));
        if bytes.get(3..11) != Some(b"NTFS    ") {
            return Err(damaged("no NTFS".into()));
        }
        let sector = u64::from(bytes.u16(11));
        if !sector.is_power_of_two() || !(256..=4096).contains(&sector) {
            return Err(damaged(format!("sectors of {sector} bytes")));
        }
        // Small sizes are counted, large ones are a power of two.
        let per_cluster = match bytes.u8(13) {
            count @ 0..=0x80 => u64::from(count),
            power => 1_u64.checked_shl(256 - u32::from(power)).unwrap_or(0),
        };
        let cluster_size = per_cluster.saturating_mul(sector);
        if !cluster_size.is_power_of_two() || cluster_size > 2 << 20 {
            return Err(damaged(format!("clusters of {cluster_size} bytes")));
        }
        if bytes.u64(40).saturating_mul(sector) > disk.len() {
            let sectors = bytes.u64(40);
            return Err(damaged(format!(
                "{sectors} sectors do not fit into the volume's {} bytes",
                disk.len()
            )));
        }
        let size = |field: usize| match bytes.u8(field).cast_signed() {
            count if count > 0 => u64::from(count.unsigned_abs()).saturating_mul(cluster_size),
            power => 1_u64.checked_shl(u32::from(power.unsigned_abs())).unwrap_or(0),
        };
        let (record_size, index_block) = (size(64), size(68));
        if !(512..=CHUNK).contains(&record_size) || !record_size.is_power_of_two() {
            return Err(damaged(format!("records of {record_size} bytes")));
        }
        // The first record is that of the table itself: it says where the others are, and then where all are.
        let at = bytes.u64(48).saturating_mul(cluster_size);
        let record = Record::new(disk.read(at, usize::try_from(record_size).unwrap_or(0))?, 0)?;
        let part = record.attributes().find(|part| part.kind == kind::DATA && part.name.is_empty());
        let part = part.ok_or_else(|| damaged("a file table without bytes".into()))?;
        let mut volume = Self {
            table: Stream::new(&part, cluster_size)?,
            disk,
            cluster_size,
            serial: bytes.u64(72),
            record_size,
            index_block,
            chunk: (0, Vec::new()),
        };
        if let Some(whole) = volume.stream(&record, kind::DATA, &[])? {
            volume.table = whole;
            volume.chunk = (0, Vec::new());
        }
        Ok(volume)
    }

    /// The record that a reference leads to; its file must be the one that the reference means.
    pub fn record(&mut self, reference: u64) -> Result<Record, ReadError> {
        let (number, sequence) = (reference & NUMBER, reference >> 48);
        let record = self.read_record(number)?;
        if !record.is_used() || sequence != 0 && sequence != u64::from(record.sequence()) {
            return Err(ReadError::NotFound("file: its record is used for another one"));
        }
        Ok(record)
    }

    fn read_record(&mut self, number: u64) -> Result<Record, ReadError> {
        let at = number.checked_mul(self.record_size).filter(|&at| at < self.table.size);
        let at =
            at.ok_or_else(|| ReadError::Damaged(format!("there is no record {number} in the file table")))?;
        let start = at / CHUNK * CHUNK;
        if self.chunk.1.is_empty() || self.chunk.0 != start {
            let length = usize::try_from(CHUNK.min(self.table.size - start)).unwrap_or(0);
            let mut bytes = vec![0; length];
            self.chunk.1.clear();
            self.table.read_at(&self.disk, start, &mut bytes)?;
            self.chunk = (start, bytes);
        }
        let from = usize::try_from(at - start).unwrap_or(usize::MAX);
        let to = from.saturating_add(usize::try_from(self.record_size).unwrap_or(usize::MAX));
        let bytes = self.chunk.1.get(from..to);
        Record::new(
            bytes.ok_or_else(|| ReadError::Damaged("the file table is cut off".into()))?.to_vec(),
            number,
        )
    }

    /// A stream of a file, put together from all records that have parts of it; `None` when the file has none.
    pub fn stream(&mut self, record: &Record, kind: u32, name: &[u8]) -> Result<Option<Stream>, ReadError> {
        let cluster_size = self.cluster_size;
        let list = record.attributes().find(|part| part.kind == kind::ATTRIBUTE_LIST);
        let Some(list) = list else {
            let part = record.attributes().find(|part| part.kind == kind && part.name == name);
            return part.map(|part| Stream::new(&part, cluster_size)).transpose();
        };
        let list = Stream::new(&list, cluster_size)?.read_all(&self.disk, LIST)?;
        let mut stream: Option<Stream> = None;
        let mut rest = list.as_slice();
        while let Some((entry, next)) = rest.split_at_checked(usize::from(rest.u16(4)).max(26)) {
            rest = next;
            let at = usize::from(entry.u8(7));
            let found = entry.get(at..at + usize::from(entry.u8(6)) * 2).unwrap_or_default();
            if entry.u32(0) != kind || found != name {
                continue;
            }
            let holder = self.record(entry.u64(16))?;
            let part = holder
                .attributes()
                .find(|part| part.kind == kind && part.name == name && part.first_cluster() == entry.u64(8))
                .ok_or_else(|| ReadError::Damaged("a list names an attribute that is not there".into()))?;
            match &mut stream {
                Some(stream) => stream.add(&part)?,
                None => stream = Some(Stream::new(&part, cluster_size)?),
            }
        }
        Ok(stream)
    }

    /// The value of an attribute that is short.
    pub fn value(&mut self, record: &Record, kind: u32, most: u64) -> Result<Option<Vec<u8>>, ReadError> {
        match self.stream(record, kind, &[])? {
            Some(mut stream) => stream.read_all(&self.disk, most).map(Some),
            None => Ok(None),
        }
    }
}
