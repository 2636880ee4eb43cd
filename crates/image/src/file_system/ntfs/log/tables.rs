//! What the file system had in memory: open attributes, pages that were changed and not written, transactions. A
//! checkpoint writes all three into the log; the records after it bring them up to date.

use std::collections::BTreeMap;

use super::{
    super::super::{ReadError, disk::Fields as _},
    damaged,
};

/// How many entries a table may have.
const ENTRIES: usize = 1 << 20;

/// An entry that is in use begins with this.
const USED: u32 = u32::MAX;

/// How long the head of a table is.
const HEAD: usize = 24;

/// An attribute whose clusters records change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    pub kind: u32,
    /// The number of its file.
    pub file: u64,
    /// How long the blocks of the index are, when it is one.
    pub index_block: u32,
}

/// A cluster of an attribute that was changed in memory.
#[derive(Clone, Copy, Debug)]
pub struct Dirty {
    /// Where it lies on the volume; 0 when it was given up since.
    pub place: u64,
    /// The first record whose change may be missing on the volume.
    pub oldest: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Transaction {
    pub first: u64,
    /// Which record is undone first; 0 when none is.
    pub undo_next: u64,
    /// Neither prepared nor committed.
    pub is_active: bool,
}

/// All three.
#[derive(Debug, Default)]
pub struct Tables {
    /// By their places in the table, which records refer to.
    pub attributes: BTreeMap<u32, Opened>,
    /// By attribute and cluster of it.
    pub dirty: BTreeMap<(u32, u64), Dirty>,
    pub transactions: BTreeMap<u32, Transaction>,
}

impl Tables {
    /// Takes the table of open attributes from a checkpoint.
    pub fn add_attributes(&mut self, table: &[u8]) -> Result<(), ReadError> {
        for (place, entry) in entries(table)? {
            self.attributes.insert(place, Opened::new(entry)?);
        }
        Ok(())
    }

    /// Takes the table of changed pages; `is_first` tells the version of the checkpoint, whose entries differ.
    pub fn add_dirty(&mut self, table: &[u8], is_first: bool) -> Result<(), ReadError> {
        let (cluster, oldest, places) = if is_first { (20, 28, 36) } else { (16, 24, 32) };
        for (_, entry) in entries(table)? {
            let count = usize::try_from(entry.u32(12)).unwrap_or(usize::MAX);
            let list = count.checked_mul(8).and_then(|length| entry.get(places..)?.get(..length));
            let list = list.ok_or_else(|| damaged("a changed page that leaves its table"))?;
            for (index, place) in list.chunks_exact(8).enumerate() {
                let key = (entry.u32(4), entry.u64(cluster).saturating_add(index as u64));
                let found = Dirty { place: place.u64(0), oldest: entry.u64(oldest) };
                let known = self.dirty.entry(key).or_insert(found);
                known.oldest = known.oldest.min(found.oldest);
                if known.place == 0 {
                    known.place = found.place;
                }
            }
        }
        self.check()
    }

    /// Takes the table of transactions.
    pub fn add_transactions(&mut self, table: &[u8]) -> Result<(), ReadError> {
        for (place, entry) in entries(table)? {
            let is_active = entry.u8(4) == 1;
            let transaction = Transaction { first: entry.u64(8), undo_next: entry.u64(24), is_active };
            self.transactions.insert(place, transaction);
        }
        Ok(())
    }

    /// Notes that a record changes clusters.
    pub fn change(
        &mut self,
        attribute: u32,
        first: u64,
        places: impl Iterator<Item = u64>,
        record: u64,
    ) -> Result<(), ReadError> {
        for (index, place) in places.enumerate() {
            let key = (attribute, first.saturating_add(index as u64));
            self.dirty.entry(key).or_insert(Dirty { place, oldest: record }).place = place;
        }
        self.check()
    }

    /// # Errors
    /// When there are more than memory is taken for.
    pub fn check(&self) -> Result<(), ReadError> {
        let most = self.dirty.len().max(self.attributes.len()).max(self.transactions.len());
        if most > ENTRIES {
            return Err(ReadError::Limit { what: "entries in a table of the log", limit: ENTRIES as u64 });
        }
        Ok(())
    }

    /// The first record that has to be made again, when changes have to be.
    pub fn oldest(&self) -> Option<u64> {
        let dirty = self.dirty.values().map(|dirty| dirty.oldest);
        let first = self.transactions.values().map(|transaction| transaction.first);
        dirty.chain(first).filter(|&record| record != 0).min()
    }
}

impl Opened {
    /// An entry: its length tells the version.
    pub fn new(entry: &[u8]) -> Result<Self, ReadError> {
        const NUMBER: u64 = (1 << 48) - 1;
        match entry.len() {
            44 => Ok(Self { kind: entry.u32(28), file: entry.u64(8) & NUMBER, index_block: entry.u32(40) }),
            40 => Ok(Self { kind: entry.u32(8), file: entry.u64(16) & NUMBER, index_block: entry.u32(4) }),
            length => Err(ReadError::Unsupported(format!("open attributes of {length} bytes"))),
        }
    }
}

/// The entries of a table that are in use, with their places in it.
fn entries(table: &[u8]) -> Result<impl Iterator<Item = (u32, &[u8])>, ReadError> {
    let (size, count) = (usize::from(table.u16(0)), usize::from(table.u16(2)));
    let all = table.get(HEAD..).and_then(|all| all.get(..size * count)).filter(|_| size >= 40);
    let all = all.ok_or_else(|| damaged("a table that leaves its record"))?;
    let entries = all.chunks_exact(size).enumerate().filter(|(_, entry)| entry.u32(0) == USED);
    Ok(entries.filter_map(move |(index, entry)| Some((u32::try_from(HEAD + index * size).ok()?, entry))))
}
