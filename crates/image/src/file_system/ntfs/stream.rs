//! The bytes of an attribute, wherever they lie: in the record, in clusters, or compressed in clusters.

use super::{
    super::{ReadError, disk::Disk},
    lznt1,
    record::Attribute,
};

const COMPRESSED: u16 = 0xff;
const ENCRYPTED: u16 = 0x4000;

/// How many clusters are compressed together, at most, in bytes; Windows makes 64 KiB.
const UNIT: u64 = 1 << 20;

/// Clusters that lie together.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// How many clusters of the stream come before.
    first: u64,
    count: u64,
    /// Where they lie; `None` for a hole.
    place: Option<u64>,
}

/// The bytes of an attribute.
#[derive(Clone, Debug)]
pub struct Stream {
    pub size: u64,
    initialized: u64,
    flags: u16,
    resident: Option<Vec<u8>>,
    runs: Vec<Run>,
    cluster_size: u64,
    /// Bytes that are compressed together; 0 without compression.
    unit: u64,
    /// The unit that was unpacked last, by its number.
    unpacked: Option<(u64, Vec<u8>)>,
}

impl Stream {
    /// A stream from its first part.
    pub fn new(part: &Attribute<'_>, cluster_size: u64) -> Result<Self, ReadError> {
        let mut stream = Self {
            size: part.size(),
            initialized: part.initialized(),
            flags: part.flags,
            resident: None,
            runs: Vec::new(),
            cluster_size,
            unit: 0,
            unpacked: None,
        };
        if part.is_resident {
            let value = part.value().ok_or_else(|| damaged("a value that leaves its record"))?;
            stream.size = value.len() as u64;
            stream.resident = Some(value.to_vec());
            return Ok(stream);
        }
        if part.flags & COMPRESSED != 0 && part.unit() != 0 {
            let unit =
                1_u64.checked_shl(part.unit().into()).and_then(|clusters| clusters.checked_mul(cluster_size));
            let unit = unit.filter(|&unit| unit <= UNIT && part.unit() < 16);
            stream.unit = unit.ok_or_else(|| damaged("too much that is compressed together"))?;
        }
        stream.add(part)?;
        Ok(stream)
    }

    /// Adds the clusters of a further part.
    pub fn add(&mut self, part: &Attribute<'_>) -> Result<(), ReadError> {
        let mut first = self.runs.last().map_or(0, |run| run.first.saturating_add(run.count));
        if part.is_resident || part.first_cluster() != first {
            return Err(damaged("parts that do not follow each other"));
        }
        let (mut bytes, mut place) = (part.runs(), 0_i64);
        while let Some((&head, rest)) = bytes.split_first().filter(|(head, _)| **head != 0) {
            let (length, offset) = (usize::from(head & 0xf), usize::from(head >> 4));
            let (Some(count), Some(moved)) = (rest.get(..length), rest.get(length..length + offset)) else {
                return Err(damaged("a run that leaves its record"));
            };
            bytes = rest.get(length + offset..).unwrap_or_default();
            let count = u64::try_from(number(count)?).ok().filter(|&count| count > 0);
            let count = count.ok_or_else(|| damaged("a run without a length"))?;
            let mut run = Run { first, count, place: None };
            if offset > 0 {
                place =
                    place.checked_add(number(moved)?).ok_or_else(|| damaged("a run before the volume"))?;
                run.place = Some(u64::try_from(place).map_err(|_| damaged("a run before the volume"))?);
            }
            self.runs.push(run);
            first = first.checked_add(count).ok_or_else(|| damaged("a run without an end"))?;
        }
        Ok(())
    }

    /// # Errors
    /// When the bytes are not what the system sees.
    pub fn check_readable(&self) -> Result<(), ReadError> {
        if self.flags & ENCRYPTED != 0 {
            return Err(ReadError::Unsupported("encrypted by Windows (EFS)".into()));
        }
        Ok(())
    }

    /// The whole stream, when it is not longer than `most`.
    pub fn read_all(&mut self, disk: &Disk, most: u64) -> Result<Vec<u8>, ReadError> {
        let size = usize::try_from(self.size).ok().filter(|&size| size as u64 <= most.min(disk.len()));
        let mut bytes = vec![0; size.ok_or_else(|| damaged("longer than it can be"))?];
        self.read_at(disk, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads as much as fits and is there.
    pub fn read_at(&mut self, disk: &Disk, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        if let Some(value) = &self.resident {
            let value =
                usize::try_from(offset).ok().and_then(|offset| value.get(offset..)).unwrap_or_default();
            buffer.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
            return Ok(length);
        }
        let written =
            usize::try_from(self.initialized.saturating_sub(offset)).unwrap_or(usize::MAX).min(length);
        let (written, zeros) = buffer.split_at_mut(written);
        zeros.fill(0);
        if self.unit == 0 {
            self.fill(disk, offset, written)?;
        } else {
            self.fill_compressed(disk, offset, written)?;
        }
        Ok(length)
    }

    /// Reads from the clusters as they are.
    fn fill(&self, disk: &Disk, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let position = offset.saturating_add(done as u64);
            let (cluster, within) = (position / self.cluster_size, position % self.cluster_size);
            let run = self.run(cluster).ok_or_else(|| damaged("it ends before its size"))?;
            let skipped = cluster - run.first;
            let length = (run.count - skipped).saturating_mul(self.cluster_size) - within;
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
            let rest = rest.get_mut(..length).unwrap_or_default();
            match run.place {
                Some(place) => {
                    let at = place.saturating_add(skipped).saturating_mul(self.cluster_size);
                    disk.fill(at.saturating_add(within), rest)?;
                }
                None => rest.fill(0),
            }
            done += length;
        }
        Ok(())
    }

    fn run(&self, cluster: u64) -> Option<Run> {
        let index = self.runs.partition_point(|run| run.first <= cluster).checked_sub(1)?;
        self.runs.get(index).copied().filter(|run| cluster - run.first < run.count)
    }

    fn fill_compressed(&mut self, disk: &Disk, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let position = offset.saturating_add(done as u64);
            let unit = position / self.unit;
            let from = usize::try_from(position % self.unit).unwrap_or(usize::MAX);
            if self.unpacked.as_ref().is_none_or(|(last, _)| *last != unit) {
                self.unpacked = Some((unit, self.unpack(disk, unit)?));
            }
            let bytes = self.unpacked.as_ref().and_then(|(_, bytes)| bytes.get(from..)).unwrap_or_default();
            let length = bytes.len().min(rest.len());
            if length == 0 {
                return Err(damaged("it ends before its size"));
            }
            rest.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            done += length;
        }
        Ok(())
    }

    /// A unit is a hole, or plain when all its clusters are there; otherwise the ones that are there are compressed.
    fn unpack(&self, disk: &Disk, unit: u64) -> Result<Vec<u8>, ReadError> {
        let size = usize::try_from(self.unit).map_err(|_| damaged("a unit"))?;
        let clusters = self.unit / self.cluster_size;
        let first = unit.saturating_mul(clusters);
        let there = (first..first.saturating_add(clusters))
            .take_while(|&cluster| self.run(cluster).is_some_and(|run| run.place.is_some()))
            .count();
        let mut bytes =
            vec![0; size.min(there.saturating_mul(usize::try_from(self.cluster_size).unwrap_or(0)))];
        self.fill(disk, unit.saturating_mul(self.unit), &mut bytes)?;
        match there as u64 {
            0 => Ok(vec![0; size]),
            there if there == clusters => Ok(bytes),
            _ => lznt1::unpack(&bytes, size).ok_or_else(|| damaged("its compression")),
        }
    }
}

/// A number with a sign, of at most eight bytes.
fn number(bytes: &[u8]) -> Result<i64, ReadError> {
    let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut array = [if is_negative { 0xff } else { 0 }; 8];
    let part =
        array.get_mut(..bytes.len()).ok_or_else(|| damaged("a run with a number of more than 64 bits"))?;
    part.copy_from_slice(bytes);
    Ok(i64::from_le_bytes(array))
}

fn damaged(what: &str) -> ReadError {
    ReadError::Damaged(format!("an attribute: {what}"))
}
