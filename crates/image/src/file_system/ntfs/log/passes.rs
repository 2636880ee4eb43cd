//! The second and the third pass: changes that may be missing on the volume are made again, in the order in which they
//! were made at first; then those of transactions that did not come to their end are taken back.

use super::{
    super::{
        super::{ReadError, disk::Fields as _, overlay::Overlay},
        record::{kind, mend, protect},
        volume::Volume,
    },
    Budget,
    analysis::{Analysis, get},
    damaged, file_record, in_record, index,
    operation::{Action, Change, Operation, Subject},
    pages::{Pages, kind as record_kind},
    restart::Restart,
    tables::Opened,
};
use crate::block::BlockRead as _;

/// What a replay works on.
pub struct Replay<'a> {
    pub pages: &'a mut Pages,
    pub restart: &'a Restart,
    pub analysis: &'a Analysis,
    pub budget: &'a mut Budget,
    pub volume: &'a Volume,
    pub overlay: Overlay,
}

/// One direction of a change, and the record that has it.
#[derive(Clone, Copy)]
struct Step<'a> {
    change: &'a Change<'a>,
    action: &'a Action<'a>,
    number: u64,
    is_redo: bool,
}

impl Replay<'_> {
    /// Makes changes again; returns how many were missing.
    pub fn redo(&mut self) -> Result<u64, ReadError> {
        let mut made = 0;
        let oldest = self.analysis.tables.oldest();
        let first = oldest.map(|oldest| self.analysis.first.unwrap_or(oldest).min(oldest));
        let Some(first) = first.filter(|_| !self.analysis.tables.dirty.is_empty()) else { return Ok(0) };
        let mut record = get(self.pages, first)?;
        loop {
            self.budget.spend(record.data.len())?;
            if record.client == self.restart.client && record.kind == record_kind::CHANGE {
                let mut run = || {
                    let change = Change::new(&record.data)?;
                    let step =
                        Step { change: &change, action: &change.redo, number: record.number, is_redo: true };
                    self.apply(step)
                };
                made += u64::from(run().map_err(|error| in_record(&record, error))?);
            }
            match self.pages.next(&record)? {
                Some(next) if next.number <= self.analysis.last => record = next,
                _ => return Ok(made),
            }
        }
    }

    /// Takes the changes of unfinished transactions back; returns how many there were.
    pub fn undo(&mut self) -> Result<u64, ReadError> {
        let mut undone = 0;
        for transaction in self.analysis.tables.transactions.values().filter(|found| found.is_active) {
            let mut number = transaction.undo_next;
            while number != 0 {
                let record = get(self.pages, number)?;
                self.budget.spend(record.data.len())?;
                let mut run = || {
                    let change = Change::new(&record.data)?;
                    let step = Step { change: &change, action: &change.undo, number, is_redo: false };
                    self.apply(step)
                };
                undone += u64::from(run().map_err(|error| in_record(&record, error))?);
                if record.undo_next >= number {
                    return Err(damaged(&format!("record {number:#x} leads forward")));
                }
                number = record.undo_next;
            }
        }
        Ok(undone)
    }

    /// Returns whether there was something to do.
    fn apply(&mut self, step: Step<'_>) -> Result<bool, ReadError> {
        let subject = step.action.operation.subject();
        if subject == Subject::Nothing || step.change.clusters().len() == 0 {
            return Ok(false);
        }
        let places = self.places(step);
        if places.iter().all(Option::is_none) {
            return Ok(false);
        }
        let opened = self.analysis.tables.attributes.get(&step.change.attribute).copied();
        let opened = opened.ok_or_else(|| ReadError::Damaged("its attribute was not opened".into()))?;
        match (subject, opened.kind) {
            (Subject::FileRecord, kind::DATA) if opened.file == 0 => {
                let size = self.volume.record_size;
                self.change_protected(step, &places, size, b"FILE", |record| {
                    file_record::apply(record, step.change, step.action)
                })
            }
            (Subject::IndexBlock, kind::INDEX_ALLOCATION) if step.change.record_at == 0 => {
                let size = self.index_block(opened)?;
                self.change_protected(step, &places, size, b"INDX", |block| {
                    index::apply_to_block(block, step.change.attribute_at, step.action)
                })
            }
            (Subject::Bytes, kind::INDEX_ALLOCATION)
                if step.action.operation == Operation::UpdateNonresidentValue =>
            {
                let size = self.index_block(opened)?;
                let at = step.change.record_at + step.change.attribute_at;
                self.change_protected(step, &places, size, b"INDX", |block| {
                    let zeros = vec![0; step.action.length];
                    file_record::put(block, at, step.action.data.unwrap_or(&zeros))
                })
            }
            (Subject::Bytes, _) => self.change_bytes(step, &places),
            _ => Err(ReadError::Damaged("its attribute is of another kind than it changes".into())),
        }
    }

    /// Where the clusters that it changes lie now. What is made again is looked up among the changed pages: others were
    /// written before the crash, or given up.
    fn places(&self, step: Step<'_>) -> Vec<Option<u64>> {
        let change = step.change;
        let clusters = change.clusters().enumerate().map(|(index, written)| {
            let key = (change.attribute, change.cluster.saturating_add(index as u64));
            let dirty = self.analysis.tables.dirty.get(&key);
            let place = match dirty {
                Some(dirty) if step.is_redo && step.number < dirty.oldest => 0,
                Some(dirty) => dirty.place,
                None if step.is_redo => 0,
                None => written,
            };
            (place != 0).then(|| place.saturating_mul(self.volume.cluster_size))
        });
        clusters.collect()
    }

    fn index_block(&self, opened: Opened) -> Result<u64, ReadError> {
        let size = match opened.index_block {
            0 => self.volume.index_block,
            size => u64::from(size),
        };
        let is_good = size.is_power_of_two() && (512..=64 << 10).contains(&size);
        is_good.then_some(size).ok_or_else(|| ReadError::Damaged(format!("index blocks of {size} bytes")))
    }

    /// Changes a file record or an index block, whose heads tell what they have already.
    fn change_protected(
        &mut self,
        step: Step<'_>,
        places: &[Option<u64>],
        size: u64,
        magic: &[u8],
        change: impl FnOnce(&mut Vec<u8>) -> file_record::Applied,
    ) -> Result<bool, ReadError> {
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        let start = step.change.within;
        if !self.each(places, start, bytes.len(), |overlay, at, range| {
            Ok(overlay.read_at(at, bytes.get_mut(range).unwrap_or_default())?)
        })? {
            return Ok(false);
        }
        let is_whole = bytes.get(..4) == Some(magic) && mend(&mut bytes);
        let is_new = matches!(
            step.action.operation,
            Operation::InitializeFileRecord | Operation::UpdateNonresidentValue
        );
        if !is_whole {
            let is_filled = is_new && step.action.data.and_then(|data| data.get(..4)) == Some(magic);
            match (is_filled, step.action.operation) {
                (true, _) => bytes.fill(0),
                // What was never made need not be taken back.
                (false, Operation::DeallocateFileRecord) if !step.is_redo => return Ok(false),
                _ => return Err(ReadError::Damaged("what it changes is not whole".into())),
            }
        } else if step.is_redo && (step.number..=self.analysis.last).contains(&bytes.u64(8)) {
            // Larger numbers than the log has are from before it was begun anew.
            return Ok(false);
        }
        change(&mut bytes).map_err(|error| ReadError::Damaged(error.into()))?;
        if step.is_redo {
            file_record::put(&mut bytes, 8, &step.number.to_le_bytes())
                .map_err(|error| ReadError::Damaged(error.into()))?;
        }
        if bytes.get(..4) != Some(magic) || !protect(&mut bytes) {
            return Err(ReadError::Damaged("what it makes is not whole".into()));
        }
        self.each(places, start, bytes.len(), |overlay, at, range| {
            overlay.write(at, bytes.get(range).unwrap_or_default())
        })
    }

    /// Changes bytes as they are: those that have a place.
    fn change_bytes(&mut self, step: Step<'_>, places: &[Option<u64>]) -> Result<bool, ReadError> {
        let change = step.change;
        let mut start = change.within + change.record_at as u64;
        if step.action.operation == Operation::UpdateNonresidentValue {
            let zeros = vec![0; step.action.length];
            let data = step.action.data.unwrap_or(&zeros);
            let at = start + change.attribute_at as u64;
            let room = (places.len() as u64).saturating_mul(self.volume.cluster_size);
            if at + data.len() as u64 > room {
                return Err(ReadError::Damaged("it reaches beyond its clusters".into()));
            }
            let mut made = false;
            for (index, &place) in places.iter().enumerate() {
                let first = index as u64 * self.volume.cluster_size;
                let (from, to) =
                    (at.max(first), (at + data.len() as u64).min(first + self.volume.cluster_size));
                let (Some(place), true) = (place, from < to) else { continue };
                let range = usize::try_from(from - at).unwrap_or(0)..usize::try_from(to - at).unwrap_or(0);
                self.overlay
                    .write(place.saturating_add(from - first), data.get(range).unwrap_or_default())?;
                made = true;
            }
            return Ok(made);
        }
        let data = step.action.data.filter(|data| data.len() >= 8);
        let data = data.ok_or_else(|| ReadError::Damaged("it is cut off".into()))?;
        let (bit, count) = (u64::from(data.u32(0)), u64::from(data.u32(4)));
        let is_set = step.action.operation == Operation::SetBits;
        start += bit / 8;
        let length = usize::try_from((bit % 8 + count).div_ceil(8)).unwrap_or(usize::MAX);
        let room = (places.len() as u64).saturating_mul(self.volume.cluster_size);
        if start.saturating_add(length as u64) > room {
            return Err(ReadError::Damaged("it reaches beyond its clusters".into()));
        }
        self.budget.spend(length)?;
        let mut bytes = vec![0_u8; length];
        if !self.each(places, start, length, |overlay, at, range| {
            Ok(overlay.read_at(at, bytes.get_mut(range).unwrap_or_default())?)
        })? {
            return Ok(false);
        }
        let (first, end) = (bit % 8, bit % 8 + count);
        for (index, byte) in bytes.iter_mut().enumerate() {
            let start = index as u64 * 8;
            let (from, to) = (first.max(start) - start, end.min(start + 8) - start);
            let mask = ((1_u16 << to) - (1_u16 << from)) as u8;
            *byte = if is_set { *byte | mask } else { *byte & !mask };
        }
        self.each(places, start, length, |overlay, at, range| {
            overlay.write(at, bytes.get(range).unwrap_or_default())
        })
    }

    /// Does something with each part of a range that lies together on the volume; `false` when a part has no place.
    fn each(
        &mut self,
        places: &[Option<u64>],
        start: u64,
        length: usize,
        mut each: impl FnMut(&mut Overlay, u64, std::ops::Range<usize>) -> Result<(), ReadError>,
    ) -> Result<bool, ReadError> {
        let size = self.volume.cluster_size;
        let mut parts = Vec::new();
        let mut done = 0;
        while done < length {
            let at = start + done as u64;
            let place =
                usize::try_from(at / size).ok().and_then(|index| places.get(index).copied().flatten());
            let Some(place) = place else { return Ok(false) };
            let part = usize::try_from(size - at % size).unwrap_or(usize::MAX).min(length - done);
            parts.push((place.saturating_add(at % size), done..done + part));
            done += part;
        }
        for (at, range) in parts {
            each(&mut self.overlay, at, range)?;
        }
        Ok(true)
    }
}
