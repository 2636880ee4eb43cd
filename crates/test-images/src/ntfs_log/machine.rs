//! A machine with a volume: every change is logged and made in memory; what is written before the machine stops, the
//! test says.

use std::{collections::BTreeMap, path::Path};

use super::{
    change::{Change, operation},
    log::{Head, LastPage, Log, PAGE, Version, mend, protect, put},
};
use crate::file_systems::{self as images, Image};

/// The root folder.
pub const ROOT: u64 = 5;
pub(super) const RECORD: usize = 1024;
/// How long a cluster is.
pub const CLUSTER: usize = 4096;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> usize {
    u16_at(bytes, at) | u16_at(bytes, at + 2) << 16
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) as u64 | (u32_at(bytes, at + 4) as u64) << 32
}

/// A transaction: the records of it are undone backwards.
#[derive(Clone, Copy, Debug)]
pub struct Transaction {
    number: u32,
    last: u64,
}

/// How the log is written.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The version of the log.
    pub version: Version,
    /// Records are of the version that 32-bit systems began with, which is in use to this day.
    pub is_first: bool,
    /// How many bytes before its end the log begins: it goes on at its front.
    pub before: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self { version: Version::One, is_first: true, before: 1 << 19 }
    }
}

/// A machine that has a volume mounted.
#[derive(Debug)]
pub struct Machine {
    /// The volume as programs see it.
    pub(super) memory: Vec<u8>,
    /// The volume as it is written.
    disk: Vec<u8>,
    log: Log,
    /// Open attributes: type and file; they are opened in this order.
    open: Vec<(u32, u64)>,
    /// How long an entry of the table of open attributes is: it tells the version of the records.
    entry: usize,
    transactions: u32,
    /// Transactions that are not finished: first and last record.
    active: BTreeMap<u32, (u64, u64)>,
    /// Clusters that are newer in memory: by attribute and cluster of it, where they lie, and the first record.
    dirty: BTreeMap<(u16, u64), (u64, u64)>,
}

impl Machine {
    /// A volume with the files of a folder.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(source: &Path, layout: Layout) -> Self {
        let image = images::ntfs(&["-c", "4096"], source, 24);
        let memory = std::fs::read(&image.path).expect("the image");
        let mut machine = Self {
            disk: memory.clone(),
            memory,
            log: Log::new(layout.version, 1 << 20, PAGE),
            open: Vec::new(),
            entry: if layout.is_first { 44 } else { 40 },
            transactions: 0,
            active: BTreeMap::new(),
            dirty: BTreeMap::new(),
        };
        let size = machine.log_place().1;
        machine.log = Log::new(layout.version, size, layout.before);
        machine
    }

    /// Where an attribute's bytes lie on the volume.
    pub fn places(&self, file: u64, kind: u32) -> Vec<u64> {
        let record = self.record(file);
        let at = attribute(&record, kind);
        runs(&record[at..])
    }

    fn record_place(&self, number: u64) -> usize {
        // The first record says where the others are.
        let table = u64_at(&self.memory, 48) as usize * CLUSTER;
        let mut record = self.memory[table..table + RECORD].to_vec();
        mend(&mut record);
        let places = runs(&record[attribute(&record, 0x80)..]);
        let at = number as usize * RECORD;
        places[at / CLUSTER] as usize * CLUSTER + at % CLUSTER
    }

    pub(super) fn record(&self, number: u64) -> Vec<u8> {
        let place = self.record_place(number);
        let mut record = self.memory[place..place + RECORD].to_vec();
        mend(&mut record);
        record
    }

    /// Writes clusters out.
    pub fn flush(&mut self, clusters: &[u64]) {
        for &cluster in clusters {
            let range = cluster as usize * CLUSTER..(cluster as usize + 1) * CLUSTER;
            self.disk[range.clone()].copy_from_slice(&self.memory[range]);
            self.dirty.retain(|_, (place, _)| *place != cluster);
        }
    }

    /// Fills a cluster, which is written at once.
    pub fn fill(&mut self, cluster: u64, byte: u8) {
        let start = cluster as usize * CLUSTER;
        self.memory[start..start + CLUSTER].fill(byte);
        self.flush(&[cluster]);
    }

    /// The clusters that are newer in memory.
    #[must_use]
    pub fn unwritten(&self) -> Vec<u64> {
        self.dirty.values().map(|(place, _)| *place).collect()
    }

    fn log_place(&self) -> (Vec<u64>, usize) {
        let record = self.record(2);
        let at = attribute(&record, 0x80);
        (runs(&record[at..]), u64_at(&record, at + 48) as usize)
    }

    /// Begins a transaction.
    pub fn begin(&mut self) -> Transaction {
        self.transactions += 1;
        Transaction { number: 24 + 40 * self.transactions, last: 0 }
    }

    /// Logs a change; returns the number of its record.
    pub(super) fn write(&mut self, transaction: &mut Transaction, change: &Change) -> u64 {
        let head = Head {
            undo_next: transaction.last,
            previous: transaction.last,
            is_checkpoint: false,
            transaction: transaction.number,
        };
        transaction.last = self.log.write(head, &change.bytes());
        self.active.entry(transaction.number).or_insert((transaction.last, 0)).1 = transaction.last;
        if change.redo.0 != operation::NOOP {
            for (index, &place) in change.clusters.iter().enumerate() {
                let key = (change.attribute, change.cluster + index as u64);
                self.dirty.entry(key).or_insert((place, transaction.last));
            }
        }
        transaction.last
    }

    /// Ends a transaction.
    pub fn commit(&mut self, mut transaction: Transaction) {
        let forget = Change::new(operation::FORGET, 1);
        self.write(&mut transaction, &forget);
        self.active.remove(&transaction.number);
    }

    /// The place of an open attribute in their table.
    pub(super) fn attribute(&mut self, kind: u32, file: u64) -> u16 {
        let known = self.open.iter().position(|open| *open == (kind, file));
        let index = known.unwrap_or_else(|| {
            self.open.push((kind, file));
            self.open.len() - 1
        });
        let place = (24 + index * self.entry) as u16;
        if known.is_none() {
            let mut transaction = self.begin();
            let mut change = Change::new(operation::OPEN_ATTRIBUTE, operation::NOOP);
            change.redo.1 = self.open_entry(kind, file);
            change.attribute = place;
            self.write(&mut transaction, &change);
            self.commit(transaction);
        }
        place
    }

    fn open_entry(&self, kind: u32, file: u64) -> Vec<u8> {
        let mut entry = vec![0; self.entry];
        put(&mut entry, 0, &[0xff; 4]);
        let (index, type_at, file_at) = if self.entry == 44 { (40, 28, 8) } else { (4, 8, 16) };
        if kind == 0xa0 {
            put(&mut entry, index, &4096_u32.to_le_bytes());
        }
        put(&mut entry, type_at, &kind.to_le_bytes());
        put(&mut entry, file_at, &file.to_le_bytes());
        entry
    }

    /// Writes a checkpoint: what is open, changed and unfinished now.
    pub fn checkpoint(&mut self) {
        let is_first = self.entry == 44;
        let attributes = self.open.iter().map(|&(kind, file)| self.open_entry(kind, file)).collect();
        let dirty = self.dirty.iter().map(|(&(attribute, cluster), &(place, oldest))| {
            let mut entry = vec![0; if is_first { 44 } else { 40 }];
            put(&mut entry, 0, &[0xff; 4]);
            put(&mut entry, 4, &u32::from(attribute).to_le_bytes());
            put(&mut entry, 12, &[1]);
            let at = if is_first { 20 } else { 16 };
            put(&mut entry, at, &cluster.to_le_bytes());
            put(&mut entry, at + 8, &oldest.to_le_bytes());
            put(&mut entry, at + 16, &place.to_le_bytes());
            entry
        });
        let dirty = dirty.collect();
        let transactions = (1..=self.transactions).map(|number| {
            let mut entry = vec![0; 40];
            if let Some((first, last)) = self.active.get(&(number * 40 - 16)) {
                put(&mut entry, 0, &[0xff, 0xff, 0xff, 0xff, 1]);
                put(&mut entry, 8, &first.to_le_bytes());
                put(&mut entry, 16, &last.to_le_bytes());
                put(&mut entry, 24, &last.to_le_bytes());
            }
            entry
        });
        let transactions = transactions.collect();
        let tables: [(u16, Vec<Vec<u8>>, usize, usize); 3] =
            [(29, attributes, 16, 48), (31, dirty, 32, 56), (32, transactions, 40, 60)];
        let mut data = vec![0; 104];
        data[0] = u8::from(!is_first);
        let mut transaction = self.begin();
        for (redo, entries, number, length) in tables {
            if let Some(first) = entries.first() {
                let mut change = Change::new(redo, operation::NOOP);
                change.redo.1 = table(first.len(), &entries);
                put(&mut data, number, &self.write(&mut transaction, &change).to_le_bytes());
                put(&mut data, length, &(change.redo.1.len() as u32).to_le_bytes());
            }
        }
        self.active.remove(&transaction.number);
        self.log.write(Head { is_checkpoint: true, ..Head::default() }, &data);
    }

    /// Changes a file record, in memory and in the log.
    pub(super) fn change_record(
        &mut self,
        transaction: &mut Transaction,
        number: u64,
        mut change: Change,
        edit: impl FnOnce(&mut Vec<u8>),
    ) {
        change.attribute = self.attribute(0x80, 0);
        let (place, at) = (self.record_place(number), number as usize * RECORD);
        change.cluster = (at / CLUSTER) as u64;
        change.sector = (at % CLUSTER / 512) as u16;
        change.clusters = vec![(place / CLUSTER) as u64];
        let lsn = self.write(transaction, &change);
        if change.redo.0 == operation::NOOP {
            return;
        }
        let mut record = self.memory[place..place + RECORD].to_vec();
        if record.starts_with(b"FILE") {
            mend(&mut record);
        }
        edit(&mut record);
        assert_eq!(record.len(), RECORD);
        put(&mut record, 8, &lsn.to_le_bytes());
        protect(&mut record);
        put(&mut self.memory, place, &record);
    }

    /// Changes a block of a folder's index, which is one cluster.
    pub(super) fn change_block(
        &mut self,
        transaction: &mut Transaction,
        (folder, block): (u64, u64),
        mut change: Change,
        edit: impl FnOnce(&mut Vec<u8>),
    ) {
        change.attribute = self.attribute(0xa0, folder);
        change.cluster = block;
        let cluster = self.places(folder, 0xa0)[block as usize];
        change.clusters = vec![cluster];
        let lsn = self.write(transaction, &change);
        let place = cluster as usize * CLUSTER;
        let mut bytes = self.memory[place..place + CLUSTER].to_vec();
        if bytes.starts_with(b"INDX") {
            mend(&mut bytes);
        }
        edit(&mut bytes);
        assert_eq!(bytes.len(), CLUSTER);
        put(&mut bytes, 8, &lsn.to_le_bytes());
        protect(&mut bytes);
        put(&mut self.memory, place, &bytes);
    }

    pub(super) fn block(&self, folder: u64, block: u64) -> Vec<u8> {
        let place = self.places(folder, 0xa0)[block as usize] as usize * CLUSTER;
        let mut bytes = self.memory[place..place + CLUSTER].to_vec();
        mend(&mut bytes);
        bytes
    }

    /// The image after a crash, with the log.
    pub fn crashed(&self, last_page: LastPage) -> Image {
        let mut image = self.disk.clone();
        let file = self.log.file(last_page);
        for (place, part) in self.log_place().0.into_iter().zip(file.chunks(CLUSTER)) {
            put(&mut image, place as usize * CLUSTER, part);
        }
        written(&image)
    }

    /// The image as it would be if everything had been written and the log closed.
    pub fn whole(&self) -> Image {
        written(&self.memory)
    }
}

fn written(bytes: &[u8]) -> Image {
    let image = Image::empty(bytes.len() as u64);
    std::fs::write(&image.path, bytes).expect("written");
    image
}

/// A table of a checkpoint, all of whose entries are used.
fn table(size: usize, entries: &[Vec<u8>]) -> Vec<u8> {
    let mut table = vec![0; 24];
    put(&mut table, 0, &(size as u16).to_le_bytes());
    put(&mut table, 2, &(entries.len() as u16).to_le_bytes());
    put(&mut table, 4, &(entries.len() as u16).to_le_bytes());
    put(&mut table, 12, &[0xff; 4]);
    for entry in entries {
        table.extend_from_slice(entry);
    }
    table
}

/// Where the first attribute of that type begins.
pub(super) fn attribute(record: &[u8], kind: u32) -> usize {
    let mut at = u16_at(record, 20);
    while u32_at(record, at) != kind as usize {
        assert_ne!(u32_at(record, at), u32::MAX as usize, "no attribute {kind:#x}");
        at += u32_at(record, at + 4);
    }
    at
}

/// The clusters of an attribute, one by one.
fn runs(attribute: &[u8]) -> Vec<u64> {
    let (mut at, mut place, mut clusters) = (u16_at(attribute, 32), 0_i64, Vec::new());
    while attribute[at] != 0 {
        let (length, offset) = (usize::from(attribute[at] & 15), usize::from(attribute[at] >> 4));
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(if bytes[bytes.len() - 1] & 0x80 != 0 { -1 } else { 0 }, |sum: i64, &byte| {
                    sum << 8 | i64::from(byte)
                })
        };
        let count = number(&attribute[at + 1..at + 1 + length]);
        place += number(&attribute[at + 1 + length..at + 1 + length + offset]);
        clusters.extend((place..place + count).map(|cluster| cluster as u64));
        at += 1 + length + offset;
    }
    clusters
}
